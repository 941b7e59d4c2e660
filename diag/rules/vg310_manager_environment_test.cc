#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// The drop-in gives no list: where the process has one, it is the manager's.
HostBuilder WithoutList() {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\n").SetShown("Environment", "PATH=/usr/bin");
  return machine;
}

TEST(ManagerEnvironmentTest, ItHidesTheDevices) {
  HostBuilder machine;
  machine.SetManagerEnvironment("LANG=C\nCUDA_VISIBLE_DEVICES=-1\n");
  machine.SetEnviron("CUDA_VISIBLE_DEVICES", "-1").FoundNoGpu();
  const Judgement judgement = ManagerEnvironmentDecides(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(holds->is_cause);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "CUDA_VISIBLE_DEVICES=-1")->source, kShowEnvironment);
  EXPECT_EQ(holds->explains.front(), "VG507");
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl unset-environment CUDA_VISIBLE_DEVICES");
}

TEST(ManagerEnvironmentTest, ItPreloadsWhatIsGone) {
  HostBuilder machine = WithoutList();
  machine.SetManagerEnvironment(absl::StrCat("LD_PRELOAD=", kPreload, "\n"));
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so").FoundNoGpu();
  const Judgement judgement = ManagerEnvironmentDecides(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(holds->is_cause);
  EXPECT_EQ(holds->explains.front(), "VG401");
}

TEST(ManagerEnvironmentTest, ARightListIsANote) {
  HostBuilder machine = WithoutList();
  machine.SetManagerEnvironment(absl::StrCat("LD_PRELOAD=", kPreload, "\n"));
  const Judgement judgement = ManagerEnvironmentDecides(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_FALSE(holds->is_cause);
  EXPECT_TRUE(absl::StrContains(holds->headline, "after a reboot it is gone"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "Environment=\"LD_PRELOAD="));
}

TEST(ManagerEnvironmentTest, WhatTheUnitGivesIsTheUnits) {
  HostBuilder machine;
  machine.SetManagerEnvironment("LD_PRELOAD=/opt/other.so\n");
  EXPECT_NE(Because(ManagerEnvironmentDecides(machine.Gather())), "");
}

TEST(ManagerEnvironmentTest, AProxyIsNone) {
  HostBuilder machine;
  machine.SetManagerEnvironment("HTTPS_PROXY=http://proxy.example:3128\n");
  EXPECT_NE(Because(ManagerEnvironmentDecides(machine.Gather())), "");
}

TEST(ManagerEnvironmentTest, NotAskedAndNothingToExplain) {
  HostBuilder machine;
  machine.RemoveTool(kShowEnvironment);
  EXPECT_EQ(Because(ManagerEnvironmentDecides(machine.Gather())),
            "the process has nothing that its unit does not give");
  machine.SetEnviron("CUDA_VISIBLE_DEVICES", "-1");
  EXPECT_EQ(Lacks(ManagerEnvironmentDecides(machine.Gather())),
            "the service manager's own environment");
}

}  // namespace
}  // namespace vgpu::rules
