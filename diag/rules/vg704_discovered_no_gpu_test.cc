#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(DiscoveredNoGpuTest, TheLastResultIsTheCpu) {
  HostBuilder machine;
  const Judgement judgement = DiscoveredNoGpu(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  const Evidence* line = FindQuote(*holds, "library=cpu");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->source, kJournal);
  EXPECT_EQ(line->line, 5);
}

TEST(DiscoveredNoGpuTest, AGpu) {
  EXPECT_TRUE(absl::StrContains(Because(DiscoveredNoGpu(HostBuilder().Gather())), "library=CUDA"));
}

TEST(DiscoveredNoGpuTest, AResultOfAnEarlierProcessSaysNothing) {
  HostBuilder machine;
  std::string journal = Said(41000, "old", At("2026-02-24 08:00:00"), kServerConfigLine) +
                        Said(41000, "old", At("2026-02-24 08:00:01"), kCpuLine);
  EXPECT_EQ(Lacks(DiscoveredNoGpu(machine.SetJournal(journal).Gather())), "what discovery found");
}

TEST(DiscoveredNoGpuTest, AJournalWithoutFieldsOfSystemd) {
  HostBuilder machine;  // written down by hand: the process and the text
  machine.SetJournal(Said(kPid, "", At("2026-02-24 10:06:01"), kServerConfigLine) +
                     Said(kPid, "", At("2026-02-24 10:06:01"), kCpuLine));
  EXPECT_NE(AsHolds(DiscoveredNoGpu(machine.Gather())), nullptr);
}

TEST(DiscoveredNoGpuTest, AProcessOfWhichNothingWasCaptured) {
  HostBuilder machine;  // `systemctl show` names it, and the journal has its lines
  machine.FoundNoGpu().RemoveFile("/proc");
  EXPECT_NE(AsHolds(DiscoveredNoGpu(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules
