#include "shims/tree/tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "shims/device/device.h"

namespace vgpu::tree {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kAddress[] = "0000:00:05.0";
constexpr char kFunction[] = "sys/devices/pci0000:00/0000:00:05.0";

device::Configuration OneDevice() {
  device::Configuration configuration;
  device::DefaultConfiguration("machine", &configuration);
  return configuration;
}

// A machine as small virtual ones are: a host bridge with functions 00.0, 01.0 and, where asked
// for, one at our address that virtio-pci has.
HostPci Host(bool occupied) {
  HostPci host;
  auto& devices = host.directories["sys/bus/pci/devices"];
  auto& root = host.directories["sys/devices/pci0000:00"];
  auto& driver = host.directories["sys/bus/pci/drivers/virtio-pci"];
  host.directories["sys/bus/pci/drivers"]["virtio-pci"].is_directory = true;
  host.buses["0000:00"] = "sys/devices/pci0000:00";
  for (std::string address : {"0000:00:00.0", "0000:00:01.0", kAddress}) {
    if (address == kAddress && !occupied) continue;
    devices[address].target = absl::StrCat("../../../devices/pci0000:00/", address);
    root[address].is_directory = true;
    driver[address].target = absl::StrCat("../../../../devices/pci0000:00/", address);
    host.functions[address] = absl::StrCat("sys/devices/pci0000:00/", address);
  }
  host.local_cpus = "3";
  host.local_cpulist = "0-1";
  return host;
}

std::string Content(const Tree& tree, const std::string& path) {
  auto entry = tree.entries.find(path);
  if (entry == tree.entries.end()) return absl::StrCat("no entry ", path);
  return entry->second.content;
}

std::string FileOf(const Tree& tree, const std::string& name) {
  return Content(tree, absl::StrCat(kFunction, "/", name));
}

TEST(TreeTest, TheFunctionSaysWhatTheDeviceIs) {
  Tree tree = MakeTree(OneDevice(), Host(false));
  EXPECT_EQ(FileOf(tree, "vendor"), "0x10de\n");
  EXPECT_EQ(FileOf(tree, "device"), "0x2331\n");
  EXPECT_EQ(FileOf(tree, "class"), "0x030200\n");
  EXPECT_EQ(FileOf(tree, "local_cpulist"), "0-1\n");
  EXPECT_THAT(FileOf(tree, "uevent"), HasSubstr("PCI_SLOT_NAME=0000:00:05.0\n"));
  EXPECT_THAT(FileOf(tree, "uevent"), HasSubstr("PCI_ID=10DE:2331\n"));
  EXPECT_EQ(FileOf(tree, "driver"), "../../../bus/pci/drivers/nvidia");
}

TEST(TreeTest, AnotherDeviceSaysOtherThings) {
  device::Configuration configuration;
  device::ConfigError error;
  ASSERT_TRUE(
      device::ParseConfiguration("[[device]]\nprofile = \"t4\"\npci_address = \"0000:00:05.0\"\n",
                                 "machine", &configuration, &error))
      << error.reason.data();
  Tree tree = MakeTree(configuration, Host(false));
  EXPECT_EQ(FileOf(tree, "device"), "0x1eb8\n");
  EXPECT_EQ(FileOf(tree, "max_link_speed"), "8.0 GT/s PCIe\n");
}

TEST(TreeTest, AFunctionOfTheHostIsReplacedAndNotDoubled) {
  Tree tree = MakeTree(OneDevice(), Host(true));
  EXPECT_THAT(tree.owned, Contains(kFunction));
  // Only the driver is a name that the host has not.
  EXPECT_THAT(tree.merged, testing::UnorderedElementsAre("sys/bus/pci/drivers", "proc/driver"));
  EXPECT_THAT(tree.aliases,
              Contains(Pair("sys/bus/pci/drivers/virtio-pci/0000:00:05.0", kFunction)));
}

TEST(TreeTest, WhereTheHostHasNoneItStandsBesideTheHostsOwn) {
  Tree tree = MakeTree(OneDevice(), Host(false));
  EXPECT_THAT(tree.merged, Contains("sys/devices/pci0000:00"));
  EXPECT_TRUE(tree.entries.contains("sys/devices/pci0000:00/0000:00:01.0"));
  EXPECT_EQ(Content(tree, "sys/bus/pci/devices/0000:00:01.0"),
            "../../../devices/pci0000:00/0000:00:01.0");
  EXPECT_EQ(Content(tree, "sys/bus/pci/devices/0000:00:05.0"),
            "../../../devices/pci0000:00/0000:00:05.0");
}

TEST(TreeTest, OnABusBehindABridgeItStandsBelowTheBridge) {
  HostPci host = Host(false);
  host.buses["0000:03"] = "sys/devices/pci0000:00/0000:00:02.0";
  device::Configuration configuration;
  device::ConfigError error;
  ASSERT_TRUE(device::ParseConfiguration("[[device]]\npci_address = \"0000:03:00.0\"\n", "machine",
                                         &configuration, &error));
  Tree tree = MakeTree(configuration, host);
  EXPECT_THAT(tree.owned, Contains("sys/devices/pci0000:00/0000:00:02.0/0000:03:00.0"));
}

TEST(TreeTest, EveryLinkStaysInTheTreeAndLeadsToSomething) {
  for (bool occupied : {false, true}) {
    Tree tree = MakeTree(OneDevice(), Host(occupied));
    int links = 0;
    for (const auto& [path, entry] : tree.entries) {
      if (entry.kind != Entry::Kind::kLink) continue;
      ++links;
      ASSERT_FALSE(absl::StartsWith(entry.content, "/")) << path;
      std::string to = (fs::path(path).parent_path() / entry.content).lexically_normal().string();
      EXPECT_FALSE(absl::StartsWith(to, "..")) << path << " -> " << entry.content;
      // The host's own links lead to what the host has; merging them keeps them as they are.
      bool of_the_host = !absl::StrContains(path, kAddress);
      EXPECT_TRUE(of_the_host || tree.entries.contains(to)) << path << " -> " << to;
    }
    EXPECT_GE(links, 5);
  }
}

// The header as PCI Local Bus 3.0, 6.1 has it, read back byte by byte.
TEST(ConfigurationSpaceTest, AgreesWithTheFilesBesideIt) {
  device::Configuration configuration = OneDevice();
  Tree tree = MakeTree(configuration, Host(false));
  std::string config = FileOf(tree, "config");
  ASSERT_EQ(config.size(), 256u);
  auto number = [&config](size_t offset, int width) {
    uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i) {
      value = value << 8 | static_cast<uint8_t>(config[offset + static_cast<size_t>(i)]);
    }
    return value;
  };
  EXPECT_EQ(number(0, 2), 0x10deu);
  EXPECT_EQ(number(2, 2), 0x2331u);
  EXPECT_EQ(number(9, 3), 0x030200u);
  EXPECT_EQ(number(0x0e, 1), 0u);  // an ordinary function, alone
  std::vector<std::string> lines =
      absl::StrSplit(FileOf(tree, "resource"), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 7u);
  for (size_t bar : {0u, 1u, 3u}) {
    std::vector<std::string> words = absl::StrSplit(lines[bar], ' ');
    uint64_t start = std::strtoull(words[0].c_str(), nullptr, 16);
    EXPECT_EQ(number(0x10 + 4 * bar, bar == 0 ? 4 : 8) & ~uint64_t{0xf}, start) << bar;
  }
  // The list of capabilities ends.
  std::set<uint64_t> seen;
  for (uint64_t at = number(0x34, 1); at != 0; at = number(at + 1, 1)) {
    ASSERT_TRUE(seen.insert(at).second) << "a loop at " << at;
    ASSERT_LT(at, 254u);
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST(ConfigurationSpaceTest, TwoDevicesDoNotShareARegion) {
  device::Configuration configuration;
  device::ConfigError error;
  ASSERT_TRUE(
      device::ParseConfiguration("[[device]]\npci_address = \"0000:00:05.0\"\n"
                                 "[[device]]\npci_address = \"0000:00:06.0\"\n",
                                 "machine", &configuration, &error));
  Tree tree = MakeTree(configuration, Host(false));
  std::set<std::string> starts;
  int regions = 0;
  for (const char* name : {"0000:00:05.0", "0000:00:06.0"}) {
    std::string text = Content(tree, absl::StrCat("sys/devices/pci0000:00/", name, "/resource"));
    for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      std::vector<std::string> words = absl::StrSplit(line, ' ');
      if (words[1] == "0x0000000000000000") continue;
      ++regions;
      starts.insert(words[0]);
    }
  }
  EXPECT_EQ(regions, 6);
  EXPECT_EQ(starts.size(), 6u);
}

class WriteTreeTest : public ::testing::Test {
 protected:
  WriteTreeTest() {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/tree.XXXXXX");
    directory_ = mkdtemp(pattern.data());
  }
  ~WriteTreeTest() override { fs::remove_all(directory_); }

