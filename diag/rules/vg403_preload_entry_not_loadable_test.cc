#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCuda[] = "/usr/lib64/libvgpu-cuda.so";

// The cuda shim is as `elf` says, and not in memory; discovery found no GPU.
HostBuilder WithCuda(absl::string_view elf) {
  HostBuilder machine;
  machine.SetElf(kCuda, elf).FoundNoGpu();
  machine.SetMaps({{"/usr/lib64/libvgpu-exec.so", 301}, {"/usr/lib64/libvgpu-cudart.so", 305}});
  return machine;
}

std::string Meaning(const HostBuilder& machine) {
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  return holds == nullptr ? "" : holds->evidence[0].meaning;
}

TEST(PreloadEntryNotLoadableTest, A32BitLibrary) {
  HostBuilder machine = WithCuda(R"({"error": "wrong ELF class: ELFCLASS32", "class": 32})");
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
  EXPECT_EQ(holds->evidence[0].source, "/proc/57290/environ");
  EXPECT_EQ(holds->evidence[0].meaning,
            "listed for preloading, and cannot be loaded (wrong ELF class: ELFCLASS32)");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "mv -T /usr/lib64/libvgpu-cuda.so.new"));
}

TEST(PreloadEntryNotLoadableTest, ForAnotherMachine) {
  EXPECT_TRUE(absl::StrContains(
      Meaning(WithCuda(R"({"error": null, "class": 64, "machine": "aarch64", "type": "DYN"})")),
      "is built for aarch64 and the program for x86_64"));
}

TEST(PreloadEntryNotLoadableTest, AProgram) {
  EXPECT_TRUE(absl::StrContains(
      Meaning(WithCuda(
          R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN", "pie": true})")),
      "cannot dynamically load position-independent executable"));
  EXPECT_TRUE(absl::StrContains(
      Meaning(WithCuda(R"({"error": null, "class": 64, "machine": "x86_64", "type": "EXEC"})")),
      "cannot dynamically load executable"));
}

TEST(PreloadEntryNotLoadableTest, NoElfAtAll) {
  HostBuilder machine = WithCuda(R"({"error": "invalid ELF header"})");
  EXPECT_TRUE(absl::StrContains(Meaning(machine), "(invalid ELF header)"));
}

TEST(PreloadEntryNotLoadableTest, TheLoadersLineProvesIt) {
  HostBuilder machine = WithCuda(R"({"error": "file too short"})");
  machine.Hide("/proc/57290/maps");
  EXPECT_EQ(AsHolds(PreloadEntryNotLoadable(machine.Gather()))->confidence, Confidence::kLikely);
  machine.SetLog(
      {"ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be "
       "preloaded (file too short): ignored.",
       kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "file too short"), nullptr);
}

TEST(PreloadEntryNotLoadableTest, OnANoexecMount) {
  HostBuilder machine;
  machine.FoundNoGpu().SetMaps({{"/usr/local/bin/ollama", 1}});
  machine.SetFile("/proc/57290/mountinfo",
                  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                  "40 22 8:2 / /usr/lib64 rw,noexec,relatime - ext4 /dev/sda2 rw\n");
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "mounted noexec"));
  EXPECT_EQ(holds->fix[0].command, "sudo mount -o remount,exec /usr/lib64");
}

TEST(PreloadEntryNotLoadableTest, AFileThatIsOnlyCutIsAnotherFault) {
  HostBuilder machine =
      WithCuda(R"({"error": "truncated", "class": 64, "machine": "x86_64", "type": "DYN"})");
  EXPECT_EQ(AsHolds(PreloadEntryNotLoadable(machine.Gather())), nullptr);
}

TEST(PreloadEntryNotLoadableTest, FiveOfTheRightKind) {
  EXPECT_EQ(Because(PreloadEntryNotLoadable(HostBuilder().Gather())),
            "5 entries of the preload list are of the right kind: a 64-bit shared object for "
            "x86_64");
}

TEST(PreloadEntryNotLoadableTest, WhatWasNotReadIsNotJudged) {
  HostBuilder machine = WithCuda("{}");
  EXPECT_EQ(Lacks(PreloadEntryNotLoadable(machine.Gather())),
            "what kind of file /usr/lib64/libvgpu-cuda.so is");
}

TEST(PreloadEntryNotLoadableTest, OneThatNothingNeedsIsLatent) {
  HostBuilder machine;
  machine.FoundNoGpu().SetElf("/usr/lib64/libvgpu-exec.so", R"({"error": "invalid ELF header"})");
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
  EXPECT_TRUE(AsHolds(judgement)->explains.empty());
}

TEST(PreloadEntryNotLoadableTest, AShimThatIsFoundByPath) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().RemoveEnviron("LD_PRELOAD");
  machine.SetFile(kDropIn, "[Service]\n").SetShown("Environment", "");
  machine.SetLink("/usr/local/lib/ollama/libcuda.so.1", kCuda);
  machine.SetElf(kCuda, R"({"error": "invalid ELF header"})");
  const Judgement judgement = PreloadEntryNotLoadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/usr/local/lib/ollama/libcuda.so.1");
  EXPECT_EQ(holds->explains[0], "VG504");
}

}  // namespace
}  // namespace vgpu::rules
