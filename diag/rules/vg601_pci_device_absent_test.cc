#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(PciDeviceAbsentTest, TheDriverHasNoCard) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  machine.SetFile("/sys/bus/pci/devices/0000:00:01.0/vendor", "0x1af4\n");
  const Judgement judgement = PciDeviceAbsent(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "1 PCI function");
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
}

TEST(PciDeviceAbsentTest, AFunctionWhoseVendorWasNotReadMayBeTheCard) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetFile("/sys/bus/pci/devices/0000:01:00.0/vendor", "\x8c\x01=q");
  EXPECT_EQ(Lacks(PciDeviceAbsent(machine.Gather())), "the PCI functions of the host");
}

TEST(PciDeviceAbsentTest, TheSoundOfACardIsNoGpu) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetFile("/sys/bus/pci/devices/0000:01:00.0/class",
                                            "0x040300\n");
  EXPECT_NE(AsHolds(PciDeviceAbsent(machine.Gather())), nullptr);
}

TEST(PciDeviceAbsentTest, TheCardIsThere) {
  EXPECT_EQ(Because(PciDeviceAbsent(HostBuilder().NvidiasOwn().Gather())),
            "0000:01:00.0 is a GPU of NVIDIA (0x10de:0x26b9)");
}

TEST(PciDeviceAbsentTest, AVirtualDeviceNeedsNoFunction) {
  HostBuilder machine;
  machine.FoundNoGpu();
  EXPECT_EQ(Because(PciDeviceAbsent(machine.Gather())), "0000:00:05.0 has the ids 10de:2331");
  machine.RemoveFile("/sys/bus/pci/devices/0000:00:05.0");
  machine.SetFile("/sys/bus/pci/devices/0000:00:01.0/vendor", "0x1af4\n");
  EXPECT_TRUE(absl::StrContains(Because(PciDeviceAbsent(machine.Gather())),
                                "asks the shims and reads no PCI function"));
}

TEST(PciDeviceAbsentTest, TheBusWasNotCaptured) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/sys");
  EXPECT_EQ(Lacks(PciDeviceAbsent(machine.Gather())), "the PCI functions of the host");
}

TEST(PciDeviceAbsentTest, NoBusAndADriverThatMadeNoNode) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/sys").RemoveFile("/dev/nvidia0");
  const Judgement judgement = PciDeviceAbsent(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(PciDeviceAbsentTest, OtherMachines) {
  HostBuilder windows;
  windows.NvidiasOwn().FoundNoGpu().RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  windows.SetFile("/dev/dxg", "");
  EXPECT_NE(Because(PciDeviceAbsent(windows.Gather())), "");
  HostBuilder jetson;
  jetson.NvidiasOwn().FoundNoGpu().RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  jetson.SetFile("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.0\n");
  EXPECT_EQ(Because(PciDeviceAbsent(jetson.Gather())), "a Jetson's GPU is no PCI function");
}

}  // namespace
}  // namespace vgpu::rules
