#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Verifying(absl::string_view compute) {
  return absl::StrCat(
      "time=2026-02-24T10:06:00.500-05:00 level=DEBUG source=runner.go:146 msg=\"verifying if "
      "device is supported\" library=/usr/local/lib/ollama/cuda_v12 description=\"NVIDIA H100 80GB "
      "HBM3\" compute=",
      compute, " id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b pci_id=0000:00:05.0");
}

HostBuilder Reports(absl::string_view compute) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kFirstPassLine, Verifying(compute),
                  kFilteredLine, kCpuLine});
  return machine;
}

TEST(ComputeCapabilityImplausibleTest, ThereIsNoSuchCapability) {
  for (const char* compute : {"0.0", "512.1", "-1.0"}) {
    const Judgement judgement = ComputeImplausible(Reports(compute).Gather());
    const Holds* holds = AsHolds(judgement);
    ASSERT_NE(holds, nullptr) << compute;
    EXPECT_EQ(holds->confidence, Confidence::kLikely);
    EXPECT_EQ(holds->acts, Acts::kNow);
    EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG511", "VG703", "VG704", "VG708"}));
  }
}

TEST(ComputeCapabilityImplausibleTest, NotTheConfiguredOne) {
  HostBuilder machine = Reports("8.0");
  const Judgement judgement = ComputeImplausible(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG511"});
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"a100-80gb\"\n");
  EXPECT_EQ(Because(ComputeImplausible(machine.Gather())), "compute=8.0 is what it should be");
}

TEST(ComputeCapabilityImplausibleTest, ACardMayHaveAnyThatThereIs) {
  EXPECT_EQ(Because(ComputeImplausible(HostBuilder().NvidiasOwn().Gather())),
            "compute=8.9 is what it should be");
}

TEST(ComputeCapabilityImplausibleTest, GgmlsOwnLineCounts) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "ggml_cuda_init: found 1 CUDA devices:",
                  "  Device 0: NVIDIA H100 80GB HBM3, compute capability 0.0, VMM: yes, ID: "
                  "GPU-d110a105-ac29-1d54-7b49-9c90440f215b",
                  kCpuLine});
  EXPECT_NE(AsHolds(ComputeImplausible(machine.Gather())), nullptr);
}

TEST(ComputeCapabilityImplausibleTest, NoLineSaysIt) {
  EXPECT_NE(Lacks(ComputeImplausible(HostBuilder().FoundNoGpu().Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules
