#include "diag/procfs/mountinfo.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "diag/procfs/own_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::ElementsAre;

TEST(ParseMountInfoLine, ReadsEveryField) {
  const auto mount = ParseMountInfoLine(
      "63 43 254:1 /opt/vgpu/tree /sys/bus/pci/devices ro,nosuid,noexec,relatime shared:12 "
      "master:3 - ext4 /dev/vda rw,discard,resuid=65534");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->id, 63);
  EXPECT_EQ(mount->parent_id, 43);
  EXPECT_EQ(mount->dev_major, 254u);
  EXPECT_EQ(mount->dev_minor, 1u);
  EXPECT_EQ(mount->root, "/opt/vgpu/tree");
  EXPECT_FALSE(mount->root_deleted);
  EXPECT_EQ(mount->mount_point, "/sys/bus/pci/devices");
  EXPECT_THAT(mount->options, ElementsAre("ro", "nosuid", "noexec", "relatime"));
  EXPECT_THAT(mount->optional_fields, ElementsAre("shared:12", "master:3"));
  EXPECT_EQ(mount->fs_type, "ext4");
  EXPECT_EQ(mount->source, "/dev/vda");
  EXPECT_THAT(mount->super_options, ElementsAre("rw", "discard", "resuid=65534"));
  EXPECT_TRUE(mount->read_only());
  EXPECT_TRUE(mount->noexec());
}

TEST(ParseMountInfoLine, UndoesEscapes) {
  const auto mount = ParseMountInfoLine(
      "63 43 254:0 /tmp/b\\043s\\040r /mnt/with\\011tab\\134 rw - fuse.sshfs me@host:/my\\040dir "
      "rw");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->root, "/tmp/b#s r");
  EXPECT_EQ(mount->mount_point, "/mnt/with\ttab\\");
  EXPECT_EQ(mount->source, "me@host:/my dir");
  EXPECT_FALSE(mount->read_only());
  EXPECT_FALSE(mount->noexec());
}

TEST(ParseMountInfoLine, BindMountOfWhatWasReplacedSince) {
  const auto mount = ParseMountInfoLine(
      "63 43 254:0 /opt/vgpu/tree//deleted /sys/bus/pci/devices rw - ext4 /dev/vda rw");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->root, "/opt/vgpu/tree");
  EXPECT_TRUE(mount->root_deleted);
}

TEST(ParseMountInfoLine, SourceMayBeEmpty) {
  const auto mount = ParseMountInfoLine("63 43 0:50 / /mnt rw - tmpfs  rw,size=4k");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->source, "");
  EXPECT_THAT(mount->super_options, ElementsAre("rw", "size=4k"));
}

TEST(ParseMountInfoLine, ReadOnlyFileSystemUnderAWritableMount) {
  EXPECT_TRUE(ParseMountInfoLine("1 0 7:0 / /snap/core rw - squashfs /dev/loop0 ro")->read_only());
}

TEST(ParseMountInfoLine, RefusesWhatIsNoLineOfMountinfo) {
  for (absl::string_view line :
       {"", "proc /proc proc rw 0 0", "63 43 254:0 / /mnt rw", "63 43 254:0 / /mnt rw shared:1",
        "63 43 254:0 / /mnt rw - ext4", "63 43 254 / /mnt rw - ext4 /dev/vda rw",
        "63 43 254:0 / mnt rw - ext4 /dev/vda rw"}) {
    EXPECT_FALSE(ParseMountInfoLine(line).has_value()) << line;
  }
}

// A namespace as systemd makes it for a unit with BindReadOnlyPaths and PrivateTmp. The
// line of the root stands behind that of /proc, as an initramfs leaves it.
constexpr absl::string_view kUnit =
    "22 27 0:21 / /proc rw - proc proc rw\n"
    "23 27 0:22 / /sys rw - sysfs sysfs rw\n"
    "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "30 27 0:40 / /home ro - tmpfs tmpfs ro\n"
    "31 27 254:0 /tmp/systemd-private/tmp /tmp rw - ext4 /dev/vda rw\n"
    "32 23 254:0 /opt/vgpu/tree /sys/bus/pci/devices ro - ext4 /dev/vda rw\n"
    "33 27 254:0 /etc/vgpu/ld.so.preload /etc/ld.so.preload ro - ext4 /dev/vda rw\n";

int32_t IdOf(const MountTable& table, absl::string_view path) {
  const Mount* mount = table.MountOf(path);
  return mount == nullptr ? -1 : mount->id;
}

TEST(MountOf, FollowsTheMountsAlongThePath) {
  const MountTable table = ParseMountInfo(kUnit).value();
  EXPECT_EQ(table.malformed_lines(), 0u);
  EXPECT_EQ(IdOf(table, "/"), 27);
  EXPECT_EQ(IdOf(table, "/usr/lib/libc.so.6"), 27);
  EXPECT_EQ(IdOf(table, "/proc/57290/maps"), 22);
  EXPECT_EQ(IdOf(table, "/sys/class/drm"), 23);
  EXPECT_EQ(IdOf(table, "/sys/bus/pci/devices/0000:00:05.0/vendor"), 32);
  EXPECT_EQ(IdOf(table, "/home"), 30);
  EXPECT_EQ(IdOf(table, "/homework"), 27);
}

