#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(DaemonReloadNeededTest, DropInWrittenAndNotLoaded) {
  HostBuilder machine;
  const Judgement judgement = DaemonReloadNeeded(machine.NotReloaded().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "NeedDaemonReload=yes")->source, kShow);
  const Evidence* wanted = FindQuote(*holds, "LD_PRELOAD=/usr/lib64");
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(wanted->source, kDropIn);
  EXPECT_EQ(wanted->line, 2);
  EXPECT_EQ(holds->fix.front().command, "sudo systemctl daemon-reload");
  EXPECT_EQ(holds->headline,
            "systemd has not read the present configuration of ollama.service (LD_PRELOAD is "
            "missing): reload it, then restart the service.");
}

TEST(DaemonReloadNeededTest, AnOldTimeOfTheFileHidesItFromSystemd) {
  HostBuilder machine;  // cp -p: the flag goes by times, the content differs all the same
  const Judgement judgement =
      DaemonReloadNeeded(machine.NotReloaded().SetShown("NeedDaemonReload", "no").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  const Evidence* flag = FindQuote(*holds, "NeedDaemonReload=no");
  ASSERT_NE(flag, nullptr);
  EXPECT_TRUE(absl::StrContains(flag->meaning, "the content differs"));
}

TEST(DaemonReloadNeededTest, ChangedInNothingThatDecidesDiscovery) {
  HostBuilder machine;
  machine.SetShown("NeedDaemonReload", "yes");
  const Judgement judgement = DaemonReloadNeeded(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
}

TEST(DaemonReloadNeededTest, DiskAndSystemdAgree) {
  EXPECT_EQ(Because(DaemonReloadNeeded(HostBuilder().Gather())),
            "NeedDaemonReload=no, and the unit on disk says what systemd has loaded");
}

TEST(DaemonReloadNeededTest, SystemdWasNotAsked) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(DaemonReloadNeeded(machine.RemoveTool(kShow).Gather())),
            "what systemd has loaded for ollama.service");
}

TEST(DaemonReloadNeededTest, AnExcerptWithoutEnvironmentIsNoEmptyEnvironment) {
  HostBuilder machine;
  machine.ShowOnly({"MainPID", "ActiveState", "FragmentPath", "NeedDaemonReload", "LoadState"});
  EXPECT_EQ(AsHolds(DaemonReloadNeeded(machine.Gather())), nullptr);
}

TEST(DaemonReloadNeededTest, AnExcerptWithTheFlagAndAProcessThatLacksWhatTheDiskGives) {
  HostBuilder machine;
  machine.NotReloaded().ShowOnly({"MainPID", "NeedDaemonReload"});
  const Judgement judgement = DaemonReloadNeeded(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "(no LD_PRELOAD)"), nullptr);
}

TEST(DaemonReloadNeededTest, AnotherExecStartOnDisk) {
  HostBuilder machine;
  machine.SetExecStart("/usr/local/bin/force_load_shim /usr/local/bin/ollama serve");
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload,
                                        "\"\nExecStart=\nExecStart=/usr/local/bin/ollama serve\n"));
  machine.FoundNoGpu();
  const Judgement judgement = DaemonReloadNeeded(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->headline, "ExecStart differs"));
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG207"),
            holds->explains.end());
  EXPECT_EQ(FindQuote(*holds, "ExecStart=/usr/local/bin/ollama serve")->line, 4);
}

TEST(DaemonReloadNeededTest, AnEnvironmentFileThatAnExcerptLeavesOutIsNoDifference) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\nEnvironmentFile=/etc/default/ollama\n");
  machine.SetFile("/etc/default/ollama", absl::StrCat("LD_PRELOAD=", kPreload, "\n"));
  machine.SetShown("Environment", "PATH=/usr/bin");
  machine.ShowOnly({"MainPID", "Environment", "NeedDaemonReload", "FragmentPath", "LoadState"});
  EXPECT_EQ(AsHolds(DaemonReloadNeeded(machine.Gather())), nullptr);
}

TEST(DaemonReloadNeededTest, ALoadedDropInThatACaptureLacksWasNotRemoved) {
  HostBuilder machine;
  machine.RemoveFile(kDropIn);
  EXPECT_EQ(AsHolds(DaemonReloadNeeded(machine.Gather())), nullptr);
  machine.SetShown("NeedDaemonReload", "yes");  // now systemd says that it was
  const Judgement removed = DaemonReloadNeeded(machine.Gather());
  ASSERT_NE(AsHolds(removed), nullptr);
  EXPECT_TRUE(absl::StrContains(AsHolds(removed)->headline, "is not what systemd has loaded"));
}

TEST(DaemonReloadNeededTest, AnEnvironmentThatWasTakenOutOfACaptureIsNotEmpty) {
  HostBuilder machine;
  EXPECT_EQ(AsHolds(DaemonReloadNeeded(machine.RemoveShown("Environment").Gather())), nullptr);
}

TEST(DaemonReloadNeededTest, AFileThatCannotBeReadMayBeTheOneThatChanged) {
  HostBuilder machine;
  const Judgement judgement = DaemonReloadNeeded(machine.NotReloaded().Hide(kDropIn).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(DaemonReloadNeededTest, AStoppedServiceHasItAhead) {
  HostBuilder machine;
  const Judgement judgement = DaemonReloadNeeded(machine.NotReloaded().Stopped().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(DaemonReloadNeededTest, WhatTheDiskLostIsNotWhyNoGpuWasFoundAndAReloadIsNoRepair) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\n").SetShown("NeedDaemonReload", "yes").FoundNoGpu();
  const Judgement judgement = DaemonReloadNeeded(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "daemon-reload")) << step.command;
  }
}

TEST(DaemonReloadNeededTest, WhatTheProcessHasAllTheSameIsNotWhyNoGpuWasFound) {
  HostBuilder machine;  // systemd was reloaded while the drop-in was away; it is back
  machine.SetShown("Environment", "PATH=/usr/bin").SetShown("NeedDaemonReload", "yes");
  machine.FoundNoGpu();
  const Judgement judgement = DaemonReloadNeeded(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
}

TEST(DaemonReloadNeededTest, OfAMaskedUnitSystemdReadsNoDropIn) {
  HostBuilder machine;
  machine.SetShown("LoadState", "masked").SetShown("Environment", "");
  machine.SetShown("NeedDaemonReload", "no").RemoveShown("DropInPaths");
  EXPECT_EQ(Because(DaemonReloadNeeded(machine.Gather())),
            "the unit is masked: systemd reads none of its drop-ins");
}

}  // namespace
}  // namespace vgpu::rules
