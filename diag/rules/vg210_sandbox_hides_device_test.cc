#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

HostBuilder With(absl::string_view service) {
  HostBuilder machine;
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload, "\"\n",
                                        service, "\n"));
  return machine;
}

TEST(SandboxHidesDeviceTest, ThePreloadEntriesAreInaccessible) {
  HostBuilder machine = With("InaccessiblePaths=/usr/lib64");
  machine.SetFile("/proc/57290/mountinfo",
                  "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                  "2 1 0:25 /systemd/inaccessible/dir /usr/lib64 ro - tmpfs tmpfs rw\n");
  const Judgement judgement = SandboxHidesDevice(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "InaccessiblePaths=/usr/lib64");
  EXPECT_EQ(holds->evidence[0].line, 3);
  EXPECT_EQ(holds->explains[0], "VG401");
}

TEST(SandboxHidesDeviceTest, NoExecPathsKeepTheShimsFromBeingMapped) {
  HostBuilder machine = With("NoExecPaths=/\nExecPaths=/usr/local");
  const Judgement judgement = SandboxHidesDevice(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].quote, "NoExecPaths=/");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "ExecPaths=/usr/lib64"))
      << holds->fix[0].command;
}

TEST(SandboxHidesDeviceTest, WhatATmpfsHidesIsBoundIntoIt) {
  HostBuilder machine = With("TemporaryFileSystem=/usr/lib64:ro");
  const Judgement judgement = SandboxHidesDevice(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "BindReadOnlyPaths=/usr/lib64"))
      << holds->fix[0].command;
}

TEST(SandboxHidesDeviceTest, AProgramBelowAHomeDirectory) {
  HostBuilder machine = With("ProtectHome=yes");
  machine.SetFile("/home/u/ollama", "ELF").SetExecStart("/home/u/ollama serve").Stopped();
  machine.SetShown("ActiveState", "failed").SetShown("Result", "exit-code");
  machine.SetJournal(SystemdSaid("ab", At("2026-02-24 10:06:01"),
                                 "ollama.service: Main process exited, code=exited, "
                                 "status=203/EXEC"));
  const Judgement judgement = SandboxHidesDevice(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG208", "VG301", "VG307"}));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "ProtectHome=no"));
}

TEST(SandboxHidesDeviceTest, AFilterThatKills) {
  HostBuilder machine = With("SystemCallFilter=@system-service");
  machine.Stopped().SetShown("ActiveState", "failed").SetShown("Result", "signal");
  machine.SetJournal(SystemdSaid("ab", At("2026-02-24 10:06:01"),
                                 "ollama.service: Main process exited, code=dumped, "
                                 "status=31/SYS"));
  const Judgement judgement = SandboxHidesDevice(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kCertain);
}

TEST(SandboxHidesDeviceTest, TheShimsNeedNoNode) {
  EXPECT_FALSE(
      Because(SandboxHidesDevice(With("PrivateDevices=yes\nPrivateTmp=yes").Gather())).empty());
}

TEST(SandboxHidesDeviceTest, NodesThatAreNotThereYetWillBeHidden) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().SetFile(kDropIn, "[Service]\nPrivateDevices=yes\n");
  for (const char* node : {"nvidia0", "nvidiactl", "nvidia-uvm"}) {
    machine.RemoveFile(absl::StrCat("/dev/", node));
  }
  machine.SetFile("/dev/null", "");
  machine.SetFile("/proc/57290/mountinfo",
                  "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                  "2 1 0:61 / /dev rw,nosuid - tmpfs tmpfs rw,mode=755\n");
  const Judgement judgement = SandboxHidesDevice(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
}

TEST(SandboxHidesDeviceTest, ASettingThatTheProcessDoesNotHaveYet) {
  HostBuilder machine = With("InaccessiblePaths=/usr/lib64");
  machine.SetFile("/proc/57290/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
  EXPECT_EQ(AsHolds(SandboxHidesDevice(machine.Gather())), nullptr);
}

TEST(SandboxHidesDeviceTest, TheUnitWasNotSeen) {
  HostBuilder machine;
  machine.Hide("/etc/systemd/system");
  EXPECT_EQ(Lacks(SandboxHidesDevice(machine.Gather())), "the sandbox of ollama.service");
}

// A unit of this machine, whose driver has three nodes, allows these devices and no others.
Judgement Allowing(absl::string_view lines) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nDevicePolicy=closed\n", lines));
  return SandboxHidesDevice(machine.Gather());
}

TEST(SandboxHidesDeviceTest, UnifiedMemoryHasANumberOfItsOwn) {
  const Judgement judgement =
      Allowing("DeviceAllow=char-nvidiactl\nDeviceAllow=char-nvidia-frontend rw\n");
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(absl::StrContains(holds->headline, "/dev/nvidia-uvm"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "DeviceAllow=char-nvidia* rw"));
}

TEST(SandboxHidesDeviceTest, ANodeThatMayOnlyBeReadIsClosed) {
  EXPECT_NE(AsHolds(Allowing("DeviceAllow=char-nvidia* r\n")), nullptr);
}

TEST(SandboxHidesDeviceTest, EveryNodeIsAllowed) {
  for (const char* lines :
       {"DeviceAllow=char-nvidia* rw\n", "DeviceAllow=char-*\n",
        "DeviceAllow=char-nvidiactl\nDeviceAllow=char-nvidia-uvm rwm\n",
        "DeviceAllow=/dev/nvidia0\nDeviceAllow=/dev/nvidiactl rw\nDeviceAllow=/dev/nvidia-uvm rw\n",
        "DeviceAllow=char-195 rw\nDeviceAllow=char-511 rw\n"}) {
    EXPECT_EQ(AsHolds(Allowing(lines)), nullptr) << lines;
  }
}

TEST(SandboxHidesDeviceTest, NixOsHasNoPlaceForADropInBelowEtc) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetFile("/etc/os-release", "ID=nixos\n");
  machine.SetFile(kDropIn, "[Service]\nDevicePolicy=closed\nDeviceAllow=char-nvidiactl\n");
  const Judgement judgement = SandboxHidesDevice(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "/run/systemd/system/ollama.service.d/zz-"));
  EXPECT_FALSE(absl::StrContains(holds->fix[0].command, "/etc/systemd"));
  EXPECT_TRUE(
      absl::StrContains(holds->fix[0].why, "systemd.services.ollama.serviceConfig.DeviceAllow = "));
}

TEST(SandboxHidesDeviceTest, TheRepairSortsBehindEveryDropIn) {
  for (const char* name : {"zz.conf", "zzz.conf", "~.conf", "\xc3\xa9.conf",
                           "zz-vgpu-doctor-vg210.conf", "zz-zz-zz-zz-zz-zz.conf"}) {
    HostBuilder machine;
    machine.NvidiasOwn().FoundNoGpu();
    machine.SetFile(absl::StrCat("/etc/systemd/system/ollama.service.d/", name),
                    "[Service]\nDevicePolicy=closed\nDeviceAllow=char-nvidiactl\n");
    const Judgement judgement = SandboxHidesDevice(machine.Gather());
    const Holds* holds = AsHolds(judgement);
    ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
    ASSERT_TRUE(std::holds_alternative<WriteFile>(holds->fix[0].action)) << name;
    const std::string path = std::get<WriteFile>(holds->fix[0].action).path;
    EXPECT_GT(path.substr(path.rfind('/') + 1), name);
  }
}

}  // namespace
}  // namespace vgpu::rules
