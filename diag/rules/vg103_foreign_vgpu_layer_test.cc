#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(ForeignVgpuLayerTest, HamiBesideTheShims) {
  HostBuilder machine;
  machine.SetFile("/etc/ld.so.preload", "/usr/local/vgpu/libvgpu.so\n");
  machine.SetFile("/usr/local/vgpu/libvgpu.so", "ELF");
  const Judgement judgement = ForeignVgpuLayer(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->evidence[0].quote, "/usr/local/vgpu/libvgpu.so");
  EXPECT_TRUE(absl::StrContains(holds->headline, "HAMi's library is preloaded beside the shims"));
}

TEST(ForeignVgpuLayerTest, OneThatCallsItselfTheDriverIsACause) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", "/usr/local/vgpu/libvgpu.so:/usr/lib64/libvgpu-cuda.so");
  machine.SetFile("/usr/local/vgpu/libvgpu.so", "ELF").FoundNoGpu();
  machine.SetElf("/usr/local/vgpu/libvgpu.so", R"({"class": 64, "soname": "libcuda.so.1"})");
  const Judgement judgement = ForeignVgpuLayer(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(AsHolds(judgement)->is_cause);
  EXPECT_EQ(AsHolds(judgement)->explains, std::vector<std::string>{"VG704"});
}

TEST(ForeignVgpuLayerTest, OneOfNoKnownNameThatTakesTheDriversNameBeforeTheShim) {
  constexpr char kOther[] = "/opt/gshare/libgshare.so";
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", absl::StrCat(kOther, ":", kPreload));
  machine.SetFile(kOther, "ELF").SetElf(kOther, R"({"class": 64, "soname": "libcuda.so.1"})");
  machine.FoundNoGpu();
  const Judgement judgement = ForeignVgpuLayer(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(holds->is_cause);
  EXPECT_EQ(holds->headline,
            "libgshare.so, which calls itself libcuda.so.1, is preloaded beside the shims: both "
            "answer for the driver, and the first in the list wins.");

  machine.SetEnviron("LD_PRELOAD", absl::StrCat(kPreload, ":", kOther));  // the shim stands first
  EXPECT_EQ(AsHolds(ForeignVgpuLayer(machine.Gather())), nullptr);
}

TEST(ForeignVgpuLayerTest, LoadedInTheProcess) {
  HostBuilder machine;
  machine.SetMaps({{"/usr/local/vgpu/libvgpu.so", 9}});
  const Judgement judgement = ForeignVgpuLayer(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kCertain);
}

TEST(ForeignVgpuLayerTest, OurShimsAreNoForeignLayer) {
  EXPECT_EQ(Because(ForeignVgpuLayer(HostBuilder().Gather())),
            "no other product's library is preloaded");
}

TEST(ForeignVgpuLayerTest, AProcessThatCannotBeSeen) {
  HostBuilder machine;
  machine.Hide("/proc/57290/maps").Hide("/proc/57290/environ");
  EXPECT_EQ(Lacks(ForeignVgpuLayer(machine.Gather())), "what is preloaded into the process");
}

}  // namespace
}  // namespace vgpu::rules
