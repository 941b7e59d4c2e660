#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kHome[] = "/home/u/bin/ollama";

HostBuilder Failing() {
  HostBuilder machine;
  machine.Stopped().SetShown("ActiveState", "failed").SetShown("Result", "exit-code");
  machine.SetFile("/etc/passwd", "ollama:x:998:997::/:/bin/false\n").SetFile("/etc/group", "");
  machine.SetJournal(absl::StrCat(
      SystemdSaid("ab", At("2026-02-24 10:06:01"),
                  "ollama.service: Failed at step EXEC spawning /home/u/bin/ollama: Permission "
                  "denied"),
      SystemdSaid("ab", At("2026-02-24 10:06:01"),
                  "ollama.service: Main process exited, code=exited, status=203/EXEC")));
  return machine;
}

HostBuilder BelowHome() {
  HostBuilder machine = Failing();
  machine.SetFile(kHome, "ELF").SetElf(kHome, R"({"class": 64, "type": "EXEC"})");
  machine.SetExecStart("/home/u/bin/ollama serve").SetMode("/home", 0755);
  machine.SetMode("/home/u", 0700, 1000, 1000).SetMode("/home/u/bin", 0755, 1000, 1000);
  machine.SetMode(kHome, 0755, 1000, 1000);
  return machine;
}

TEST(ExecNotExecutableTest, BelowAHomeDirectoryThatIsClosed) {
  const Judgement judgement = ExecNotExecutable(BelowHome().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_NE(FindQuote(*holds, "203/EXEC"), nullptr);
  ASSERT_NE(FindQuote(*holds, "mode 0700"), nullptr);
  EXPECT_EQ(FindQuote(*holds, "mode 0700")->source, "/home/u");
  EXPECT_EQ(holds->fix[0].command, "sudo chmod o+x /home/u");
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG301", "VG307"}));
}

TEST(ExecNotExecutableTest, NobodyMayExecuteIt) {
  HostBuilder machine = BelowHome();
  machine.SetMode("/home/u", 0755, 1000, 1000).SetMode(kHome, 0644, 1000, 1000);
  const Judgement judgement = ExecNotExecutable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->fix[0].command, "sudo chmod a+rx /home/u/bin/ollama");
}

TEST(ExecNotExecutableTest, AScriptWhoseLinesEndInCrLf) {
  HostBuilder machine = Failing();
  machine.SetFile("/opt/w.sh", "#!/bin/sh\r\nexec ollama serve\r\n").SetFile("/bin/sh", "ELF");
  machine.SetExecStart("/opt/w.sh").SetMode("/opt", 0755).SetMode("/opt/w.sh", 0755);
  const Judgement judgement = ExecNotExecutable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "#!/bin/sh\r"), nullptr);
}

TEST(ExecNotExecutableTest, AScriptWithoutItsInterpreter) {
  HostBuilder machine = Failing();
  machine.SetFile("/opt/w.sh", "#!/opt/gone/bash\nexec ollama serve\n");
  machine.SetExecStart("/opt/w.sh").SetMode("/opt", 0755).SetMode("/opt/w.sh", 0755);
  const Judgement judgement = ExecNotExecutable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(FindQuote(*AsHolds(judgement), "#!/opt/gone/bash")->meaning,
            "the interpreter does not exist");
}

TEST(ExecNotExecutableTest, TheProgramIsGone) {
  HostBuilder machine = Failing();
  machine.RemoveFile("/usr/local/bin/ollama");
  const Judgement judgement = ExecNotExecutable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kCertain);
}

TEST(ExecNotExecutableTest, WhyIsNotSeen) {
  const Judgement judgement = ExecNotExecutable(Failing().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(ExecNotExecutableTest, WhatTheSandboxHidesIsAnotherCause) {
  HostBuilder machine = BelowHome();
  machine.SetFile(kDropIn, "[Service]\nProtectHome=yes\n");
  const Judgement judgement = ExecNotExecutable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(FindQuote(*AsHolds(judgement), "mode 0700"), nullptr);
}

// It was mended since, the service ran, and was stopped: of such an end systemd logs no status.
TEST(ExecNotExecutableTest, AnEarlierStartIsNotTheLast) {
  HostBuilder machine = Failing();
  machine.SetShown("ExecMainStatus", "0");
  machine.SetShown("ExecMainStartTimestampMonotonic", "81234567");
  EXPECT_EQ(AsHolds(ExecNotExecutable(machine.Gather())), nullptr);
}

// The path is one below RootDirectory=, and not the host's.
TEST(ExecNotExecutableTest, WithARootOfItsOwn) {
  HostBuilder machine;
  machine.Stopped().SetMode("/usr/local/bin/ollama", 0644);
  ASSERT_NE(AsHolds(ExecNotExecutable(machine.Gather())), nullptr);
  machine.SetFile(kDropIn, "[Service]\nRootDirectory=/srv/gpu\n");
  EXPECT_EQ(AsHolds(ExecNotExecutable(machine.Gather())), nullptr);
}

TEST(ExecNotExecutableTest, AProgramThatRuns) {
  EXPECT_EQ(Because(ExecNotExecutable(HostBuilder().Gather())), "process 57290 runs");
}

TEST(ExecNotExecutableTest, APathThatCouldNotBeSeen) {
  HostBuilder machine;
  machine.Stopped().Hide("/usr/local/bin");
  EXPECT_EQ(Lacks(ExecNotExecutable(machine.Gather())),
            "whether the program of ExecStart= can be executed");
}

}  // namespace
}  // namespace vgpu::rules
