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
