// The cause that README.md writes as an example, tested as it says.

#include "diag/rules/readme_cause.inc"

#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(CpuQuotaTest, HoldsWhereTheUnitHasLessThanAProcessor) {
  const Judgement judgement =
      CpuQuota(HostBuilder().SetShown("CPUQuotaPerSecUSec", "50ms").FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "CPUQuotaPerSecUSec=50ms"), nullptr);
  EXPECT_FALSE(holds->fix.empty());
}

TEST(CpuQuotaTest, AWholeProcessorIsEnough) {
  EXPECT_EQ(Because(CpuQuota(HostBuilder().SetShown("CPUQuotaPerSecUSec", "1s").Gather())),
            "CPUQuotaPerSecUSec=1s");
}

TEST(CpuQuotaTest, NothingIsKnownOfAHostThatWasNotLookedAt) {
  EXPECT_NE(Lacks(CpuQuota(facts::Facts{})), "");
}

}  // namespace
}  // namespace vgpu::rules