TEST(MountOf, BoundFileIsItsOwnMount) {
  const MountTable table = ParseMountInfo(kUnit).value();
  EXPECT_EQ(IdOf(table, "/etc/ld.so.preload"), 33);
  EXPECT_EQ(IdOf(table, "/etc/ld.so.preload.bak"), 27);
  EXPECT_EQ(IdOf(table, "/etc"), 27);
}

TEST(MountOf, LaterMountOverTheSamePointWins) {
  // Mounted on top of each other, the second has the first as its parent; hand-written
  // tables often give both the same.
  for (absl::string_view parent : {"30", "27"}) {
    const MountTable table =
        ParseMountInfo(absl::StrCat(kUnit, "40 ", parent, " 0:41 / /home rw - tmpfs tmpfs rw\n"))
            .value();
    EXPECT_EQ(IdOf(table, "/home/ollama"), 40) << "parent " << parent;
  }
}

TEST(MountOf, MountThatALaterOneCoversIsNotSeen) {
  const MountTable table = ParseMountInfo(
                               "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
                               "30 27 254:1 / /opt/vgpu rw - ext4 /dev/vdb rw\n"
                               "31 27 0:40 / /opt rw - tmpfs tmpfs rw\n")
                               .value();
  EXPECT_EQ(IdOf(table, "/opt/vgpu/lib/libvgpu-cuda.so"), 31);
}

TEST(MountOf, ProcessInAChrootKnowsNoMountOfItsRoot) {
  const MountTable table = ParseMountInfo("90 27 0:21 / /proc rw - proc proc rw\n").value();
  EXPECT_EQ(IdOf(table, "/proc/self"), 90);
  EXPECT_EQ(table.MountOf("/usr/lib"), nullptr);
  EXPECT_EQ(table.MountOf("relative"), nullptr);
}

TEST(MountOf, CirclesEnd) {
  EXPECT_EQ(IdOf(ParseMountInfo("5 5 0:1 / / rw - rootfs rootfs rw\n").value(), "/x"), 5);
  const MountTable table = ParseMountInfo(
                               "1 0 0:1 / / rw - tmpfs tmpfs rw\n"
                               "2 1 0:2 / / rw - tmpfs tmpfs rw\n"
                               "1 2 0:3 / / rw - tmpfs tmpfs rw\n")
                               .value();
  EXPECT_NE(table.MountOf("/x"), nullptr);
}

TEST(ParseMountInfo, ReadLimitLeavesTheCutLineOut) {
  const MountTable cut =
      ParseMountInfo(kUnit.substr(0, kUnit.size() - 10), /*truncated=*/true).value();
  EXPECT_TRUE(cut.truncated());
  EXPECT_EQ(cut.mounts().size(), 6u);
  EXPECT_EQ(cut.malformed_lines(), 0u);
  EXPECT_EQ(IdOf(cut, "/etc/ld.so.preload"), 27);
}

TEST(ParseMountInfo, MalformedLinesAreCounted) {
  const MountTable table =
      ParseMountInfo("garbage\n27 1 254:0 / / rw - ext4 /dev/vda rw\n\n").value();
  EXPECT_EQ(table.mounts().size(), 1u);
  EXPECT_EQ(table.malformed_lines(), 1u);
  EXPECT_FALSE(table.whole());
}

TEST(ParseMountInfo, TextThatWasCutBeforeItCameHere) {
  EXPECT_TRUE(ParseMountInfo(kUnit).value().whole());
  const MountTable cut = ParseMountInfo(kUnit.substr(0, kUnit.size() / 2)).value();
  EXPECT_TRUE(cut.truncated());
  EXPECT_FALSE(cut.whole());
}

TEST(ParseMountInfo, WhatHasNoMountIsAnError) {
  for (absl::string_view text : {"", "\x8c\n\xf3", "proc /proc proc rw 0 0\n"}) {
    EXPECT_FALSE(ParseMountInfo(text).ok()) << text;
  }
}

TEST(MountOf, ThisProcessFindsProcOnItsOwnMount) {
  const MountTable table = ParseMountInfo(ReadOwnFile("/proc/self/mountinfo")).value();
  EXPECT_EQ(table.malformed_lines(), 0u);
  for (absl::string_view path : {"/proc/self", "/usr", "/sys", "/tmp"}) {
    struct stat meta = {};
    if (stat(std::string(path).c_str(), &meta) != 0) continue;
    const Mount* mount = table.MountOf(path);
    if (mount == nullptr || mount->fs_type == "btrfs" || mount->fs_type == "overlay") {
      // There stat(2) and mountinfo number devices apart.
      std::cout << path << ": not compared: " << (mount == nullptr ? "no mount" : mount->fs_type)
                << "\n";
      continue;
    }
    EXPECT_EQ(mount->dev_major, major(meta.st_dev)) << path;
    EXPECT_EQ(mount->dev_minor, minor(meta.st_dev)) << path;
  }
  ASSERT_NE(table.MountOf("/proc/self"), nullptr);
  EXPECT_EQ(table.MountOf("/proc/self")->fs_type, "proc");
}

}  // namespace
}  // namespace vgpu::procfs
