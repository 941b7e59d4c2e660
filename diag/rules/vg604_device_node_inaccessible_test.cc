#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(DeviceNodeInaccessibleTest, ClosedToTheServicesUser) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetMode("/dev/nvidiactl", 0660, 0, 44);
  const Judgement judgement = DeviceNodeInaccessible(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/dev/nvidiactl");
  EXPECT_EQ(holds->evidence[0].quote, "mode 0660");
  EXPECT_EQ(holds->fix[0].command, "sudo chmod a+rw /dev/nvidiactl");
  EXPECT_TRUE(holds->independent);  // whatever a sandbox hides besides
}

TEST(DeviceNodeInaccessibleTest, OpenToAGroupOfTheService) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetMode("/dev/nvidiactl", 0660, 0, 44);
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nPid:\t57290\nUid:\t997\t997\t997\t997\n"
                  "Gid:\t997\t997\t997\t997\nGroups:\t44 997\n");
  EXPECT_EQ(Because(DeviceNodeInaccessible(machine.Gather())),
            "3 of 3 nodes are there and open to the service");
}

TEST(DeviceNodeInaccessibleTest, MissingWhereDiscoveryWantedIt) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/dev/nvidia-uvm");
  const Judgement judgement = DeviceNodeInaccessible(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].source, "/dev/nvidia-uvm");
  EXPECT_FALSE(holds->independent);
  EXPECT_EQ(holds->fix[0].command, "sudo nvidia-modprobe -u -c 0");
}

TEST(DeviceNodeInaccessibleTest, MissingBeforeAnyoneWantedIt) {
  HostBuilder machine;
  machine.NvidiasOwn().Stopped().RemoveFile("/dev/nvidia-uvm");
  EXPECT_EQ(Lacks(DeviceNodeInaccessible(machine.Gather())), "/dev/nvidia-uvm");
}

TEST(DeviceNodeInaccessibleTest, NodesThatWereNotCaptured) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/dev");
  EXPECT_EQ(Lacks(DeviceNodeInaccessible(machine.Gather())), "/dev/nvidia0");
}

TEST(DeviceNodeInaccessibleTest, AVirtualDeviceNeedsNone) {
  EXPECT_NE(Because(DeviceNodeInaccessible(HostBuilder().FoundNoGpu().Gather())), "");
}

TEST(DeviceNodeInaccessibleTest, ABarThatARuleOfUdevShouldHaveOpened) {
  constexpr char kBar[] = "/sys/bus/pci/devices/0000:00:05.0/resource0";
  HostBuilder machine;
  machine.SetFile(kBar, "").SetMode(kBar, 0600);
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nPid:\t57290\nUid:\t997\t997\t997\t997\n"
                  "Gid:\t997\t997\t997\t997\nGroups:\t997\n");
  EXPECT_EQ(AsHolds(DeviceNodeInaccessible(machine.Gather())), nullptr);
  machine.SetFile("/etc/udev/rules.d/99-vgpu.rules",
                  "# the BAR\nACTION==\"add\", RUN+=\"/bin/chmod 0666 /sys%p/resource0\"\n");
  const Judgement judgement = DeviceNodeInaccessible(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
}

TEST(DeviceNodeInaccessibleTest, EveryClosedNodeIsOpened) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetMode("/dev/nvidia0", 0660, 0, 44).SetMode("/dev/nvidiactl", 0640, 0, 44);
  machine.SetMode("/dev/nvidia-uvm", 0666);
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nPid:\t57290\nUid:\t997\t997\t997\t997\n"
                  "Gid:\t997\t997\t997\t997\nGroups:\t997\n");
  const Judgement judgement = DeviceNodeInaccessible(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->fix[0].command, "sudo chmod a+rw /dev/nvidia0 /dev/nvidiactl");
  EXPECT_EQ(holds->fix[0].undo, "sudo chmod 0660 /dev/nvidia0 && sudo chmod 0640 /dev/nvidiactl");
}

}  // namespace
}  // namespace vgpu::rules
