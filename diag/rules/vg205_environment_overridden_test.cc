#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kLater[] = "/etc/systemd/system/ollama.service.d/zz-later.conf";

HostBuilder Without(absl::string_view later) {
  HostBuilder machine;
  machine.SetFile(kLater, later).RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  machine.SetShown("Environment", "PATH=/usr/bin");
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  return machine;
}

bool ExplainsHiddenDevices(const Holds& holds) {
  return std::find(holds.explains.begin(), holds.explains.end(), "VG507") != holds.explains.end();
}

TEST(EnvironmentOverriddenTest, ALaterDropInReplacesTheList) {
  const Judgement judgement = EnvironmentOverridden(
      Without("[Service]\nEnvironment=LD_PRELOAD=/usr/lib/libjemalloc.so\n").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kDropIn);
  EXPECT_EQ(holds->evidence[1].source, kLater);
  EXPECT_EQ(holds->evidence[1].line, 2);
  EXPECT_EQ(holds->evidence[1].quote, "LD_PRELOAD=/usr/lib/libjemalloc.so");
}

TEST(EnvironmentOverriddenTest, ABareEnvironmentTakesAllBack) {
  const Judgement judgement = EnvironmentOverridden(Without("[Service]\nEnvironment=\n").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[1].quote, "Environment=");
}

TEST(EnvironmentOverriddenTest, DevicesThatTheSameFileHidesAreAFaultBeside) {
  const Judgement list = EnvironmentOverridden(
      Without("[Service]\nEnvironment=LD_PRELOAD= CUDA_VISIBLE_DEVICES=-1\n").Gather());
  ASSERT_NE(AsHolds(list), nullptr);
  EXPECT_FALSE(ExplainsHiddenDevices(*AsHolds(list)));

  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=0\n");
  machine.SetFile(kLater, "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=-1\n").FoundNoGpu();
  machine.SetEnviron("CUDA_VISIBLE_DEVICES", "-1").RemoveEnviron("LD_PRELOAD");
  machine.SetShown("Environment", "CUDA_VISIBLE_DEVICES=-1");
  const Judgement devices = EnvironmentOverridden(machine.Gather());
  ASSERT_NE(AsHolds(devices), nullptr);
  EXPECT_TRUE(ExplainsHiddenDevices(*AsHolds(devices)));
}

TEST(EnvironmentOverriddenTest, UnsetEnvironment) {
  const Judgement judgement =
      EnvironmentOverridden(Without("[Service]\nUnsetEnvironment=LD_PRELOAD A\n").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[1].quote, "UnsetEnvironment=LD_PRELOAD");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "UnsetEnvironment=A"));
}

TEST(EnvironmentOverriddenTest, AnEnvironmentFileWins) {
  HostBuilder machine = Without("[Service]\nEnvironmentFile=/etc/default/ollama\n");
  machine.SetFile("/etc/default/ollama", "# x\nLD_PRELOAD=\n");
  const Judgement judgement = EnvironmentOverridden(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[1].source, "/etc/default/ollama");
  EXPECT_EQ(holds->evidence[1].line, 2);
  EXPECT_EQ(holds->fix[0].command, "sudoedit /etc/default/ollama");
}

TEST(EnvironmentOverriddenTest, TheRepairBringsBackAllThatTheTextTakesAway) {
  HostBuilder machine = Without("");
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload,
                                        "\"\nEnvironment=LD_LIBRARY_PATH=/usr/lib/vgpu\n"));
  for (const char* text :
       {"[Service]\nEnvironment=\n", "[Service]\nEnvironment=LD_PRELOAD= LD_LIBRARY_PATH=\n"}) {
    machine.SetFile(kLater, text);
    const Judgement judgement = EnvironmentOverridden(machine.Gather());
    ASSERT_NE(AsHolds(judgement), nullptr) << text;
    const std::string& command = AsHolds(judgement)->fix[0].command;
    EXPECT_TRUE(absl::StrContains(command, absl::StrCat("LD_PRELOAD=", kPreload))) << command;
    EXPECT_TRUE(absl::StrContains(command, "LD_LIBRARY_PATH=/usr/lib/vgpu")) << command;
  }
  machine.SetFile(kLater, "[Service]\nUnsetEnvironment=LD_PRELOAD LD_LIBRARY_PATH OTHER\n");
  const Judgement judgement = EnvironmentOverridden(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  const std::string& command = AsHolds(judgement)->fix[0].command;
  EXPECT_TRUE(absl::StrContains(command, "UnsetEnvironment=OTHER")) << command;
  EXPECT_FALSE(absl::StrContains(command, "UnsetEnvironment=LD_")) << command;
}

TEST(EnvironmentOverriddenTest, APathToTheShimsThatIsEmptied) {
  HostBuilder machine = Without("");
  machine.SetFile(kDropIn, "[Service]\nEnvironment=LD_LIBRARY_PATH=/usr/lib/vgpu\n");
  machine.SetFile(kLater, "[Service]\nEnvironment=LD_LIBRARY_PATH=\n");
  EXPECT_NE(AsHolds(EnvironmentOverridden(machine.Gather())), nullptr);
  machine.SetFile(kLater, "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/vgpu\n");
  EXPECT_EQ(AsHolds(EnvironmentOverridden(machine.Gather())), nullptr);
}

TEST(EnvironmentOverriddenTest, AnotherListWithTheSameShimsIsNoLoss) {
  HostBuilder machine;
  machine.SetFile(
      kLater, "[Service]\nEnvironment=LD_PRELOAD=/opt/libvgpu-cuda.so:/opt/libvgpu-cudart.so\n");
  EXPECT_FALSE(Because(EnvironmentOverridden(machine.Gather())).empty());
}

TEST(EnvironmentOverriddenTest, TakingAwayWhatHidesADeviceIsNoLoss) {
  HostBuilder machine;
  machine.SetFile("/etc/systemd/system/ollama.service.d/a.conf",
                  "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=-1\n");
  machine.SetFile(kLater, "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=0\n");
  EXPECT_FALSE(Because(EnvironmentOverridden(machine.Gather())).empty());
}

TEST(EnvironmentOverriddenTest, ANextStartThatWillLackIt) {
  HostBuilder machine;  // the process still has its list
  machine.SetFile(kLater, "[Service]\nEnvironment=\"LD_PRELOAD=\"\n");
  const Judgement judgement = EnvironmentOverridden(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(EnvironmentOverriddenTest, TheFilesWereNotSeen) {
  HostBuilder machine;
  machine.Hide("/etc/systemd/system");
  EXPECT_EQ(Lacks(EnvironmentOverridden(machine.Gather())), "the files of ollama.service");
}

}  // namespace
}  // namespace vgpu::rules
