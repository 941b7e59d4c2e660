#include "absl/strings/match.h"
#include "diag/procfs/auxv.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kOllama[] = "/usr/local/bin/ollama";
constexpr char kStatic[] = R"({"class": 64, "machine": "x86_64", "type": "EXEC", "interp": null,
    "soname": null, "needed": [], "go_build": {"go": "go1.24.1",
    "module": "github.com/ollama/ollama", "version": "v0.16.2"}})";

HostBuilder Static() {
  HostBuilder machine;
  machine.SetElf(kOllama, kStatic).SetAuxv(procfs::Auxv::kBase, 0).FoundNoGpu();
  machine.SetMaps({{kOllama, 262650}});
  return machine;
}

TEST(StaticBinaryTest, NoLoader) {
  const Judgement judgement = StaticBinary(Static().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(FindQuote(*holds, "AT_BASE=0")->source, "/proc/57290/auxv");
  EXPECT_EQ(FindQuote(*holds, "no PT_INTERP")->source, kOllama);
}

TEST(StaticBinaryTest, TheEffectWasNotSeen) {
  HostBuilder machine = Static();
  const Judgement judgement = StaticBinary(machine.RemoveTool(kJournal).Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(StaticBinaryTest, AMuslProgramHasALoader) {
  HostBuilder machine;
  machine.SetElf(kOllama, R"({"class": 64, "type": "DYN", "pie": true,
      "interp": "/lib/ld-musl-x86_64.so.1"})");
  EXPECT_EQ(Because(StaticBinary(machine.Gather())),
            "AT_BASE is not 0 in /proc/57290/auxv: a loader started it");
}

TEST(StaticBinaryTest, ALibraryInTheProgramsPlaceNamesNoLoaderAndIsNoStaticProgram) {
  HostBuilder machine;
  machine.Stopped().SetElf(kOllama, R"({"class": 64, "machine": "x86_64", "type": "DYN",
      "interp": null, "soname": "libdl.so.2", "needed": ["libc.so.6"]})");
  EXPECT_EQ(Because(StaticBinary(machine.Gather())),
            "/usr/local/bin/ollama is a library, and no program");
}

TEST(StaticBinaryTest, StartedThroughTheLoaderByName) {
  HostBuilder machine;
  machine.SetAuxv(procfs::Auxv::kBase, 0);
  machine.SetFile("/usr/lib64/ld-linux-x86-64.so.2", "ELF");
  machine.SetLink("/proc/57290/exe", "/usr/lib64/ld-linux-x86-64.so.2");
  EXPECT_TRUE(absl::StrContains(Because(StaticBinary(machine.Gather())), "the loader itself"));
}

TEST(StaticBinaryTest, LlamaServerIsAnotherFile) {
  HostBuilder machine = Static();
  machine.EraC().SetElf(kOllama, R"({"class": 64, "type": "EXEC", "interp": null,
      "go_build": {"module": "github.com/ollama/ollama", "version": "v0.30.0"}})");
  machine.SetLog({kServerConfigLine, kBeganLine, kCpuLine});
  EXPECT_TRUE(absl::StrContains(Because(StaticBinary(machine.Gather())), "llama-server"));
}

TEST(StaticBinaryTest, AScriptIsNotTheProgram) {
  HostBuilder machine;
  machine.SetExecStart("/opt/start.sh serve").SetFile("/opt/start.sh", "#!/bin/sh\nexec ollama\n");
  EXPECT_EQ(Because(StaticBinary(machine.Stopped().Gather())),
            "no process runs, and ExecStart names a script");
}

TEST(StaticBinaryTest, NothingRuns) {
  HostBuilder machine;
  EXPECT_TRUE(absl::StrContains(Because(StaticBinary(machine.Stopped().Gather())),
                                "names the loader /lib64/ld-linux-x86-64.so.2"));
  const Judgement judgement = StaticBinary(machine.SetElf(kOllama, kStatic).Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(StaticBinaryTest, NeitherWasSeen) {
  HostBuilder machine;
  machine.RemoveFile("/proc/57290/auxv").SetElf(kOllama, R"({"class": 64})");
  EXPECT_EQ(Lacks(StaticBinary(machine.Gather())), "AT_BASE of process 57290");
}

}  // namespace
}  // namespace vgpu::rules
