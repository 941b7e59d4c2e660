#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(KernelLaunchRefusedTest, TheShimSaysSo) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kGpuLine,
                  R"(level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel )"
                  R"(device=0 reason="no compute backend")"});
  const Judgement judgement = KernelLaunchRefused(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "no compute backend"), nullptr);
}

TEST(KernelLaunchRefusedTest, NoSuchLine) {
  EXPECT_EQ(Because(KernelLaunchRefused(HostBuilder().Gather())),
            "no shim refused a kernel launch");
}

TEST(KernelLaunchRefusedTest, NoLog) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(KernelLaunchRefused(machine.RemoveTool(kJournal).Gather())),
            "what discovery found");
}

}  // namespace
}  // namespace vgpu::rules
