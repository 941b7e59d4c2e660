#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kLine[] =
    "/usr/local/bin/ollama: symbol lookup error: /usr/lib64/libvgpu-nvml.so: undefined symbol: "
    "libvgpu_set_skip_interception";

TEST(ShimSymbolUnresolvedTest, EveryStartEndsOnTheSymbolOfAShim) {
  HostBuilder machine;
  machine.CrashLooping().SetShown("Result", "exit-code");
  std::string journal;
  for (int i = 0; i < 3; ++i) {
    const std::string invocation = absl::StrCat("cafe", i);
    const absl::Time time = At("2026-02-24 10:06:00") + i * absl::Seconds(4);
    absl::StrAppend(
        &journal, Said(5000 + i, invocation, time, kLine),
        SystemdSaid(invocation, time,
                    "ollama.service: Main process exited, code=exited, status=127/n/a"));
  }
  machine.SetJournal(journal);
  const Judgement judgement = ShimSymbolUnresolved(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, kLine);
  EXPECT_NE(FindQuote(*holds, "status=127"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "needs libvgpu_set_skip_interception"));
  EXPECT_EQ(holds->explains[1], "VG307");
}

TEST(ShimSymbolUnresolvedTest, TheBackendAsksForWhatTheShimShouldGive) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCpuLine,
                  "load_backend: failed to load /usr/local/lib/ollama/cuda_v12/libggml-cuda.so: "
                  "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so: undefined symbol: "
                  "cudaStreamGetCaptureInfo, version libcudart.so.12"});
  const Judgement judgement = ShimSymbolUnresolved(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->headline, "/usr/lib64/libvgpu-cudart.so does not define"));
  EXPECT_EQ(holds->explains[1], "VG505");
}

TEST(ShimSymbolUnresolvedTest, ASymbolOfCublasIsNoShimsFault) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCpuLine,
                  "OSError: /usr/local/lib/ollama/libggml-cuda.so: undefined symbol: "
                  "cublasGetStatusString, version libcublas.so.12"});
  EXPECT_EQ(AsHolds(ShimSymbolUnresolved(machine.Gather())), nullptr);
}

TEST(ShimSymbolUnresolvedTest, WhatRunsFoundItsSymbols) {
  EXPECT_TRUE(absl::StrContains(Because(ShimSymbolUnresolved(HostBuilder().Gather())),
                                "runs with 5 preloaded files in memory"));
}

TEST(ShimSymbolUnresolvedTest, TheListCannotBeRead) {
  HostBuilder machine;
  machine.Hide("/proc/57290/environ").RemoveTool(kShow).RemoveFile("/etc/systemd");
  EXPECT_EQ(Lacks(ShimSymbolUnresolved(machine.Gather())), "the preload list of the process");
}

TEST(ShimSymbolUnresolvedTest, TheFilesAloneTellThatTheShimLacksAFunction) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu();
  machine.SetElf("/usr/lib64/libvgpu-cudart.so",
                 R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
      "interp": null, "soname": "libcudart.so.12", "needed": ["libc.so.6"], "rpath": null,
      "runpath": null, "version_defs": ["libcudart.so.12"], "version_needs": [],
      "undefined": [], "exports_complete": true,
      "exports": [{"name": "cudaFree", "version": "libcudart.so.12"}]})");
  const Judgement judgement = ShimSymbolUnresolved(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->headline, "libvgpu-cudart.so does not define cudaMalloc"));
}

}  // namespace
}  // namespace vgpu::rules
