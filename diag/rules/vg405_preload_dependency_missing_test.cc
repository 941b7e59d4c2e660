#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/host_builder.h"
#include "diag/rules/rules.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kLine[] =
    "/usr/local/bin/ollama: error while loading shared libraries: libtransport.so.1: cannot open "
    "shared object file: No such file or directory";

// Each start says `line` and ends with `status`.
HostBuilder DyingOf(absl::string_view line, absl::string_view status) {
  HostBuilder machine;
  machine.CrashLooping().SetShown("Result", "exit-code");
  std::string journal;
  for (int i = 0; i < 3; ++i) {
    const std::string invocation = absl::StrCat("cafe", i);
    const absl::Time time = At("2026-02-24 10:06:00") + i * absl::Seconds(4);
    absl::StrAppend(&journal, Said(5000 + i, invocation, time, line),
                    SystemdSaid(invocation, time,
                                absl::StrCat("ollama.service: Main process exited, code=exited, "
                                             "status=", status)));
  }
  return machine.SetJournal(journal);
}

constexpr char kNeedy[] = R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
    "soname": "libcuda.so.1", "needed": ["libtransport.so.1", "libc.so.6"]})";

TEST(PreloadDependencyMissingTest, TheLineNamesTheLibraryAndTheShimNeedsIt) {
  HostBuilder machine = DyingOf(kLine, "127/n/a");
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", kNeedy);
  const Judgement judgement = PreloadDependencyMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, kLine);
  EXPECT_EQ(FindQuote(*holds, "/usr/lib64/libvgpu-cuda.so")->meaning,
            "listed for preloading, and needs libtransport.so.1, which is not found");
  EXPECT_NE(FindQuote(*holds, "status=127/n/a"), nullptr);
  EXPECT_EQ(holds->explains[0], "VG301");
  EXPECT_TRUE(absl::StrContains(holds->fix.back().command, "restart"));
}

TEST(PreloadDependencyMissingTest, ALibraryThatTheProgramItselfNeedsIsNoFaultOfAShim) {
  HostBuilder machine = DyingOf(kLine, "127/n/a");
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", kNeedy);
  machine.SetElf("/usr/local/bin/ollama",
                 R"({"class": 64, "machine": "x86_64", "type": "EXEC",
                     "interp": "/lib64/ld-linux-x86-64.so.2", "needed": ["libtransport.so.1"]})");
  EXPECT_EQ(AsHolds(PreloadDependencyMissing(machine.Gather())), nullptr);
}

TEST(PreloadDependencyMissingTest, AMissingEntryIsAnotherFault) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so").FoundNoGpu();
  EXPECT_EQ(AsHolds(PreloadDependencyMissing(machine.Gather())), nullptr);
}

TEST(PreloadDependencyMissingTest, WhatRunsFoundWhatItNeeds) {
  EXPECT_EQ(Because(PreloadDependencyMissing(HostBuilder().Gather())),
            "process 57290 runs with 5 preloaded files in memory: each finds every library that "
            "it needs");
}

TEST(PreloadDependencyMissingTest, NoProcessAndNoLine) {
  HostBuilder machine;
  machine.Stopped();
  EXPECT_EQ(Lacks(PreloadDependencyMissing(machine.Gather())),
            "whether /usr/lib64/libvgpu-exec.so finds every library that it needs");
}

}  // namespace
}  // namespace vgpu::rules
