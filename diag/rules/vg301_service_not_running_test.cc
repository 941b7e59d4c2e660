#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(ServiceNotRunningTest, Stopped) {
  HostBuilder machine;
  const Judgement judgement = ServiceNotRunning(machine.Stopped().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(FindQuote(*holds, "ActiveState=inactive SubState=dead")->source, kShow);
  EXPECT_EQ(holds->fix.front().command, "sudo systemctl start ollama.service");
}

TEST(ServiceNotRunningTest, SkippedBecauseAConditionIsNotMet) {
  HostBuilder machine;
  machine.Stopped().SetShown("ConditionResult", "no");
  machine.SetFile(kDropIn, "[Unit]\nConditionPathExists=/dev/nvidia0\n[Service]\nNice=1\n");
  const Judgement never = ServiceNotRunning(machine.Gather());  // nobody has started it
  ASSERT_NE(AsHolds(never), nullptr);
  EXPECT_EQ(AsHolds(never)->headline, "ollama.service does not run: start it.");

  machine.SetShown("ConditionTimestampMonotonic", "9000000");
  const Judgement judgement = ServiceNotRunning(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->headline,
            "ollama.service does not run: systemd skips its start, because "
            "ConditionPathExists=/dev/nvidia0 is not met.");
  const Evidence* condition = FindQuote(*holds, "ConditionPathExists=/dev/nvidia0");
  ASSERT_NE(condition, nullptr);
  EXPECT_EQ(condition->source, kDropIn);
  EXPECT_EQ(condition->line, 2);
  EXPECT_EQ(holds->fix.front().command, "systemctl status ollama.service");
}

TEST(ServiceNotRunningTest, Runs) {
  EXPECT_EQ(Because(ServiceNotRunning(HostBuilder().Gather())), "process 57290 runs");
}

TEST(ServiceNotRunningTest, RunsAndItsProcessWasNotCaptured) {
  HostBuilder machine;
  EXPECT_EQ(Because(ServiceNotRunning(machine.RemoveFile("/proc/57290").Gather())),
            "process 57290 runs");
}

TEST(ServiceNotRunningTest, APlainRootDoesNotSay) {
  HostBuilder machine;
  machine.RemoveFile("/proc").RemoveTool(kShow).RemoveTool(kManager).RemoveTool(kJournal);
  EXPECT_EQ(Lacks(ServiceNotRunning(machine.Gather())), "whether ollama.service runs");
}

}  // namespace
}  // namespace vgpu::rules
