#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(ServiceStartedBeforeConfigTest, TheReloadCameAfterTheStart) {
  HostBuilder machine;
  const Judgement judgement = ServiceStartedBeforeConfig(machine.NotRestarted().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  const Evidence* lacks = FindQuote(*holds, "(no LD_PRELOAD)");
  ASSERT_NE(lacks, nullptr);
  EXPECT_EQ(lacks->source, "/proc/57290/environ");
  EXPECT_EQ(FindQuote(*holds, "started 2026-02-24")->source, "/proc/57290/stat");
  EXPECT_EQ(FindQuote(*holds, "UnitsLoadTimestamp=")->source, kManager);
  EXPECT_EQ(FindQuote(*holds, "library=cpu")->source, kJournal);
  EXPECT_EQ(FindQuote(*holds, "written 2026-02-24")->source, kDropIn);
  ASSERT_EQ(holds->fix.size(), 1u);
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl restart ollama.service");
  EXPECT_EQ(holds->headline,
            "Process 57290 of ollama.service is older than its configuration (LD_PRELOAD is "
            "missing): restart the service.");
}

TEST(ServiceStartedBeforeConfigTest, HasEverything) {
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(HostBuilder().Gather())),
            "process 57290 has every variable that its unit gives");
}

TEST(ServiceStartedBeforeConfigTest, NotReloadedIsAnotherCause) {
  HostBuilder machine;  // VG203: what systemd has loaded, the process has
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(machine.NotReloaded().Gather())),
            "process 57290 has every variable that its unit gives");
}

TEST(ServiceStartedBeforeConfigTest, StartedAfterTheReloadAndStillWithoutIt) {
  HostBuilder machine;  // VG303
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(machine.Gather())),
            "process 57290 was started after systemd loaded the unit as it is");
}

TEST(ServiceStartedBeforeConfigTest, NeitherItsEnvironmentNorItsMapsCanBeRead) {
  HostBuilder machine;
  machine.NotRestarted().Hide("/proc/57290/environ").Hide("/proc/57290/maps");
  // The times alone: the drop-in is younger than the process, and no GPU was found.
  const facts::Facts facts = machine.Gather();
  const Judgement judgement = ServiceStartedBeforeConfig(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(ServiceStartedBeforeConfigTest, TimesAloneSayNothingWhereTheResultWasNotSeen) {
  HostBuilder machine;
  machine.NotRestarted().Hide("/proc/57290/environ").Hide("/proc/57290/maps");
  machine.RemoveTool(kJournal);
  EXPECT_EQ(Lacks(ServiceStartedBeforeConfig(machine.Gather())), "environment of process 57290");
}

TEST(ServiceStartedBeforeConfigTest, OnlyItsMapsCanBeReadAndShowNoShim) {
  HostBuilder machine;
  machine.NotRestarted().Hide("/proc/57290/environ");
  const Judgement judgement = ServiceStartedBeforeConfig(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "none of them a shim"), nullptr);
  EXPECT_EQ(FindQuote(*holds, "(no LD_PRELOAD)"), nullptr);  // that was not seen
}

TEST(ServiceStartedBeforeConfigTest, InSecureModeTheLoaderDropsTheListToo) {
  HostBuilder machine;
  machine.NotRestarted().Hide("/proc/57290/environ");
  const uint64_t words[] = {23, 1, 0, 0};
  machine.SetFile("/proc/57290/auxv",
                  absl::string_view(reinterpret_cast<const char*>(words), sizeof(words)));
  EXPECT_NE(Lacks(ServiceStartedBeforeConfig(machine.Gather())), "");
}

TEST(ServiceStartedBeforeConfigTest, NothingRuns) {
  HostBuilder machine;
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(machine.Stopped().Gather())), "no process runs");
}

TEST(ServiceStartedBeforeConfigTest, TheTimeOfTheFileTellsWhereTheReloadIsNotKnown) {
  HostBuilder machine;
  const Judgement judgement =
      ServiceStartedBeforeConfig(machine.NotRestarted().RemoveTool(kManager).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "written 2026-02-24"), nullptr);
}

