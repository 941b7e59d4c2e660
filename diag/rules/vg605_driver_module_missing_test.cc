#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(DriverModuleMissingTest, NouveauHasTheCard) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/proc/driver");
  machine.SetFile("/proc/modules", "nouveau 2510848 0 - Live 0x0\n");
  machine.SetLink("/sys/bus/pci/devices/0000:01:00.0/driver",
                  "../../../../bus/pci/drivers/nouveau");
  const Judgement judgement = DriverModuleMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].quote, "(no nvidia)");
  EXPECT_EQ(holds->evidence[1].quote, "nouveau");
  EXPECT_EQ(holds->fix[0].command, "sudo modprobe nvidia && sudo modprobe nvidia_uvm");
}

TEST(DriverModuleMissingTest, OnlyUnifiedMemoryIsMissing) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetFile("/proc/modules", "nvidia 11423744 9 - Live 0x0\n");
  const Judgement judgement = DriverModuleMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].quote, "(no nvidia_uvm)");
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->fix[0].command, "sudo nvidia-modprobe -u -c 0");
}

TEST(DriverModuleMissingTest, UnifiedMemoryThatAHiddenDeviceDoesNotWant) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetEnviron("CUDA_VISIBLE_DEVICES", "-1");
  machine.SetFile("/proc/modules", "nvidia 11423744 9 - Live 0x0\n");
  const Judgement judgement = DriverModuleMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(DriverModuleMissingTest, AListThatWasNotReadWholeProvesNothing) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  for (const char* text : {"\x8c\x01=q\n\xf3", "nvidia 11423744 9 - Live 0x0\nnvidia_u"}) {
    machine.SetFile("/proc/modules", text);
    EXPECT_EQ(AsHolds(DriverModuleMissing(machine.Gather())), nullptr) << text;
  }
  EXPECT_EQ(Lacks(DriverModuleMissing(machine.Gather())), "the kernel's modules");
}

TEST(DriverModuleMissingTest, UnifiedMemoryThatNobodyWantedYet) {
  HostBuilder machine;
  machine.NvidiasOwn().Stopped().SetFile("/proc/modules", "nvidia 11423744 9 - Live 0x0\n");
  EXPECT_EQ(Lacks(DriverModuleMissing(machine.Gather())),
            "whether nvidia_uvm loads when CUDA wants it");
}

TEST(DriverModuleMissingTest, BothAreLoaded) {
  EXPECT_EQ(Because(DriverModuleMissing(HostBuilder().NvidiasOwn().Gather())),
            "/proc/modules has nvidia and nvidia_uvm");
}

TEST(DriverModuleMissingTest, WithoutACardThereIsNothingToDrive) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetFile("/proc/modules", "ext4 1 1 - Live 0x0\n");
  machine.RemoveFile("/proc/driver").RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  machine.SetFile("/sys/bus/pci/devices/0000:00:01.0/vendor", "0x1af4\n");
  EXPECT_NE(Because(DriverModuleMissing(machine.Gather())), "");
}

TEST(DriverModuleMissingTest, AVirtualDeviceHasNoModule) {
  HostBuilder machine;
  machine.FoundNoGpu().SetFile("/proc/modules", "ext4 987136 1 - Live 0x0\n");
  EXPECT_EQ(Because(DriverModuleMissing(machine.Gather())),
            "the device is virtual: it needs no kernel module");
}

TEST(DriverModuleMissingTest, ModulesWereNotCaptured) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/proc/modules").RemoveFile("/proc/driver");
  EXPECT_EQ(Lacks(DriverModuleMissing(machine.Gather())), "the kernel's modules");
}

}  // namespace
}  // namespace vgpu::rules
