#include <algorithm>

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kOtherElf[] = R"({"error": null, "class": 64, "type": "EXEC",
    "interp": "/lib64/ld-linux-x86-64.so.2", "go_build": {"go": "go1.24.1",
    "module": "github.com/ollama/ollama", "version": "v0.13.5"}})";

// A package's installation beside the one that the service runs.
HostBuilder& AddPackage(HostBuilder& machine) {
  machine.SetFile("/usr/bin/ollama", "").SetElf("/usr/bin/ollama", kOtherElf);
  return machine.SetFile("/usr/lib/ollama/cuda_v12/libggml-cuda.so", "");
}

bool Explains(const Holds& holds, const std::string& code) {
  return std::find(holds.explains.begin(), holds.explains.end(), code) != holds.explains.end();
}

TEST(MixedInstallsTest, TheServiceRunsTheOneWithoutCuda) {
  HostBuilder machine;
  AddPackage(machine).RemoveFile("/usr/local/lib/ollama/cuda_v12").FoundNoGpu();
  const Judgement judgement = MixedInstalls(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(Explains(*holds, "VG502"));
  EXPECT_NE(FindQuote(*holds, "0.13.5"), nullptr);
}

TEST(MixedInstallsTest, TwoThatAreNotMixedAreNone) {
  HostBuilder machine;
  EXPECT_TRUE(absl::StrContains(Because(MixedInstalls(AddPackage(machine).Gather())),
                                "/usr/bin/ollama is there too"));
}

TEST(MixedInstallsTest, AProgramOfEraCBesideOlderLibraries) {
  HostBuilder machine;
  machine.EraC().RemoveFile("/usr/local/lib/ollama/llama-server");
  machine.SetLog(
      {kServerConfigLine,
       R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1718 msg="Listening on 127.0.0.1:11434 (version 0.30.0)")log",
       kBeganLine, kCpuLine});
  const Judgement judgement = MixedInstalls(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "before v0.30"));
}

TEST(MixedInstallsTest, LibrariesOfEraCBesideAnOlderProgram) {
  HostBuilder machine;
  machine.SetFile("/usr/local/lib/ollama/llama-server", "").FoundNoGpu();
  const Judgement judgement = MixedInstalls(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->evidence[1].source, "/usr/local/lib/ollama/llama-server");
}

TEST(MixedInstallsTest, WhatAnOldReleaseLeftBehindIsOnlyPossible) {
  HostBuilder machine;
  machine.SetFile("/usr/local/lib/ollama/cuda_v11/libggml-cuda.so", "");
  EXPECT_FALSE(Because(MixedInstalls(machine.Gather())).empty());  // it found its GPU
  const Judgement judgement = MixedInstalls(machine.FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(MixedInstallsTest, TwoBuildsOfTheBaseLibrary) {
  HostBuilder machine;
  machine.SetElf("/usr/local/lib/ollama/libggml-base.so", R"({"build_id": "aa"})");
  machine.SetFile("/usr/local/lib/ollama/cuda_v12/libggml-base.so", "longer");
  machine.SetElf("/usr/local/lib/ollama/cuda_v12/libggml-base.so", R"({"build_id": "bb"})");
  const Judgement judgement = MixedInstalls(machine.FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(MixedInstallsTest, LinksOfOneLibraryAreOneBuild) {
  HostBuilder machine;
  machine.SetLink("/usr/local/lib/ollama/libggml-base.so.0", "libggml-base.so");
  machine.SetLink("/usr/local/lib/ollama/cuda_v12/libggml-base.so", "../libggml-base.so");
  EXPECT_EQ(Because(MixedInstalls(machine.FoundNoGpu().Gather())),
            "one installation was seen, in /usr/local/lib/ollama");
}

TEST(MixedInstallsTest, ALibraryThatIsALinkIntoTheOther) {
  HostBuilder machine;
  AddPackage(machine).FoundNoGpu();
  machine.SetLink("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so",
                  "/usr/lib/ollama/cuda_v12/libggml-cuda.so");
  const Judgement judgement = MixedInstalls(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(MixedInstallsTest, AWrapperIsNoInstallation) {
  HostBuilder machine;
  machine.SetFile("/usr/bin/ollama", "#!/bin/sh\nexec /usr/local/bin/ollama \"$@\"\n");
  EXPECT_EQ(Because(MixedInstalls(machine.Gather())),
            "one installation was seen, in /usr/local/lib/ollama");
}

TEST(MixedInstallsTest, TheLibraryDirectoryCannotBeListed) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(MixedInstalls(machine.Hide("/usr/local/lib/ollama").Gather())),
            "which installation the program belongs to");
}

TEST(MixedInstallsTest, TheServiceCanRunTheOneThatIsWhole) {
  HostBuilder machine;
  AddPackage(machine).RemoveFile("/usr/local/lib/ollama/cuda_v12").FoundNoGpu();
  const Judgement judgement = MixedInstalls(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  ASSERT_EQ(holds->fix.size(), 4u);  // look, drop-in, reload, restart
  EXPECT_TRUE(
      absl::StrContains(holds->fix[1].command, "ExecStart=\\nExecStart=/usr/bin/ollama serve"));
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "sudo mv")) << step.command;
    EXPECT_FALSE(absl::StrContains(step.command, "curl")) << step.command;
  }
}

}  // namespace
}  // namespace vgpu::rules
