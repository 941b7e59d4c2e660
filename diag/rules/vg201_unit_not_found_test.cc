#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(UnitNotFoundTest, NoFileAndNothingLoaded) {
  HostBuilder machine;
  machine.Stopped().RemoveFile("/etc/systemd/system").SetShown("LoadState", "not-found");
  machine.RemoveShown("FragmentPath").SetJournal("");
  const Judgement judgement = UnitNotFound(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG301"});
  const Evidence* shown = FindQuote(*holds, "LoadState=not-found");
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->source, kShow);
}

TEST(UnitNotFoundTest, AFileThatSystemdHasNotReadIsThere) {
  HostBuilder machine;
  machine.Stopped().SetShown("LoadState", "not-found");
  EXPECT_EQ(Because(UnitNotFound(machine.Gather())), absl::StrCat(kUnitFile, " is there"));
}

TEST(UnitNotFoundTest, LoadedAndItsFileNotCaptured) {
  HostBuilder machine;
  machine.RemoveFile("/etc/systemd/system");
  EXPECT_TRUE(absl::StrContains(Because(UnitNotFound(machine.Gather())), "LoadState=loaded"));
}

TEST(UnitNotFoundTest, AProcessInItShowsThatItIsThere) {
  HostBuilder machine;  // a capture of little more than the process
  machine.RemoveFile("/etc/systemd/system").RemoveTool(kShow).RemoveTool(kManager);
  EXPECT_EQ(Because(UnitNotFound(machine.Gather())), "process 57290 is in ollama.service");
}

TEST(UnitNotFoundTest, AJournalOfItShowsThatItIsThere) {
  HostBuilder machine;
  machine.RemoveFile("/etc/systemd/system").RemoveFile("/proc").RemoveTool(kShow);
  EXPECT_EQ(Because(UnitNotFound(machine.Gather())), "the journal has what ollama.service said");
}

TEST(UnitNotFoundTest, ADirectoryThatCannotBeReadMayHoldIt) {
  HostBuilder machine;
  machine.Stopped().Hide("/etc/systemd").RemoveTool(kShow).RemoveTool(kJournal);
  EXPECT_EQ(Lacks(UnitNotFound(machine.Gather())),
            "whether there is a unit file of ollama.service");
}

// A capture of OpenRC's host: no output of systemctl, no unit, and a server in no unit.
HostBuilder OfOpenRc() {
  HostBuilder machine;
  machine.RemoveFile("/etc/systemd").RemoveTool(kShow).RemoveTool(kManager).RemoveTool(kJournal);
  machine.SetFile("/proc/57290/cgroup", "0::/openrc.ollama\n");
  return machine;
}

TEST(UnitNotFoundTest, AServerInNoUnitIsJudgedWhereSystemdWasNotSeen) {
  const facts::Facts facts = OfOpenRc().Gather();
  ASSERT_TRUE(facts.process.present());
  EXPECT_FALSE(facts.unit_judged);
  EXPECT_EQ(Lacks(UnitNotFound(facts)), "the unit of the process");
}

TEST(UnitNotFoundTest, WhereNeitherDiskNorSystemdWereSeenTheUnitIsNotMissed) {
  HostBuilder machine = OfOpenRc();
  machine.RemoveFile("/proc/57290");
  EXPECT_EQ(Lacks(UnitNotFound(machine.Gather())), "whether there is a unit ollama.service");
}

}  // namespace
}  // namespace vgpu::rules
