#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";
constexpr char kAssertLine[] =
    R"log(ggml-cuda.cu:335: GGML_ASSERT(ggml_cuda_has_arch(info.devices[id].cc) && "ggml was not compiled with support for this arch") failed)log";

// The device is of compute capability 9.0, the default.
HostBuilder Compiled(absl::string_view archs) {
  HostBuilder machine;
  machine.SetElf(kBackend, absl::StrCat(R"({"cuda_archs": [)", archs, "]}"));
  return machine.FoundNoGpu();
}

TEST(BackendArchMissingTest, TheDeviceIsNotAmongThem) {
  const Judgement judgement =
      BackendArchMissing(Compiled(R"("sm_75", "sm_80", "sm_86", "compute_80")").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].source, kBackend);
  EXPECT_EQ(holds->evidence[0].quote, "sm_75 sm_80 sm_86 compute_80");
  EXPECT_NE(FindQuote(*holds, "9.0"), nullptr);
}

TEST(BackendArchMissingTest, ItIsAmongThem) {
  EXPECT_TRUE(
      absl::StrContains(Because(BackendArchMissing(Compiled(R"("sm_80", "sm_90a")").Gather())),
                        "carries code for 9.0"));
}

TEST(BackendArchMissingTest, EraAAsksTheDriverAndOlderCodeRuns) {
  HostBuilder machine;
  machine.EraA().SetElf(kBackend, R"({"cuda_archs": ["sm_80", "compute_80"]})");
  EXPECT_TRUE(absl::StrContains(Because(BackendArchMissing(machine.Gather())), "carries code"));
}

TEST(BackendArchMissingTest, InEraAItIsTheModelThatFails) {
  HostBuilder machine;
  machine.EraA().SetElf(kBackend, R"({"cuda_archs": ["sm_80", "sm_86"]})");
  const Judgement judgement = BackendArchMissing(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
  EXPECT_EQ(AsHolds(judgement)->explains[0], "VG902");
}

TEST(BackendArchMissingTest, TheLogSaysSo) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kAssertLine, kCpuLine});
  const Judgement judgement = BackendArchMissing(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "ggml_cuda_has_arch"), nullptr);
}

TEST(BackendArchMissingTest, AnotherVariantHasIt) {
  HostBuilder machine = Compiled(R"("sm_75")");
  machine.SetFile("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", "");
  machine.SetElf("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", R"({"cuda_archs": ["sm_90"]})");
  EXPECT_FALSE(Because(BackendArchMissing(machine.Gather())).empty());
}

TEST(BackendArchMissingTest, WhatItWasCompiledForIsNotKnown) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(BackendArchMissing(machine.FoundNoGpu().Gather())),
            "the architectures that the CUDA backend was compiled for");
}

TEST(BackendArchMissingTest, DiscoveryKeptTheDevice) {
  EXPECT_FALSE(Because(BackendArchMissing(HostBuilder().Gather())).empty());
}

}  // namespace
}  // namespace vgpu::rules
