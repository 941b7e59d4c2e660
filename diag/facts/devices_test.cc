#include "diag/facts/devices.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

std::string WhyNot(absl::string_view text) {
  absl::StatusOr<DeviceConfig> config = ParseDeviceConfig(text);
  return config.ok() ? "" : std::string(config.status().message());
}

TEST(DevicesTest, AProfileGivesWhatTheFileLeavesOut) {
  absl::StatusOr<DeviceConfig> config = ParseDeviceConfig("[[device]]\nprofile = \"l40s\"\n");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->devices.size(), 1u);
  const ConfiguredDevice& device = config->devices[0];
  EXPECT_EQ(device.name, "NVIDIA L40S");
  EXPECT_EQ(device.compute_capability, "8.9");
  EXPECT_EQ(device.pci_address, "0000:00:05.0");
  EXPECT_FALSE(device.memory_given);
  EXPECT_FALSE(device.uuid.has_value());
}

TEST(DevicesTest, TheFileOverridesTheProfileWhateverTheOrder) {
  absl::StatusOr<DeviceConfig> config = ParseDeviceConfig(R"(
[[device]]
name = "HEXACORE vH100 CAP"
memory_mib = 40960
compute_capability = "8.9"
uuid = "GPU-D110A105-ac29-1d54-7b49-9c90440f215b"
pci_address = "0000:0A:00.0"
pci_device_id = 0x2330
profile = "h100-80gb-hbm3"
[driver]
version = "570.124.06"
cuda_version = "12.8"
)");
  ASSERT_TRUE(config.ok()) << config.status();
  const ConfiguredDevice& device = config->devices[0];
  EXPECT_EQ(device.name, "HEXACORE vH100 CAP");
  EXPECT_EQ(device.memory_mib, 40960);
  EXPECT_TRUE(device.memory_given);
  EXPECT_EQ(device.compute_capability, "8.9");
  EXPECT_EQ(*device.uuid, "GPU-d110a105-ac29-1d54-7b49-9c90440f215b");
  EXPECT_EQ(device.pci_address, "0000:0a:00.0");
  EXPECT_EQ(device.pci_vendor_id, 0x10deu);
  EXPECT_EQ(device.pci_device_id, 0x2330u);
  EXPECT_EQ(device.line, 2);
  EXPECT_EQ(*config->driver_version, "570.124.06");
  EXPECT_EQ(*config->cuda_version, "12.8");
}

TEST(DevicesTest, ASecondDeviceHasNoDefaultAddress) {
  absl::StatusOr<DeviceConfig> config = ParseDeviceConfig("[[device]]\n[[device]]\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->devices[0].pci_address, "0000:00:05.0");
  EXPECT_EQ(config->devices[1].pci_address, "");
}

TEST(DevicesTest, AnErrorNamesLineAndReason) {
  EXPECT_TRUE(absl::StartsWith(WhyNot("[[device]]\nprofile = \"h100\"\n"),
                               "line 2: profile: there is no profile h100; there are h100-80gb"));
  EXPECT_EQ(WhyNot("[[device]]\nuuid = \"d110a105\"\n"),
            "line 2: uuid: not of the form GPU-8-4-4-4-12 hexadecimal digits");
  EXPECT_EQ(WhyNot("[[device]]\nmemory_mib = \"80G\"\n"),
            "line 2: memory_mib: a number without quotes is wanted");
  EXPECT_EQ(WhyNot("[[device]]\nmemory_mib = 0\n"), "line 2: memory_mib: out of range");
  EXPECT_EQ(WhyNot("[[device]]\npci_class = 0x1000000\n"), "line 2: pci_class: out of range");
  EXPECT_EQ(WhyNot("[[device]]\npci_address = \"5\"\n"),
            "line 2: pci_address: not of the form 0000:00:05.0");
  EXPECT_EQ(WhyNot("[[device]]\ncompute_capability = \"90\"\n"),
            "line 2: compute_capability: not of the form 9.0");
  EXPECT_EQ(WhyNot("[device]\n"), "line 1: [device] should be [[device]]");
  EXPECT_EQ(WhyNot("[driver]\nversion = 570\n"), "line 2: version: a text in quotes is wanted");
  EXPECT_EQ(WhyNot(""), "line 1: no [[device]] follows");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"x\n"), "line 2: name: a quote that is not closed");
}

TEST(DevicesTest, WhatTheShimsCannotShow) {
  std::string many;
  for (int i = 0; i < 16; ++i) many += "[[device]]\n";
  EXPECT_EQ(WhyNot(many), "");
  EXPECT_EQ(WhyNot(many + "[[device]]\n"), "line 17: more than 16 devices");
  EXPECT_EQ(WhyNot("[[device]]\n[[device]]\npci_address = \"00:05.0\"\n"),
            "line 3: pci_address: the device of line 1 has it too");
  constexpr char kUuid[] = "uuid = \"GPU-d110a105-ac29-1d54-7b49-9c90440f215b\"\n";
  EXPECT_EQ(WhyNot(absl::StrCat("[[device]]\n", kUuid, "[[device]]\n", kUuid)),
            "line 4: uuid: the device of line 1 has it too");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"\"\n"), "line 2: name: empty");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"" + std::string(96, 'x') + "\"\n"),
            "line 2: name: longer than 95 bytes");
  EXPECT_EQ(WhyNot("[[device]]\n[driver]\nversion = \"570.\"\n"),
            "line 3: version: not of the form 570.124.06");
  EXPECT_EQ(WhyNot("[[device]]\n[driver]\ncuda_version = \"12\"\n"),
            "line 3: cuda_version: not of the form 12.8");
}

TEST(DevicesTest, AKeyThatMeansNothingIsNamed) {
  absl::StatusOr<DeviceConfig> config =
      ParseDeviceConfig("[[device]]\nmemory_mb = 1\n[other]\nx = 1\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->unknown, (std::vector<std::string>{"line 2: memory_mb", "line 4: x"}));
}

TEST(DevicesTest, PciAddresses) {
  EXPECT_EQ(CanonicalPciAddress("0000:00:05.0"), "0000:00:05.0");
  EXPECT_EQ(CanonicalPciAddress("00000000:0F:1f.7"), "0000:0f:1f.7");
  EXPECT_EQ(CanonicalPciAddress("00010000:01:00.0"), "10000:01:00.0");
  EXPECT_EQ(CanonicalPciAddress("01:00.0"), "0000:01:00.0");
  for (absl::string_view wrong : {"", "0000:00:25.0", "0000:00:05.8", "99fff950:99fff9",
                                  "0000:17361170:7", "0000:00:05", "0000:00:05.0 "}) {
    EXPECT_FALSE(CanonicalPciAddress(wrong).has_value()) << std::string(wrong);
  }
}

TEST(DevicesTest, TheDefaultStandsInNoFile) {
  const DeviceConfig config = DefaultDeviceConfig();
  ASSERT_EQ(config.devices.size(), 1u);
  EXPECT_EQ(config.devices[0].profile, "h100-80gb-hbm3");
  EXPECT_EQ(config.devices[0].pci_device_id, 0x2331u);
  EXPECT_EQ(config.devices[0].line, 0);
}

TEST(DevicesTest, ProfilesDiffer) {
  std::set<std::string> ids;
  for (const DeviceProfile& profile : AllProfiles()) {
    EXPECT_TRUE(ids.insert(std::string(profile.id)).second);
    EXPECT_EQ(FindProfile(profile.id), &profile);
  }
  EXPECT_EQ(FindProfile("h100"), nullptr);
}

}  // namespace
}  // namespace vgpu::facts
