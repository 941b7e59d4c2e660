#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCudart[] = "/usr/lib64/libvgpu-cudart.so";
constexpr char kRefused[] =
    "load_backend: failed to load /usr/local/lib/ollama/cuda_v13/libggml-cuda.so: "
    "/usr/local/lib/ollama/cuda_v13/libggml-cuda.so: undefined symbol: cudaMalloc, version "
    "libcudart.so.13";

HostBuilder Refused() {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCpuLine, kRefused});
  return machine;
}

TEST(ShimVersionNodeMissingTest, TheShimHasTheNodeOfAnotherRelease) {
  const Judgement judgement = ShimVersionNodeMissing(Refused().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->headline,
                                "libvgpu-cudart.so does not define the version "
                                "libcudart.so.13"));
  EXPECT_EQ(holds->explains[1], "VG505");
  EXPECT_EQ(AsHolds(ShimSymbolUnresolved(Refused().Gather())), nullptr) << "one fault, one code";
}

TEST(ShimVersionNodeMissingTest, AShimWithoutAnyNodeBinds) {
  HostBuilder machine = Refused();
  machine.SetElf(kCudart, R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
                              "soname": "libcudart.so.12", "version_defs": null})");
  EXPECT_EQ(AsHolds(ShimVersionNodeMissing(machine.Gather())), nullptr);
}

TEST(ShimVersionNodeMissingTest, WhatRunsDefinesWhatIsAsked) {
  EXPECT_TRUE(absl::StrContains(Because(ShimVersionNodeMissing(HostBuilder().Gather())),
                                "defines every version that is asked of it"));
}

TEST(ShimVersionNodeMissingTest, TheFilesAloneTellWhatTheBackendIsRefused) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu();
  machine.SetElf(kCudart, R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
      "interp": null, "soname": "libcudart.so.12", "needed": ["libc.so.6"], "rpath": null,
      "runpath": null, "version_defs": ["libcudart.so.13"], "version_needs": [],
      "undefined": [], "exports_complete": true,
      "exports": [{"name": "cudaMalloc", "version": "libcudart.so.13"}]})");
  const Judgement judgement = ShimVersionNodeMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kCudart);
}

}  // namespace
}  // namespace vgpu::rules
