#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Result(absl::string_view name, absl::string_view total) {
  return absl::StrCat(
      "time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 msg=\"inference compute\" "
      "id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b library=CUDA compute=9.0 name=CUDA0 "
      "description=\"",
      name, "\" pci_id=0000:00:05.0 total=\"", total, "\"");
}

HostBuilder Shows(absl::string_view name, absl::string_view total) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, Result(name, total)});
  return machine;
}

TEST(DeviceIdentityDiffersTest, AnotherName) {
  HostBuilder machine = Shows("HEXACORE vH100 CAP", "80.0 GiB");
  const Judgement judgement = DeviceIdentityDiffers(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->evidence[0].meaning,
            "configured is the name NVIDIA H100 80GB HBM3 (the default profile)");
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nname = \"HEXACORE vH100 CAP\"\n");
  EXPECT_EQ(Because(DeviceIdentityDiffers(machine.Gather())),
            "name and memory are those of /etc/vgpu/devices.toml");
}

TEST(DeviceIdentityDiffersTest, AnotherSize) {
  const Judgement judgement =
      DeviceIdentityDiffers(Shows("NVIDIA H100 80GB HBM3", "40.0 GiB").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "memory of 81920 MiB"));
}

TEST(DeviceIdentityDiffersTest, WhatADriverKeepsForItselfIsNoDifference) {
  EXPECT_EQ(AsHolds(DeviceIdentityDiffers(Shows("NVIDIA H100 80GB HBM3", "79.1 GiB").Gather())),
            nullptr);
}

TEST(DeviceIdentityDiffersTest, AConfiguredIdThatCudaDoesNotGive) {
  HostBuilder machine = Shows("NVIDIA H100 80GB HBM3", "80.0 GiB");
  machine.SetFile("/etc/vgpu/devices.toml",
                  "[[device]]\nuuid = \"GPU-11111111-2222-3333-4444-555555555555\"\n");
  EXPECT_NE(AsHolds(DeviceIdentityDiffers(machine.Gather())), nullptr);
}

TEST(DeviceIdentityDiffersTest, OneOfSeveral) {
  HostBuilder machine = Shows("NVIDIA L40S", "44.4 GiB");
  machine.SetFile("/etc/vgpu/devices.toml",
                  "[[device]]\n[[device]]\nprofile = \"l40s\"\npci_address = \"0000:00:06.0\"\n");
  EXPECT_EQ(AsHolds(DeviceIdentityDiffers(machine.Gather())), nullptr);
}

TEST(DeviceIdentityDiffersTest, EraANamesTheCard) {
  EXPECT_EQ(AsHolds(DeviceIdentityDiffers(HostBuilder().EraA().Gather())), nullptr);
}

TEST(DeviceIdentityDiffersTest, ACardHasNoProfile) {
  EXPECT_EQ(Because(DeviceIdentityDiffers(HostBuilder().NvidiasOwn().Gather())),
            "no virtual device is configured, and no shim was seen");
}

TEST(DeviceIdentityDiffersTest, ABrokenFileIsNotTheDefault) {
  HostBuilder machine = Shows("NVIDIA L40S", "44.4 GiB");
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = l40s\n");
  EXPECT_EQ(Lacks(DeviceIdentityDiffers(machine.Gather())), "the configured devices");
}

}  // namespace
}  // namespace vgpu::rules