TEST(ServiceStartedBeforeConfigTest, NoTimeAtAllAndNothingBetweenSystemdAndOllama) {
  HostBuilder machine;  // a checkout of a capture: no file times, no `systemctl show`
  machine.NotRestarted().RemoveTool(kManager).WithoutFileTimes();
  const Judgement judgement = ServiceStartedBeforeConfig(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_NE(FindQuote(*holds, "ExecStart=/usr/local/bin/ollama serve"), nullptr);
}

TEST(ServiceStartedBeforeConfigTest, NoTimeAtAllAndAWrapperBetween) {
  HostBuilder machine;
  machine.NotRestarted().RemoveTool(kManager).WithoutFileTimes();
  machine.SetExecStart("/opt/start.sh serve");
  machine.SetFile("/opt/start.sh", "#!/bin/sh\nexec ollama \"$@\"\n");
  EXPECT_EQ(Lacks(ServiceStartedBeforeConfig(machine.Gather())),
            "whether the process is older than its configuration");
}

TEST(ServiceStartedBeforeConfigTest, SystemdWasNotAskedAndTheDropInIsYounger) {
  HostBuilder machine;
  machine.NotRestarted().RemoveTool(kShow).RemoveTool(kManager);
  const Judgement judgement = ServiceStartedBeforeConfig(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  // Whether systemd has read it is not known: both steps.
  ASSERT_EQ(holds->fix.size(), 2u);
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl daemon-reload");
}

TEST(ServiceStartedBeforeConfigTest, AnEnvironmentFileNeedsNoReload) {
  HostBuilder machine;  // edited at 10:08; the process is of 10:06, the reload of 10:05
  machine.SetFile(kDropIn, "[Service]\nEnvironmentFile=/etc/default/ollama\n");
  machine.SetFile("/etc/default/ollama", absl::StrCat("LD_PRELOAD=", kPreload, "\n"));
  machine.SetWritten("/etc/default/ollama", At("2026-02-24 10:08:00"));
  machine.SetShown("Environment", "PATH=/usr/bin");
  machine.SetShown("EnvironmentFiles", "/etc/default/ollama (ignore_errors=no)");
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  const facts::Facts facts = machine.Gather();
  const Judgement judgement = ServiceStartedBeforeConfig(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  const Evidence* wanted = FindQuote(*holds, "LD_PRELOAD=/usr/lib64");
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(wanted->source, "/etc/default/ollama");
  EXPECT_EQ(wanted->line, 1);
  EXPECT_NE(Because(EnvironmentScrubbed(facts)), "");
}

TEST(ServiceStartedBeforeConfigTest, AnEnvironmentFileThatTookItAwayAtTheStart) {
  HostBuilder machine;  // its line `LD_PRELOAD=` was taken out at 10:08; the process is of 10:06
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=LD_PRELOAD=", kPreload,
                                        "\nEnvironmentFile=/etc/default/ollama\n"));
  machine.SetFile("/etc/default/ollama", "# nothing any more\n");
  machine.SetWritten("/etc/default/ollama", At("2026-02-24 10:08:00"));
  machine.SetShown("EnvironmentFiles", "/etc/default/ollama (ignore_errors=no)");
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  const facts::Facts facts = machine.Gather();
  const Judgement judgement = ServiceStartedBeforeConfig(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  const Evidence* file = FindQuote(*holds, "written ");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->source, "/etc/default/ollama");
  EXPECT_NE(Because(EnvironmentScrubbed(facts)), "");
}

TEST(ServiceStartedBeforeConfigTest, AVariableThatTheUnitNoLongerSets) {
  HostBuilder machine;  // CUDA_VISIBLE_DEVICES=-1 was taken out of the unit, and reloaded
  machine.StartedAt(At("2026-02-24 09:41:07")).SetEnviron("CUDA_VISIBLE_DEVICES", "-1");
  machine.FoundNoGpu();
  const Judgement judgement = ServiceStartedBeforeConfig(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "CUDA_VISIBLE_DEVICES=-1"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "CUDA_VISIBLE_DEVICES is set"));
  EXPECT_EQ(holds->explains.back(), "VG507");  // the restart repairs what that says too
}

TEST(ServiceStartedBeforeConfigTest, AnEnvironmentFileThatWasNotCapturedMayGiveIt) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\nEnvironmentFile=/etc/default/ollama\n");
  machine.SetShown("Environment", "PATH=/usr/bin").StartedAt(At("2026-02-24 09:41:07"));
  machine.SetShown("EnvironmentFiles", "/etc/default/ollama (ignore_errors=no)");
  EXPECT_EQ(AsHolds(ServiceStartedBeforeConfig(machine.Gather())), nullptr);
}

TEST(ServiceStartedBeforeConfigTest, AnEnvironmentThatWasCutDoesNotShowWhatItLacks) {
  HostBuilder machine;
  machine.NotRestarted();
  machine.SetFile("/proc/57290/environ", "PATH=/usr/bin");  // without its last NUL
  EXPECT_EQ(Lacks(ServiceStartedBeforeConfig(machine.Gather())),
            "what the unit gives beside what the process has");
}

TEST(ServiceStartedBeforeConfigTest, TheSameListInAnotherOrderIsNoDifference) {
  HostBuilder machine;
  machine.NotRestarted().SetEnviron(
      "LD_PRELOAD",
      "/usr/lib64/libvgpu-cudart.so:/usr/lib64/libvgpu-nvml.so:/usr/lib64/libvgpu-cuda.so:"
      "/usr/lib64/libvgpu-syscall.so:/usr/lib64/libvgpu-exec.so");
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(machine.Gather())),
            "process 57290 has every variable that its unit gives");
}

constexpr char kBindsDropIn[] = "/etc/systemd/system/ollama.service.d/zz-binds.conf";
constexpr char kBinds[] =
    "[Service]\nBindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n";
constexpr char kRootMount[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";

// It was started at 10:06, and the units were loaded anew at 10:09.
HostBuilder WithBinds() {
  HostBuilder machine;
  machine.SetFile(kBindsDropIn, kBinds).ReloadedAt(At("2026-02-24 10:09:00"));
  machine.SetShown("DropInPaths", absl::StrCat(kDropIn, " ", kBindsDropIn)).FoundNoGpu();
  return machine;
}

TEST(ServiceStartedBeforeConfigTest, BindsThatTheProcessDoesNotHave) {
  HostBuilder machine = WithBinds();
  machine.SetFile("/proc/57290/mountinfo", kRootMount);
  const Judgement judgement = ServiceStartedBeforeConfig(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(FindQuote(*holds, "BindReadOnlyPaths=")->source, kBindsDropIn);
}

TEST(ServiceStartedBeforeConfigTest, BindsThatTheProcessHas) {
  HostBuilder machine = WithBinds();
  machine.SetFile("/proc/57290/mountinfo",
                  absl::StrCat(kRootMount,
                               "40 22 8:1 /etc/vgpu/ld.so.preload /etc/ld.so.preload ro,relatime "
                               "shared:1 - ext4 /dev/vda1 rw\n"));
  EXPECT_EQ(Because(ServiceStartedBeforeConfig(machine.Gather())),
            "process 57290 has every variable that its unit gives");
}

TEST(ServiceStartedBeforeConfigTest, TheMountsWereNotSeen) {
  EXPECT_EQ(AsHolds(ServiceStartedBeforeConfig(WithBinds().Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules
