#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kDevice[] = "/sys/bus/pci/devices/0000:00:05.0";

// A random number generator of virtio stands where the GPU is configured, and no shim
// answers for sysfs.
HostBuilder TakenAddress() {
  HostBuilder machine;
  machine.FoundNoGpu();
  machine.SetFile(absl::StrCat(kDevice, "/vendor"), "0x1af4\n");
  machine.SetFile(absl::StrCat(kDevice, "/device"), "0x1005\n");
  machine.SetFile(absl::StrCat(kDevice, "/class"), "0x00ff00\n");
  machine.SetMaps({{"/usr/lib64/libvgpu-cuda.so", 303}, {"/usr/lib64/libvgpu-cudart.so", 305}});
  return machine;
}

TEST(PciIdsWrongTest, AnotherDeviceStandsThere) {
  const Judgement judgement = PciIdsWrong(TakenAddress().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->evidence[0].source, absl::StrCat(kDevice, "/vendor"));
  EXPECT_EQ(holds->evidence[0].quote, "0x1af4");
  EXPECT_EQ(holds->evidence[0].meaning, "configured is 0x10de (the default profile)");
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
}

TEST(PciIdsWrongTest, ABindThatMissedIsLikely) {
  HostBuilder machine = TakenAddress();
  machine.SetFile("/etc/systemd/system/ollama.service.d/tree.conf",
                  "[Service]\n"
                  "BindReadOnlyPaths=/var/lib/vgpu/gpu0:/sys/devices/pci0000:00/0000:00:05.0\n");
  const Judgement judgement = PciIdsWrong(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "/var/lib/vgpu/gpu0"), nullptr);
}

TEST(PciIdsWrongTest, WhatTheProcessSeesIsWhatCounts) {
  HostBuilder machine = TakenAddress();
  machine.SetFile("/var/lib/vgpu/gpu0/vendor", "0x10de\n");
  machine.SetFile("/var/lib/vgpu/gpu0/device", "0x2331\n");
  machine.SetFile("/var/lib/vgpu/gpu0/class", "0x030200\n");
  machine.SetFile("/proc/57290/mountinfo", absl::StrCat("24 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                                        "27 24 0:22 / /sys rw - sysfs sysfs rw\n"
                                                        "40 27 8:1 /var/lib/vgpu/gpu0 ",
                                                        kDevice, " ro - ext4 /dev/sda1 rw\n"));
  EXPECT_EQ(AsHolds(PciIdsWrong(machine.Gather())), nullptr);
  EXPECT_TRUE(absl::StrContains(Because(PciIdsWrong(machine.Gather())), "0000:00:05.0 has "));
}

TEST(PciIdsWrongTest, WhereAShimAnswersTheFilesSayNothing) {
  HostBuilder machine = TakenAddress();
  machine.SetMaps({{"/usr/lib64/libvgpu-syscall.so", 302}});
  EXPECT_EQ(Lacks(PciIdsWrong(machine.Gather())), "the PCI ids as the process reads them");
}

TEST(PciIdsWrongTest, DiscoveryDoesNotReadThem) {
  HostBuilder machine = TakenAddress();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  EXPECT_TRUE(absl::StrContains(Because(PciIdsWrong(machine.Gather())), "discovery found"));
}

TEST(PciIdsWrongTest, WithoutAResultOfDiscoveryNothingIsKnownToBeWrong) {
  HostBuilder machine = TakenAddress();
  machine.SetLog({kServerConfigLine});
  EXPECT_EQ(Lacks(PciIdsWrong(machine.Gather())),
            "whether the service needs the ids of 0000:00:05.0");
}

TEST(PciIdsWrongTest, AProcessWithoutShimsReadsNone) {
  HostBuilder machine = TakenAddress();
  machine.NotRestarted();
  EXPECT_EQ(Because(PciIdsWrong(machine.Gather())), "the process has no shim that would read them");
}

TEST(PciIdsWrongTest, TheConfigurationDecidesWhatIsRight) {
  HostBuilder machine = TakenAddress();
  machine.SetFile("/etc/vgpu/devices.toml",
                  "[[device]]\npci_vendor_id = 0x1af4\npci_device_id = 0x1005\n"
                  "pci_class = 0x00ff00\n");
  EXPECT_TRUE(absl::StrContains(Because(PciIdsWrong(machine.Gather())), "0000:00:05.0 has "));
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"h100\"\n");
  EXPECT_EQ(Lacks(PciIdsWrong(machine.Gather())), "the configured devices");
}

TEST(PciIdsWrongTest, ACardHasNoConfiguration) {
  EXPECT_NE(Because(PciIdsWrong(HostBuilder().NvidiasOwn().Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules
