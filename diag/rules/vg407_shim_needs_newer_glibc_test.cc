#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// Each start says that `needs` needs `version`, and ends.
HostBuilder Dying(absl::string_view version, absl::string_view needs) {
  HostBuilder machine;
  machine.CrashLooping().SetShown("Result", "exit-code");
  std::string journal;
  for (int i = 0; i < 3; ++i) {
    const std::string invocation = absl::StrCat("cafe", i);
    const absl::Time time = At("2026-02-24 10:06:00") + i * absl::Seconds(4);
    absl::StrAppend(
        &journal,
        Said(5000 + i, invocation, time,
             absl::StrCat("/usr/local/bin/ollama: /lib/x86_64-linux-gnu/libc.so.6: version `",
                          version, "' not found (required by ", needs, ")")),
        SystemdSaid(invocation, time,
                    "ollama.service: Main process exited, code=exited, status=1/FAILURE"));
  }
  return machine.SetJournal(journal);
}

TEST(ShimNeedsNewerGlibcTest, TheLineNamesTheShimAndTheVersion) {
  const Judgement judgement =
      ShimNeedsNewerGlibc(Dying("GLIBC_2.38", "/usr/lib64/libvgpu-cuda.so").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].quote, "GLIBC_2.38"));
  EXPECT_NE(FindQuote(*holds, "status=1/FAILURE"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "needs GLIBC_2.38, which /lib/x86_64-linux-gnu"));
  EXPECT_EQ(holds->explains[1], "VG307");
}

TEST(ShimNeedsNewerGlibcTest, TheProgramsOwnNeedIsNoShimsFault) {
  EXPECT_EQ(AsHolds(ShimNeedsNewerGlibc(Dying("GLIBC_2.38", "/usr/local/bin/ollama").Gather())),
            nullptr);
}

TEST(ShimNeedsNewerGlibcTest, AVersionOfCudaIsAnotherFault) {
  EXPECT_EQ(
      AsHolds(ShimNeedsNewerGlibc(Dying("libcudart.so.12", "/usr/lib64/libvgpu-cuda.so").Gather())),
      nullptr);
}

TEST(ShimNeedsNewerGlibcTest, WhatRunsFoundItsVersions) {
  EXPECT_TRUE(absl::StrContains(Because(ShimNeedsNewerGlibc(HostBuilder().Gather())),
                                "needs no newer C library"));
}

}  // namespace
}  // namespace vgpu::rules
