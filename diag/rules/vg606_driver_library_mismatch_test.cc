#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kUpgraded[] = "/usr/lib/x86_64-linux-gnu/libcuda.so.575.57.08";

// The packages were upgraded, and the machine was not rebooted.
HostBuilder Upgraded() {
  HostBuilder machine;
  machine.NvidiasOwn().RemoveFile("/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06");
  machine.SetFile(kUpgraded,
                  "\x7f"
                  "ELF");
  machine.SetLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.575.57.08");
  return machine;
}

TEST(DriverLibraryMismatchTest, TheLibraryIsNewerThanTheModule) {
  const Judgement judgement = DriverLibraryMismatch(Upgraded().FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "570.124.06");
  EXPECT_EQ(holds->evidence[1].source, kUpgraded);
  EXPECT_EQ(holds->evidence[1].quote, "575.57.08");
}

TEST(DriverLibraryMismatchTest, WhatFoundItsGpuHasTheOldOnesInMemory) {
  const Judgement judgement = DriverLibraryMismatch(Upgraded().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
}

TEST(DriverLibraryMismatchTest, TheSameVersion) {
  EXPECT_EQ(Because(DriverLibraryMismatch(HostBuilder().NvidiasOwn().Gather())),
            "module and library are both 570.124.06");
}

TEST(DriverLibraryMismatchTest, ForwardCompatibilityIsMeantToDiffer) {
  HostBuilder machine;
  machine.NvidiasOwn().SetFile("/usr/local/cuda/compat/libcuda.so.575.57.08",
                               "\x7f"
                               "ELF");
  EXPECT_EQ(AsHolds(DriverLibraryMismatch(machine.Gather())), nullptr);
}

TEST(DriverLibraryMismatchTest, NoModuleAndAVirtualDevice) {
  HostBuilder machine;
  EXPECT_EQ(Because(DriverLibraryMismatch(machine.Gather())),
            "the device is virtual: it has no kernel module");
  machine.NvidiasOwn().RemoveFile("/proc/driver");
  EXPECT_EQ(Because(DriverLibraryMismatch(machine.Gather())),
            "NVIDIA's kernel module is not loaded");
  machine.Hide("/proc/driver");
  EXPECT_EQ(Lacks(DriverLibraryMismatch(machine.Gather())),
            "the version of NVIDIA's kernel module");
}

}  // namespace
}  // namespace vgpu::rules
