#include <algorithm>

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// Only the driver is shimmed, and no shim of the runtime is installed.
HostBuilder DriverOnly() {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu();
  machine.RemoveFile("/usr/lib64/libvgpu-cudart.so");
  machine.SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so");
  return machine;
}

TEST(ShimAndDriverMixedTest, NvidiasRuntimeOverTheShimOfTheDriver) {
  const Judgement judgement = ShimAndDriverMixed(DriverOnly().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(holds->evidence[1].quote, "/usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90");
  EXPECT_EQ(holds->explains[0], "VG707");
}

TEST(ShimAndDriverMixedTest, AShimThatIsInstalledAndNotUsedIsAnotherFault) {
  HostBuilder machine = DriverOnly();
  machine.SetFile("/opt/vgpu/lib/libvgpu-cudart.so", "x");
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(machine.Gather())), nullptr);
}

TEST(ShimAndDriverMixedTest, EraAAsksTheDriverAlone) {
  HostBuilder machine = DriverOnly();
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(machine.EraA().Gather())), nullptr);
}

TEST(ShimAndDriverMixedTest, AllOfOneMaker) {
  HostBuilder machine;
  machine.WithLibraries();
  EXPECT_TRUE(absl::StrContains(Because(ShimAndDriverMixed(machine.Gather())), "are shims"));
}

TEST(ShimAndDriverMixedTest, LibrariesThatWereNotCapturedTellNothing) {
  EXPECT_EQ(Lacks(ShimAndDriverMixed(HostBuilder().Gather())), "whose libraries discovery loads");
}

// cuBLAS, or a runner's program, has it inside: no file shows it.
TEST(ShimAndDriverMixedTest, WhatTheShimSaysIsEnough) {
  HostBuilder machine;
  machine.WithLibraries();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  R"(level=error lib=libvgpu-cuda msg="NVIDIA's own CUDA runtime is loaded" )"
                  R"(func=cuGetExportTable reason="it accepts NVIDIA's driver alone" pid=4711)",
                  kCpuLine});
  const Judgement judgement = ShimAndDriverMixed(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*holds, "cuGetExportTable"), nullptr);
}

// Era A found no libcuda where it looks, and asked the libcudart beside its backends.
constexpr char kLookingLine[] =
    R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=gpu.go:217 msg="looking for compatible GPUs")log";
constexpr char kRuntimeLine[] =
    R"log(time=2026-02-24T10:06:00.361-05:00 level=INFO source=gpu.go:612 msg="Unable to load cudart library /usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90: cudart init failure: 500")log";

TEST(ShimAndDriverMixedTest, EraAAsksNvidiasRuntimeWhereItFindsNoDriverByAPath) {
  HostBuilder machine;
  machine.EraA().SetLog({kServerConfigLine, kLookingLine, kRuntimeLine, kCpuLine});
  const Judgement judgement = ShimAndDriverMixed(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG707"),
            holds->explains.end());
  bool named = false;
  for (const FixStep& step : holds->fix) {
    named = named || absl::StrContains(step.command, "LD_LIBRARY_PATH=/usr/lib64");
  }
  EXPECT_TRUE(named);
}

// At INFO era A's log says nothing of it.
HostBuilder SilentEraA() {
  HostBuilder machine;
  machine.WithLibraries().EraA().SetLog({kServerConfigLine, kLookingLine, kCpuLine});
  return machine;
}

// As of a host on which what is not seen is not there.
facts::Facts Whole(const HostBuilder& machine) {
  facts::Facts facts = machine.Gather();
  facts.complete = true;
  return facts;
}

TEST(ShimAndDriverMixedTest, EraAFindsNoDriverByAPathAndSaysNothing) {
  const HostBuilder machine = SilentEraA();
  const Judgement judgement = ShimAndDriverMixed(Whole(machine));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "(no libcuda.so*)"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "name /usr/lib64 in LD_LIBRARY_PATH"));
  // What a capture lacks may have been there.
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(machine.Gather())), nullptr);
}

TEST(ShimAndDriverMixedTest, EraAFindsTheDriverByAPath) {
  HostBuilder machine = SilentEraA();
  machine.SetLink("/usr/lib64/libcuda.so.1", "libvgpu-cuda.so");
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(Whole(machine))), nullptr);
}

TEST(ShimAndDriverMixedTest, AShimThatIsNotInMemoryIsAnotherFault) {
  HostBuilder machine = SilentEraA();
  machine.SetMaps(
      {{"/usr/local/bin/ollama", 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(Whole(machine))), nullptr);
}

TEST(ShimAndDriverMixedTest, ThatErrorWithoutAShimIsNoMixture) {
  HostBuilder machine;
  machine.EraA().SetLog({kServerConfigLine, kLookingLine, kRuntimeLine, kCpuLine});
  machine.RemoveEnviron("LD_PRELOAD");
  EXPECT_EQ(AsHolds(ShimAndDriverMixed(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules
