#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(FirstPassSuccessLostTest, TheSecondPassDroppedIt) {
  HostBuilder machine;
  machine.SetLog(
      {kServerConfigLine, kListeningLine, kBeganLine, kFirstPassLine, kFilteredLine, kCpuLine});
  const Judgement judgement = FirstPassSuccessLost(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(FindQuote(*holds, "initial_count=1")->line, 5);
  EXPECT_EQ(FindQuote(*holds, "didn't fully initialize")->line, 6);
  EXPECT_TRUE(absl::StrContains(FindQuote(*holds, "library=cpu")->meaning, "this one decides"));
}

TEST(FirstPassSuccessLostTest, ALaterResultTakesTheGpuAway) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kGpuLine, kCpuLine});
  EXPECT_NE(AsHolds(FirstPassSuccessLost(machine.Gather())), nullptr);
}

TEST(FirstPassSuccessLostTest, TheLastResultNamesAGpu) {
  EXPECT_EQ(Because(FirstPassSuccessLost(HostBuilder().Gather())), "the last result names a GPU");
}

TEST(FirstPassSuccessLostTest, ThereWasNeverOne) {
  HostBuilder machine;
  EXPECT_EQ(Because(FirstPassSuccessLost(machine.FoundNoGpu().Gather())),
            "no earlier line said that a GPU was there");
}

}  // namespace
}  // namespace vgpu::rules
