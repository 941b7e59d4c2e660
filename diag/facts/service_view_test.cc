#include "diag/facts/service_view.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using What = Sight::What;

constexpr char kMounts[] =
    "100 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "101 100 8:1 /etc/vgpu/ld.so.preload /etc/ld.so.preload ro - ext4 /dev/sda1 rw\n"
    "102 100 0:25 /systemd/inaccessible/dir /opt ro - tmpfs tmpfs rw\n"
    "103 100 0:40 / /srv rw - tmpfs tmpfs rw\n"
    "104 100 0:41 /x /mnt rw,noexec - nfs server:/export rw\n"
    "105 100 0:42 /@home /home rw - btrfs /dev/sdb rw\n"
    "106 100 0:6 / /dev rw - tmpfs tmpfs rw\n"
    // As a unit's ProtectHome= and NoExecPaths= look in a container of systemd-nspawn (measured,
    // systemd 252).
    "107 100 0:25 /host/inaccessible/dir /root ro,nosuid,nodev,noexec - tmpfs tmpfs rw\n"
    "109 100 0:115 /devices /sys/devices ro,nosuid - sysfs sysfs ro\n"
    "108 100 8:1 /usr/lib/vgpu /usr/lib/vgpu rw,noexec,relatime - ext4 /dev/sda1 rw\n";

UnitFacts Unit(systemd::MountSetting::Kind kind, const char* source, const char* target) {
  UnitFacts unit;
  systemd::MountSetting setting;
  setting.kind = kind;
  setting.source = source;
  setting.target = target;
  setting.written = "as written";
  setting.place = {"/u.conf", 3};
  unit.mounts.settings.push_back(setting);
  return unit;
}

host::Observed<ProcessFacts> Running() {
  ProcessFacts process;
  process.mounts = {"/proc/7/mountinfo", *procfs::ParseMountInfo(kMounts)};
  return process;
}

const host::Observed<ProcessFacts> kNone = host::Absent{};

TEST(ServiceViewTest, ABindOfOneFile) {
  const Sight sight = SeenByService({}, Running(), "/etc/ld.so.preload");
  EXPECT_EQ(sight.what, What::kBound);
  EXPECT_EQ(sight.host_path, "/etc/vgpu/ld.so.preload");
  EXPECT_EQ(SeenByService({}, Running(), "/etc/passwd").what, What::kAsHost);
}

TEST(ServiceViewTest, WhatSystemdMadeInaccessible) {
  EXPECT_EQ(SeenByService({}, Running(), "/opt/vgpu/lib/a.so").what, What::kHidden);
}

TEST(ServiceViewTest, WhatSystemdMadeInaccessibleInAContainer) {
  EXPECT_EQ(SeenByService({}, Running(), "/root/vgpu/a.so").what, What::kHidden);
}

TEST(ServiceViewTest, AContainersSysfsIsTheHosts) {
  const Sight sight = SeenByService({}, Running(), "/sys/devices/pci0000:00/vendor");
  EXPECT_EQ(sight.what, What::kAsHost);
}

TEST(ServiceViewTest, TheUnitSaysWhyNothingCanBeMappedForExecution) {
  const UnitFacts unit = Unit(systemd::MountSetting::Kind::kNoExec, "", "/usr/lib/vgpu");
  const Sight sight = SeenByService(unit, Running(), "/usr/lib/vgpu/a.so");
  EXPECT_EQ(sight.what, What::kAsHost);
  EXPECT_TRUE(sight.noexec);
  EXPECT_EQ(sight.because, "as written");
  EXPECT_EQ(sight.line, 3);
}

TEST(ServiceViewTest, AFileSystemOfItsOwnIsTheHostsUnlessTheUnitMakesIt) {
  EXPECT_EQ(SeenByService({}, Running(), "/srv/a.so").what, What::kAsHost);
  const UnitFacts unit = Unit(systemd::MountSetting::Kind::kEmpty, "", "/srv");
  const Sight sight = SeenByService(unit, Running(), "/srv/a.so");
  EXPECT_EQ(sight.what, What::kHidden);
  EXPECT_EQ(sight.because, "as written");
}

TEST(ServiceViewTest, ADirectoryThatTheHostMayHaveNoNameFor) {
  const Sight sight = SeenByService({}, Running(), "/mnt/a.so");
  EXPECT_EQ(sight.what, What::kUnknown);
  EXPECT_TRUE(sight.noexec);
}

TEST(ServiceViewTest, ASubvolumeIsNoBind) {
  EXPECT_EQ(SeenByService({}, Running(), "/home/u/a.so").what, What::kAsHost);
}

TEST(ServiceViewTest, ASettingThatTheProcessDoesNotHaveDoesNotCount) {
  const UnitFacts unit = Unit(systemd::MountSetting::Kind::kInaccessible, "", "/usr/lib64");
  EXPECT_EQ(SeenByService(unit, Running(), "/usr/lib64/a.so").what, What::kAsHost);
  EXPECT_EQ(SeenByService(unit, kNone, "/usr/lib64/a.so").what, What::kHidden);
}

TEST(ServiceViewTest, TheNextStartGoesByTheUnit) {
  const UnitFacts unit = Unit(systemd::MountSetting::Kind::kBind, "/opt/vgpu", "/usr/lib64");
  const Sight sight = SeenByService(unit, kNone, "/usr/lib64/a.so");
  EXPECT_EQ(sight.what, What::kBound);
  EXPECT_EQ(sight.host_path, "/opt/vgpu/a.so");
  EXPECT_EQ(sight.source, "/u.conf");
  EXPECT_EQ(sight.line, 3);
}

}  // namespace
}  // namespace vgpu::facts
