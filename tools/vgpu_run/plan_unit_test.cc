#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/vgpu_run/unit.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnitTest : public ::testing::Test {
 protected:
  UnitTest() {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/image.XXXXXX");
    options_.root = mkdtemp(pattern.data());
    options_.service = "ollama.service";
    options_.shims = "/usr/lib/vgpu";
    options_.vgpu_run = "/usr/bin/vgpu-run";
    Write("/usr/lib/systemd/system/ollama.service", "[Service]\nExecStart=/usr/bin/ollama\n");
  }
  ~UnitTest() override { fs::remove_all(options_.root); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(options_.root + path).parent_path());
    std::ofstream(options_.root + path) << text;
  }
  std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(options_.root + path).rdbuf();
    return text.str();
  }
  std::vector<std::string> Files() {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(options_.root)) {
      files.push_back(entry.path().string().substr(options_.root.size()));
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  std::vector<PlannedFile> Plan(const std::string& library_path = "",
                                const std::string& preload = "") {
    std::vector<ViewMount> view = {
        {ViewMount::Kind::kBind, "sys/devices/pci0000:00/0000:00:05.0", {}},
        {ViewMount::Kind::kOverlay, "sys/bus/pci/drivers", {}},
        {ViewMount::Kind::kBindWithHost, "proc/driver", {"rtc"}},
    };
    auto plan = PlanUnit(options_, view, library_path, preload);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? *plan : std::vector<PlannedFile>();
  }
  std::string DropIn(const std::string& library_path = "") { return Plan(library_path)[2].content; }

  UnitOptions options_;
};

TEST_F(UnitTest, ColonsOfAPathDoNotPartIt) {
  EXPECT_THAT(DropIn(),
              HasSubstr("BindReadOnlyPaths=/run/vgpu/root/sys/devices/pci0000\\:00/0000\\:00\\:05.0"
                        ":/sys/devices/pci0000\\:00/0000\\:00\\:05.0\n"));
}

TEST_F(UnitTest, AnOverlayAndTheTreeAreSources) {
  std::string text = DropIn();
  EXPECT_THAT(
      text,
      HasSubstr("BindReadOnlyPaths=/run/vgpu/overlay/sys-bus-pci-drivers:/sys/bus/pci/drivers\n"));
  EXPECT_THAT(text, HasSubstr("BindReadOnlyPaths=/run/vgpu/root/proc/driver:/proc/driver\n"));
  EXPECT_THAT(text, HasSubstr("BindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n"));
  EXPECT_THAT(text, HasSubstr("Requires=vgpu-view.service\nAfter=vgpu-view.service\n"));
}

TEST_F(UnitTest, TheUnitsOwnLibraryPathStaysBehindOurs) {
  EXPECT_THAT(DropIn(), HasSubstr("Environment=\"LD_LIBRARY_PATH=/usr/lib/vgpu\"\n"));
  EXPECT_THAT(DropIn("/opt/my libs:/b"),
              HasSubstr("Environment=\"LD_LIBRARY_PATH=/usr/lib/vgpu:/opt/my libs:/b\"\n"));
  EXPECT_THAT(DropIn("/a%b\"c\\d"),
              HasSubstr("Environment=\"LD_LIBRARY_PATH=/usr/lib/vgpu:/a%%b\\\"c\\\\d\"\n"));
}

TEST_F(UnitTest, ALibraryPathIsReadAsSystemdReadsIt) {
  Write("/etc/systemd/system/ollama.service.d/10-own.conf",
        "[Service]\nEnvironment=\"LD_LIBRARY_PATH=/opt/my libs:/opt/b\"\n");
  auto path = LibraryPathOf(options_);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, "/opt/my libs:/opt/b");
}

TEST_F(UnitTest, WhatItHasWrittenItselfIsNotTheUnitsOwn) {
  ASSERT_TRUE(InstallUnit(options_, Plan()).ok());
  auto path = LibraryPathOf(options_);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, "");
}

