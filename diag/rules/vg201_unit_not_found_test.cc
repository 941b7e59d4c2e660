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

// systemd runs, and nothing on the machine is Ollama.
HostBuilder Bare() {
  HostBuilder machine;
  machine.Stopped().RemoveFile("/etc/systemd/system").SetShown("LoadState", "not-found");
  machine.RemoveShown("FragmentPath").RemoveShown("ExecStart").SetJournal("");
  machine.RemoveFile("/usr/local/bin/ollama").RemoveFile("/usr/local/lib/ollama");
  return machine;
}

TEST(UnitNotFoundTest, WithoutAnyOllamaItSaysWhatWasLookedAt) {
  facts::Facts facts = Bare().Gather();
  ASSERT_TRUE(facts.servers.present() && facts.servers->empty());
  // Of a capture that lacks an answer it would not be known.
  const Judgement unsure = UnitNotFound(facts);
  EXPECT_FALSE(absl::StrContains(AsHolds(unsure)->headline, "No Ollama"));
  facts.complete = true;
  const Judgement judgement = UnitNotFound(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StartsWith(holds->headline, "No Ollama was found")) << holds->headline;
  bool processes = false, paths = false;
  for (const Evidence& evidence : holds->evidence) {
    processes |= evidence.source == "/proc/*/cmdline";
    paths |= absl::StrContains(evidence.source, "/usr/local/bin/ollama");
  }
  EXPECT_TRUE(processes && paths);
  ASSERT_EQ(holds->fix.size(), 2u);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "--root"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].why, "capture"));
  EXPECT_TRUE(absl::StrContains(holds->fix[1].command, "--unit"));
}

TEST(UnitNotFoundTest, AProgramInAUsualPlaceIsAnOllama) {
  HostBuilder machine = Bare();
  machine.SetFile("/usr/bin/ollama", "").SetElf("/usr/bin/ollama", "{}");
  facts::Facts facts = machine.Gather();
  facts.complete = true;
  const Judgement judgement = UnitNotFound(facts);
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_FALSE(absl::StrContains(AsHolds(judgement)->headline, "No Ollama"));
}

TEST(UnitNotFoundTest, AServerWithAnotherNameIsAnOllama) {
  HostBuilder machine = Bare();
  machine.AddProcess(700, 1, {"/srv/ollama", "serve"}, "/srv/ollama", {}, "/");
  facts::Facts facts = machine.Gather();
  facts.complete = true;
  const Judgement judgement = UnitNotFound(facts);
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_FALSE(absl::StrContains(AsHolds(judgement)->headline, "No Ollama"));
}

}  // namespace
}  // namespace vgpu::rules
