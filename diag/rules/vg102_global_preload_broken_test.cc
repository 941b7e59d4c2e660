#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kFile[] = "/etc/ld.so.preload";

TEST(GlobalPreloadBrokenTest, AnEntryThatDoesNotExistIsLatent) {
  HostBuilder machine;
  machine.SetFile(kFile, "/opt/gone.so\n");
  const Judgement judgement = GlobalPreloadBroken(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->evidence[0].quote, "/opt/gone.so");
  EXPECT_TRUE(holds->explains.empty());
}

TEST(GlobalPreloadBrokenTest, ASecretIsCountedAndNeverQuoted) {
  HostBuilder machine;
  machine.SetFile(kFile, "hunter2-is-no-path\n# a comment\n");
  const Judgement judgement = GlobalPreloadBroken(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].quote, "(a word of 18 bytes that is no path)");
  EXPECT_EQ(FindQuote(*holds, "hunter2"), nullptr);
  EXPECT_EQ(FindQuote(*holds, "#"), nullptr);  // a comment (measured, glibc 2.36)
}

TEST(GlobalPreloadBrokenTest, TheOnlyListLacksTheShimThatDiscoveryNeeds) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\n").SetShown("Environment", "PATH=/usr/bin");
  machine.RemoveEnviron("LD_PRELOAD").RemoveFile("/usr/lib64/libvgpu-cuda.so");
  machine.SetFile(kFile, "/usr/lib64/libvgpu-cuda.so\n");
  machine.SetLog(
      {"ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from /etc/ld.so.preload "
       "cannot be preloaded (cannot open shared object file): ignored.",
       kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  const Judgement judgement = GlobalPreloadBroken(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains[0], "VG704");
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "> /etc/ld.so.preload"));
    EXPECT_FALSE(absl::StrContains(step.command, "tee /etc/ld.so.preload"));
  }
}

TEST(GlobalPreloadBrokenTest, WhatTheLoaderRefuses) {
  HostBuilder machine;
  machine.SetFile(kFile, "/opt/x.so").SetFile("/opt/x.so", "text");
  const Judgement judgement = GlobalPreloadBroken(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].meaning, "file too short");
}

TEST(GlobalPreloadBrokenTest, AFileThatIsCutKillsTheService) {
  HostBuilder machine;
  machine.CrashLooping().SetFile(kFile, "/opt/x.so").SetFile("/opt/x.so", "ELF");
  machine.SetElf("/opt/x.so", R"({"error": "truncated", "class": 64})");
  const Judgement judgement = GlobalPreloadBroken(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG301", "VG307", "VG404", "VG405"}));
}

TEST(GlobalPreloadBrokenTest, NoFileOrASoundOne) {
  HostBuilder machine;
  EXPECT_FALSE(Because(GlobalPreloadBroken(machine.Gather())).empty());
  machine.SetFile(kFile, "/usr/lib64/libvgpu-cuda.so");
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", R"({"class": 64, "type": "DYN"})");
  EXPECT_EQ(Because(GlobalPreloadBroken(machine.Gather())),
            "nothing is wrong with the 1 entry of /etc/ld.so.preload");
}

}  // namespace
}  // namespace vgpu::rules