TEST_F(UnitTest, AFileOfTheHostsComesFirst) {
  EXPECT_THAT(Plan("", "/opt/a.so")[0].content,
              ::testing::StartsWith("/opt/a.so\n/usr/lib/vgpu/libvgpu-cuda.so\n"));
}

TEST_F(UnitTest, ANameThatIsNoServicesIsRefused) {
  for (const char* name : {"", "ollama", "ollama.socket", "../x.service", "a b.service",
                           "/etc/systemd/system/ollama.service", ".service", "x@.timer"}) {
    options_.service = name;
    auto plan = PlanUnit(options_, {}, "", "");
    ASSERT_FALSE(plan.ok()) << name;
    EXPECT_THAT(std::string(plan.status().message()),
                HasSubstr("a service's name is wanted, such as ollama.service"));
    EXPECT_FALSE(RemoveUnit(options_).ok()) << name;
  }
}

TEST_F(UnitTest, RemovalLeavesAnImageAsItWas) {
  std::vector<std::string> before = Files();
  auto written = InstallUnit(options_, Plan());
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_THAT(*written,
              ElementsAre("/etc/vgpu/ld.so.preload", "/etc/systemd/system/vgpu-view.service",
                          "/etc/systemd/system/ollama.service.d/90-vgpu.conf"));
  auto again = InstallUnit(options_, Plan());
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(*again, IsEmpty());
  // What systemd makes when it binds.
  Write("/etc/ld.so.preload", "");
  ASSERT_TRUE(RemoveUnit(options_).ok());
  // Directories that a system always has may stay.
  for (const std::string& path : Files()) {
    if (fs::is_directory(options_.root + path)) continue;
    EXPECT_THAT(before, Contains(path));
  }
  EXPECT_FALSE(fs::exists(options_.root + "/etc/vgpu"));
  EXPECT_FALSE(fs::exists(options_.root + "/var/lib/vgpu"));
}

TEST_F(UnitTest, AnotherServiceKeepsWhatItNeeds) {
  ASSERT_TRUE(InstallUnit(options_, Plan()).ok());
  options_.service = "other.service";
  ASSERT_TRUE(InstallUnit(options_, Plan()).ok());
  ASSERT_TRUE(RemoveUnit(options_).ok());
  EXPECT_TRUE(fs::exists(options_.root + "/etc/systemd/system/vgpu-view.service"));
  EXPECT_TRUE(fs::exists(options_.root + "/etc/vgpu/ld.so.preload"));
  EXPECT_FALSE(fs::exists(options_.root + "/etc/systemd/system/other.service.d"));
  options_.service = "ollama.service";
  ASSERT_TRUE(RemoveUnit(options_).ok());
  EXPECT_FALSE(fs::exists(options_.root + "/etc/systemd/system/vgpu-view.service"));
}

TEST_F(UnitTest, APreloadFileThatTheHostHadIsNotTouched) {
  Write("/etc/ld.so.preload", "");  // empty, and the host's own
  ASSERT_TRUE(InstallUnit(options_, Plan()).ok());
  ASSERT_TRUE(RemoveUnit(options_).ok());
  EXPECT_TRUE(fs::exists(options_.root + "/etc/ld.so.preload"));

  Write("/etc/ld.so.preload", "/opt/a.so\n");
  auto preload = HostPreload(options_);
  ASSERT_TRUE(preload.ok());
  ASSERT_TRUE(InstallUnit(options_, Plan("", *preload)).ok());
  ASSERT_TRUE(RemoveUnit(options_).ok());
  EXPECT_EQ(Read("/etc/ld.so.preload"), "/opt/a.so\n");
}

TEST_F(UnitTest, ToRemoveWhatIsNotThereIsNoError) {
  auto removed = RemoveUnit(options_);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_THAT(*removed, IsEmpty());
}

}  // namespace
}  // namespace vgpu::run
