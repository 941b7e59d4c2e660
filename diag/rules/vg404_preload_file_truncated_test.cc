#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCut[] = R"({"error": "truncated", "class": 64, "machine": "x86_64",
                            "type": "DYN", "soname": "libcuda.so.1"})";

// Dies with `status` at every start.
HostBuilder Dying(absl::string_view status) {
  HostBuilder machine;
  machine.CrashLooping();
  std::string journal;
  for (int i = 0; i < 3; ++i) {
    absl::StrAppend(
        &journal,
        SystemdSaid(
            absl::StrCat("cafe", i), At("2026-02-24 10:06:00") + i * absl::Seconds(4),
            absl::StrCat("ollama.service: Main process exited, code=dumped, status=", status)));
  }
  machine.SetJournal(journal);
  return machine;
}

TEST(PreloadFileTruncatedTest, EveryStartDiesOfSigbus) {
  HostBuilder machine = Dying("7/BUS");
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", kCut);
  const Judgement judgement = PreloadFileTruncated(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG301", "VG307", "VG704"}));
  EXPECT_EQ(holds->evidence[0].quote, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_NE(FindQuote(*holds, "status=7/BUS"), nullptr);
}

TEST(PreloadFileTruncatedTest, AnotherSignalIsNoProof) {
  HostBuilder machine = Dying("11/SEGV");
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", kCut);
  const Judgement judgement = PreloadFileTruncated(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(PreloadFileTruncatedTest, AServiceThatRunsMeetsItAtItsNextStart) {
  HostBuilder machine;
  machine.SetElf("/usr/lib64/libvgpu-exec.so", kCut);
  const Judgement judgement = PreloadFileTruncated(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(PreloadFileTruncatedTest, WholeFilesAreRuledOut) {
  EXPECT_EQ(Because(PreloadFileTruncated(HostBuilder().Gather())), "5 preloaded files are whole");
}

TEST(PreloadFileTruncatedTest, AFileThatIsTooShortToBeginIsAnotherFault) {
  HostBuilder machine;
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", R"({"error": "file too short"})");
  EXPECT_EQ(AsHolds(PreloadFileTruncated(machine.Gather())), nullptr);
}

TEST(PreloadFileTruncatedTest, WhatWasNotReadIsNotJudged) {
  HostBuilder machine;
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", R"({"class": 64})");
  EXPECT_EQ(Because(PreloadFileTruncated(machine.Gather())), "5 preloaded files are whole")
      << "what runs has loaded it";
  machine.Hide("/proc/57290/maps");
  EXPECT_EQ(Lacks(PreloadFileTruncated(machine.Gather())),
            "whether /usr/lib64/libvgpu-cuda.so is whole");
}

}  // namespace
}  // namespace vgpu::rules
