#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Why(const HostBuilder& machine) {
  const Judgement judgement = DiscoveryNotInLog(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  return holds == nullptr ? "" : holds->evidence[0].meaning;
}

TEST(DiscoveryNotInLogTest, TheResultIsThere) {
  EXPECT_EQ(Because(DiscoveryNotInLog(HostBuilder().Gather())),
            "the log has the `inference compute` line of this process");
}

TEST(DiscoveryNotInLogTest, TheLogCouldNotBeRead) {
  HostBuilder machine;
  EXPECT_EQ(Why(machine.RemoveTool(kJournal)), "the log could not be read: not captured");
}

TEST(DiscoveryNotInLogTest, TheLogIsEmpty) {
  HostBuilder machine;
  EXPECT_EQ(Why(machine.SetJournal("")), "the log is empty");
}

TEST(DiscoveryNotInLogTest, TheLogBeginsLater) {
  HostBuilder machine;
  machine.SetJournal(Said(kPid, "a2d43596453d4c56540827e621bf36cb", At("2026-02-24 10:11:00"),
                          "[GIN] 2026/02/24 - 10:11:00 | 200 |"));
  EXPECT_TRUE(absl::StrContains(Why(machine), "the log begins after the process was started"));
}

TEST(DiscoveryNotInLogTest, TheStartIsThereAndTheResultIsNot) {
  HostBuilder machine;
  EXPECT_TRUE(absl::StrContains(Why(machine.SetLog({kServerConfigLine, kListeningLine})),
                                "the result of its discovery is not"));
}

TEST(DiscoveryNotInLogTest, TheResultIsCutOff) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine,
                  "time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 "
                  "msg=\"inference compute\" id=GPU-d110a105-ac29-1d54-7b4"});
  EXPECT_TRUE(absl::StrContains(Why(machine), "cut off before it names a library"));
}

TEST(DiscoveryNotInLogTest, OnlyOtherProcessesSpeak) {
  HostBuilder machine;
  machine.SetJournal(Said(41000, "old", At("2026-02-24 08:00:00"), kGpuLine));
  EXPECT_TRUE(absl::StrContains(Why(machine), "is a line of this process's start"));
}

TEST(DiscoveryNotInLogTest, NothingRunsWhoseDiscoveryCouldShow) {
  HostBuilder machine;
  EXPECT_NE(Because(DiscoveryNotInLog(machine.Stopped().Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules
