#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(PreloadOrderTest, AnotherOrderIsANoteAndSaysThatItRepairsNothing) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cudart.so:/usr/lib64/libvgpu-cuda.so");
  const Judgement judgement = PreloadOrder(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(holds->explains.empty());
  EXPECT_TRUE(holds->fix.empty());
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "another order repairs nothing"));
}

TEST(PreloadOrderTest, TheConventionalOrder) {
  EXPECT_EQ(Because(PreloadOrder(HostBuilder().Gather())),
            "exec, syscall, cuda, nvml, cudart: the conventional order");
}

TEST(PreloadOrderTest, ForeignEntriesDoNotCount) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD",
                     "/usr/lib64/libvgpu-exec.so:/opt/libjemalloc.so:"
                     "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(AsHolds(PreloadOrder(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules
