#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kWrapper[] = "/opt/vgpu/start.sh";

// The unit starts a script, and the process that it started lacks LD_PRELOAD.
HostBuilder Scrubbed(absl::string_view script) {
  HostBuilder machine;
  machine.SetExecStart(absl::StrCat(kWrapper, " serve")).SetFile(kWrapper, script);
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  return machine;
}

TEST(ExecWrapperTest, AScriptThatEmptiesTheEnvironment) {
  const Judgement judgement = ExecWrapper(
      Scrubbed("#!/bin/sh\n# starts Ollama\nexec env -i PATH=/usr/bin ollama serve\n").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  const Evidence* line = FindQuote(*holds, "env -i");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->source, kWrapper);
  EXPECT_EQ(line->line, 3);
  EXPECT_NE(FindQuote(*holds, "(no LD_PRELOAD)"), nullptr);
  EXPECT_TRUE(
      absl::StrContains(holds->fix.front().command, "ExecStart=/usr/local/bin/ollama serve"));
}

TEST(ExecWrapperTest, AWrapperThatPassesEverythingOn) {
  HostBuilder machine;
  machine.SetExecStart(absl::StrCat(kWrapper, " serve"));
  machine.SetFile(kWrapper, "#!/bin/sh\nulimit -l unlimited\nexec /usr/local/bin/ollama \"$@\"\n");
  EXPECT_EQ(Because(ExecWrapper(machine.Gather())),
            "/opt/vgpu/start.sh is a script, and the process has every variable of the unit");
}

TEST(ExecWrapperTest, OllamaItself) {
  EXPECT_EQ(Because(ExecWrapper(HostBuilder().Gather())),
            "ExecStart runs Ollama itself (/usr/local/bin/ollama serve)");
}

TEST(ExecWrapperTest, EnvThatOnlyAddsAVariableIsHarmless) {
  HostBuilder machine;
  machine.SetExecStart("/usr/bin/env OLLAMA_HOST=0.0.0.0 /usr/local/bin/ollama serve");
  EXPECT_EQ(Because(ExecWrapper(machine.Gather())),
            "/usr/bin/env is env, and the process has every variable of the unit");
}

TEST(ExecWrapperTest, AShellThatExecsOllamaIsHarmless) {
  HostBuilder machine;
  machine.SetExecStart("/bin/sh -c 'exec /usr/local/bin/ollama serve'");
  machine.SetShown("ExecStart",
                   "{ path=/bin/sh ; argv[]=/bin/sh -c exec /usr/local/bin/ollama serve ; "
                   "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; "
                   "code=(null) ; status=0/0 }");
  EXPECT_TRUE(absl::StrContains(Because(ExecWrapper(machine.Gather())),
                                "the process has every variable of the unit"));
}

TEST(ExecWrapperTest, SudoAsLauncher) {
  HostBuilder machine;
  machine.SetExecStart("/usr/bin/sudo -u ollama /usr/local/bin/ollama serve");
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  const Evidence* harm = FindQuote(*holds, "sudo -u ollama");
  ASSERT_NE(harm, nullptr);
  EXPECT_EQ(harm->source, kUnitFile);
  EXPECT_EQ(harm->line, 2);
}

TEST(ExecWrapperTest, AProgramThatShowsNothingAndLosesTheVariable) {
  HostBuilder machine;  // its file was not captured
  machine.SetExecStart("/opt/vgpu/launch /usr/local/bin/ollama serve");
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
}

TEST(ExecWrapperTest, AProcessOlderThanTheWrapperWasNotStartedByIt) {
  HostBuilder machine;
  machine.SetExecStart("/opt/vgpu/launch /usr/local/bin/ollama serve").NotRestarted();
  EXPECT_NE(Lacks(ExecWrapper(machine.Gather())), "");
}

TEST(ExecWrapperTest, AReloadForAnotherReasonDoesNotExcuseIt) {
  // The drop-in is older than the process; a package's installation reloaded all units since.
  HostBuilder machine = Scrubbed("#!/bin/sh\nunset LD_PRELOAD\nexec ollama serve\n");
  machine.ReloadedAt(At("2026-02-24 10:11:00"));
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
}

TEST(ExecWrapperTest, TheEnvironmentCannotBeReadAndTheMapsShowNoShim) {
  HostBuilder machine = Scrubbed("#!/bin/sh\nexec env -i ollama serve\n");
  machine.Hide("/proc/57290/environ");
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "none of them a shim"), nullptr);
}

TEST(ExecWrapperTest, SystemdWasNotAskedAndTheDiskSaysIt) {
  HostBuilder machine = Scrubbed("#!/bin/sh\nexec env -i ollama serve\n");
  machine.RemoveTool(kShow).RemoveTool(kManager);
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_NE(FindQuote(*holds, "env -i"), nullptr);
}

TEST(ExecWrapperTest, AProgramThatNamesCopiesOfPreloadedShims) {
  HostBuilder machine;
  machine.CrashLooping().SetExecStart("/usr/local/bin/force_load_shim /usr/local/bin/ollama serve");
  machine.SetFile("/usr/local/bin/force_load_shim", CopyingWrapper());
  machine.SetFile("/opt/vgpu/lib/libvgpu-cuda.so",
                  "\x7f"
                  "ELF");
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_NE(FindQuote(*holds, "/opt/vgpu/lib/libvgpu-cuda.so"), nullptr);
  EXPECT_NE(FindQuote(*holds, "status=11/SEGV"), nullptr);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG410", "VG307", "VG301"}));
}

TEST(ExecWrapperTest, AProgramOfWhichNothingIsKnownAndThatDiesBeforeOllamaBegins) {
  HostBuilder machine;
  machine.CrashLooping().SetExecStart("/usr/local/bin/start_it /usr/local/bin/ollama serve");
  machine.SetFile("/usr/local/bin/start_it", "")
      .SetElf("/usr/local/bin/start_it", R"({"class": 64})");
  const Judgement judgement = ExecWrapper(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG307", "VG301"}));
  EXPECT_TRUE(
      absl::StrContains(holds->fix.front().command, "ExecStart=/usr/local/bin/ollama serve"));
}

TEST(ExecWrapperTest, AHardLinkIsNoCopy) {
  HostBuilder machine;
  machine.SetExecStart("/usr/local/bin/force_load_shim /usr/local/bin/ollama serve");
  machine.SetFile("/usr/local/bin/force_load_shim", CopyingWrapper());
  machine.SetFile("/opt/vgpu/lib/libvgpu-cuda.so",
                  "\x7f"
                  "ELF");
  machine.SetInode("/opt/vgpu/lib/libvgpu-cuda.so", 7).SetInode("/usr/lib64/libvgpu-cuda.so", 7);
  EXPECT_TRUE(absl::StrContains(Because(ExecWrapper(machine.Gather())),
                                "the process has every variable of the unit"));
}

TEST(ExecWrapperTest, EmptyingAnEnvironmentThatHoldsNothingIsNoFault) {
  HostBuilder machine = Scrubbed("#!/bin/sh\nexec env -i ollama serve\n");
  machine.SetFile(kDropIn, "[Service]\nLimitMEMLOCK=infinity\n");
  machine.SetShown("Environment", "PATH=/bin");
  EXPECT_TRUE(absl::StrContains(Because(ExecWrapper(machine.Gather())),
                                "the unit gives nothing that it could take away"));
}

}  // namespace
}  // namespace vgpu::rules
