#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// CUDA says TEXT, and discovery ends with the CPU.
HostBuilder Card(absl::string_view text) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  absl::StrCat("ggml_cuda_init: failed to initialize CUDA: ", text), kCpuLine});
  return machine;
}

TEST(CudaInitErrorTest, ACodeAndItsMeaning) {
  const Judgement judgement = CudaInitError(Card("no CUDA-capable device is detected").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "CUDA's error 100"));
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "shows no device"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "nvidia-modprobe"));
}

TEST(CudaInitErrorTest, TheGpuIsLostWhileTheServerRuns) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine,
                  "ggml_cuda_init: failed to initialize CUDA: operation not permitted"});
  const facts::Facts facts = machine.Gather();
  EXPECT_FALSE(facts.FoundGpu().value_or(true));
  const Judgement judgement = CudaInitError(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "lost again"));
}

TEST(CudaInitErrorTest, TheVariantForANewerCudaFailsOnASoundHost) {
  HostBuilder machine;  // cuda_v13 says 35, cuda_v12 finds the device
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient "
                  "for CUDA runtime version",
                  kGpuLine});
  EXPECT_TRUE(absl::StrContains(Because(CudaInitError(machine.Gather())), "found the GPU"));
}

TEST(CudaInitErrorTest, ALogWithoutTheChildsWords) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(CudaInitError(machine.FoundNoGpu().Gather())),
            "an error of CUDA at its initialisation");
}

TEST(CudaInitErrorTest, EraAWouldHaveSaidIt) {
  HostBuilder machine;
  machine.EraA().SetLog(
      {kServerConfigLine,
       R"log(time=2026-02-24T10:06:00.361-05:00 level=INFO source=gpu.go:217 msg="looking for compatible GPUs")log",
       kCpuLine});
  const Judgement judgement = CudaInitError(machine.Gather());
  EXPECT_EQ(Because(judgement), "the log of this process has no error of CUDA, and would have it")
      << Lacks(judgement);
}

TEST(CudaInitErrorTest, TheShimsRejectTheirConfiguration) {
  HostBuilder machine;
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"h900\"\n").FoundNoGpu();
  // Era B does not write the code: what the file says is all that is known.
  const Judgement judgement = CudaInitError(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/etc/vgpu/devices.toml");
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].quote, "line 2")) << holds->evidence[0].quote;
  EXPECT_EQ(holds->fix[0].command, "sudoedit /etc/vgpu/devices.toml");

  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "ggml_cuda_init: failed to initialize CUDA: system not yet initialized",
                  kCpuLine});
  const Judgement told = CudaInitError(machine.Gather());
  ASSERT_NE(AsHolds(told), nullptr);
  EXPECT_EQ(AsHolds(told)->confidence, Confidence::kCertain);
  EXPECT_FALSE(absl::StrContains(AsHolds(told)->headline, "fabric"));
}

TEST(CudaInitErrorTest, AConfigurationThatWasNotReadIsNotRejected) {
  HostBuilder machine;
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\n").Hide("/etc/vgpu/devices.toml");
  EXPECT_EQ(AsHolds(CudaInitError(machine.FoundNoGpu().Gather())), nullptr);
}

TEST(CudaInitErrorTest, AnAbortInTheSecondPassKillsTheChild) {
  HostBuilder machine;
  machine.SetLog(
      {kServerConfigLine, kListeningLine, kBeganLine, "CUDA error: invalid argument", kCpuLine});
  const Judgement judgement = CudaInitError(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->explains.back(), "VG702");
}

}  // namespace
}  // namespace vgpu::rules