  std::string Read(const std::string& path) {
    std::ifstream file(absl::StrCat(directory_, "/", path));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string directory_;
};

TEST_F(WriteTreeTest, WritesAndReplacesWhole) {
  std::string root = absl::StrCat(directory_, "/root");
  Tree tree = MakeTree(OneDevice(), Host(false));
  ASSERT_TRUE(WriteTree(tree, root).ok());
  EXPECT_EQ(Read("root/sys/bus/pci/devices/0000:00:05.0/vendor"), "0x10de\n");
  EXPECT_THAT(Read("root/manifest"), testing::EndsWith("\nend\n"));

  tree.entries[absl::StrCat(kFunction, "/vendor")].content = "0x1234\n";
  ASSERT_TRUE(WriteTree(tree, root).ok());
  EXPECT_EQ(Read("root/sys/bus/pci/devices/0000:00:05.0/vendor"), "0x1234\n");
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(WriteTreeTest, SaysWhichPathFails) {
  absl::Status status = WriteTree(MakeTree(OneDevice(), Host(false)), directory_ + "/none/root");
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none/root"));
}

TEST_F(WriteTreeTest, IsReadBackAsAHost) {
  ASSERT_TRUE(WriteTree(MakeTree(OneDevice(), Host(false)), directory_ + "/root").ok());
  absl::StatusOr<HostPci> host = ReadHostPci(directory_ + "/root");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->functions[kAddress], kFunction);
  EXPECT_EQ(host->buses["0000:00"], "sys/devices/pci0000:00");
  EXPECT_EQ(host->local_cpulist, "0-1");
  // Made again from what it shows, it is the same device in the same place.
  Tree again = MakeTree(OneDevice(), *host);
  EXPECT_EQ(FileOf(again, "uevent"), FileOf(MakeTree(OneDevice(), Host(false)), "uevent"));
}

TEST(ReadHostPciTest, AMachineWithoutPciHasNoFunctions) {
  std::string pattern = absl::StrCat(::testing::TempDir(), "/nopci.XXXXXX");
  std::string root = mkdtemp(pattern.data());
  absl::StatusOr<HostPci> host = ReadHostPci(root);
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_TRUE(host->functions.empty());
  EXPECT_THAT(MakeTree(OneDevice(), *host).owned, Contains(kFunction));
  fs::remove_all(root);
}

}  // namespace
}  // namespace vgpu::tree
