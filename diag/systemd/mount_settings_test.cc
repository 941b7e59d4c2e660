#include "diag/systemd/mount_settings.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using Kind = MountSetting::Kind;

MountSettings Read(absl::string_view service) {
  const UnitFile file = ParseUnitFile("/u.conf", absl::StrCat("[Service]\n", service, "\n"));
  SpecifierContext context;
  context.unit = "ollama.service";
  const UnitFile* files[] = {&file};
  return ReadMountSettings(MergeUnit(files, context), context);
}

TEST(MountSettingsTest, ABindWithItsPrefixAndOption) {
  const MountSettings mounts =
      Read("BindReadOnlyPaths=/a:/b -/c:/d:norbind  /e\nBindPaths=/run/%n:/f");
  ASSERT_EQ(mounts.settings.size(), 4u);
  EXPECT_EQ(mounts.settings[0].source, "/run/ollama.service");
  EXPECT_EQ(mounts.settings[1].source, "/a");
  EXPECT_EQ(mounts.settings[1].target, "/b");
  EXPECT_FALSE(mounts.settings[1].optional);
  EXPECT_EQ(mounts.settings[2].source, "/c");
  EXPECT_TRUE(mounts.settings[2].optional);
  EXPECT_EQ(mounts.settings[3].target, "/e");
}

TEST(MountSettingsTest, ColonsOfAPciAddressNeedEscapesOrQuotes) {
  const MountSettings bare =
      Read("BindReadOnlyPaths=/v/gpu0:/sys/devices/pci0000:00/0000:00:05.0/vendor");
  EXPECT_TRUE(bare.settings.empty());
  ASSERT_EQ(bare.ignored.size(), 1u);
  EXPECT_EQ(bare.ignored[0].message,
            "Invalid option string, ignoring setting: 00/0000:00:05.0/vendor");
  for (const char* written : {R"(/v/gpu0:/sys/devices/pci0000\:00/0000\:00\:05.0)",
                              R"(/v/gpu0:"/sys/devices/pci0000:00/0000:00:05.0")"}) {
    const MountSettings mounts = Read(absl::StrCat("BindReadOnlyPaths=", written));
    ASSERT_EQ(mounts.settings.size(), 1u) << written;
    EXPECT_EQ(mounts.settings[0].target, "/sys/devices/pci0000:00/0000:00:05.0");
  }
}

TEST(MountSettingsTest, AWholeBindInQuotesIsOnePath) {
  const MountSettings mounts = Read("BindPaths=\"/a:/b\"");
  ASSERT_EQ(mounts.settings.size(), 1u);
  EXPECT_EQ(mounts.settings[0].source, "/a:/b");
}

TEST(MountSettingsTest, TheLongestTargetDecides) {
  const MountSettings mounts = Read("TemporaryFileSystem=/opt:ro\nBindReadOnlyPaths=/x:/opt/vgpu");
  ASSERT_NE(mounts.Over("/opt/y"), nullptr);
  EXPECT_EQ(mounts.Over("/opt/y")->kind, Kind::kEmpty);
  EXPECT_EQ(mounts.Over("/opt/vgpu/lib/a.so")->kind, Kind::kBind);
  EXPECT_EQ(mounts.Over("/opty"), nullptr);
}

TEST(MountSettingsTest, SettingsThatStandForASet) {
  const MountSettings mounts = Read("PrivateDevices=yes\nProtectHome=true\nPrivateTmp=no");
  EXPECT_EQ(mounts.Over("/dev/nvidia0")->kind, Kind::kEmpty);
  EXPECT_EQ(mounts.Over("/home/u/ollama")->kind, Kind::kInaccessible);
  EXPECT_EQ(mounts.Over("/home/u/ollama")->written, "ProtectHome=true");
  EXPECT_EQ(mounts.Over("/tmp/x.so"), nullptr);
  EXPECT_EQ(Read("ProtectHome=read-only").Over("/home/u"), nullptr);
}

TEST(MountSettingsTest, Execution) {
  const MountSettings mounts = Read("NoExecPaths=/\nExecPaths=/usr -+/opt/x");
  EXPECT_EQ(mounts.ExecutionAt("/opt/vgpu/a.so")->kind, Kind::kNoExec);
  EXPECT_EQ(mounts.ExecutionAt("/usr/lib64/a.so")->kind, Kind::kExec);
  EXPECT_EQ(mounts.ExecutionAt("/opt/x/a.so")->kind, Kind::kExec);
}

TEST(MountSettingsTest, WhatIsNoPathIsIgnored) {
  const MountSettings mounts = Read("InaccessiblePaths=opt \"/a\nBindPaths=x:/y");
  ASSERT_EQ(mounts.ignored.size(), 3u);
  EXPECT_EQ(mounts.ignored[0].message, "InaccessiblePaths= path is not absolute, ignoring: opt");
  EXPECT_EQ(mounts.ignored[2].message, "BindPaths= path is not absolute, ignoring: x");
}

TEST(MountSettingsTest, AnUnknownSpecifierIsNeitherIgnoredNorInEffect) {
  const MountSettings mounts = Read("BindPaths=/run/%b:/y");
  EXPECT_TRUE(mounts.ignored.empty());
  ASSERT_EQ(mounts.unknown.size(), 1u);
}

}  // namespace
}  // namespace vgpu::systemd
