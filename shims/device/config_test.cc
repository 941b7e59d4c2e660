#include "shims/device/config.h"

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::device {
namespace {

constexpr char kMachine[] = "0123456789abcdef0123456789abcdef\n";

Configuration Parsed(std::string_view text) {
  Configuration configuration;
  ConfigError error;
  EXPECT_TRUE(ParseConfiguration(text, kMachine, &configuration, &error))
      << error.line << ": " << error.reason.data();
  return configuration;
}

// "line 3: why".
std::string WhyNot(std::string_view text) {
  Configuration configuration;
  ConfigError error;
  if (ParseConfiguration(text, kMachine, &configuration, &error)) return "";
  EXPECT_EQ(configuration.count, 0);
  return "line " + std::to_string(error.line) + ": " + error.reason.data();
}

std::string PciOf(const Device& device) {
  std::array<char, kPciText> text;
  FormatPci(device.pci, text);
  return text.data();
}

std::string UuidOf(const Device& device) {
  std::array<char, kUuidText> text;
  FormatUuid(device.uuid, text);
  return text.data();
}

TEST(ConfigTest, WithoutAFileThereIsOneH100) {
  Configuration configuration;
  DefaultConfiguration(kMachine, &configuration);
  ASSERT_EQ(configuration.count, 1);
  const Device& device = configuration.All()[0];
  EXPECT_EQ(device.Name(), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(device.memory_bytes, 81920ull << 20);
  EXPECT_EQ(device.compute_major, 9);
  EXPECT_EQ(device.compute_minor, 0);
  EXPECT_EQ(device.pci_vendor, 0x10de);
  EXPECT_EQ(device.pci_device, 0x2331);
  EXPECT_EQ(device.pci_class, 0x030200u);
  EXPECT_EQ(PciOf(device), "0000:00:05.0");
  EXPECT_EQ(configuration.driver.Version(), "570.124.06");
  EXPECT_EQ(configuration.driver.cuda_version, 12080);
}

TEST(ConfigTest, AnEmptyDeviceIsTheDefaultOne) {
  Configuration without;
  DefaultConfiguration(kMachine, &without);
  const Configuration with = Parsed("[[device]]\n");
  EXPECT_EQ(UuidOf(with.devices[0]), UuidOf(without.devices[0]));
  EXPECT_EQ(with.devices[0].Name(), without.devices[0].Name());
  EXPECT_EQ(with.driver.Version(), without.driver.Version());
}

TEST(ConfigTest, TheFileOverridesTheProfileWhateverTheOrder) {
  const Configuration configuration = Parsed(R"(
[[device]]
name = "HEXACORE vH100 CAP"
memory_mib = 40_960
compute_capability = "8.9"
uuid = "GPU-D110A105-ac29-1d54-7b49-9c90440f215b"
pci_address = "0000:0A:00.0"
pci_vendor_id = 0x10df
pci_device_id = 0x2330
pci_class = 0x030000
profile = "t4"
[driver]
version = "535.183.01"
cuda_version = "12.2"
)");
  const Device& device = configuration.devices[0];
  EXPECT_EQ(device.profile->id, "t4");
  EXPECT_EQ(device.Name(), "HEXACORE vH100 CAP");
  EXPECT_EQ(device.memory_bytes, 40960ull << 20);
  EXPECT_EQ(device.compute_major, 8);
  EXPECT_EQ(device.compute_minor, 9);
  EXPECT_EQ(UuidOf(device), "GPU-d110a105-ac29-1d54-7b49-9c90440f215b");
  EXPECT_EQ(PciOf(device), "0000:0a:00.0");
  EXPECT_EQ(device.pci_vendor, 0x10df);
  EXPECT_EQ(device.pci_device, 0x2330);
  EXPECT_EQ(device.pci_class, 0x030000u);
  EXPECT_EQ(configuration.driver.Version(), "535.183.01");
  EXPECT_EQ(configuration.driver.cuda_version, 12020);
}

TEST(ConfigTest, FurtherDevicesGetTheNextFreeAddressesAndAllAreInTheirOrder) {
  const Configuration configuration = Parsed(R"(
[[device]]
name = "first"
[[device]]
name = "second"
[[device]]
name = "third"
pci_address = "0000:00:06.0"
[[device]]
name = "fourth"
pci_address = "0000:00:04.0"
)");
  ASSERT_EQ(configuration.count, 4);
  EXPECT_EQ(PciOf(configuration.devices[0]), "0000:00:04.0");
  EXPECT_EQ(configuration.devices[0].Name(), "fourth");
  EXPECT_EQ(configuration.devices[1].Name(), "first");
  EXPECT_EQ(configuration.devices[2].Name(), "third");
  EXPECT_EQ(PciOf(configuration.devices[3]), "0000:00:07.0");
  EXPECT_EQ(configuration.devices[3].Name(), "second");
}

TEST(ConfigTest, SixteenDevicesAndNoMore) {
  std::string text;
  for (int i = 0; i < 16; ++i) text += "[[device]]\n";
  const Configuration configuration = Parsed(text);
  EXPECT_EQ(configuration.count, 16);
  EXPECT_EQ(PciOf(configuration.devices[15]), "0000:00:14.0");
  EXPECT_EQ(WhyNot(text + "[[device]]\n"), "line 17: more than 16 devices");
}

TEST(ConfigTest, DevicesHaveAddressesAndUuidsOfTheirOwn) {
  EXPECT_EQ(WhyNot("[[device]]\n[[device]]\npci_address = \"00:05.0\"\n"),
            "line 3: pci_address: the device of line 1 has it too");
  EXPECT_EQ(WhyNot("[[device]]\nuuid = \"GPU-d110a105-ac29-1d54-7b49-9c90440f215b\"\n"
                   "[[device]]\nuuid = \"GPU-D110A105-AC29-1d54-7b49-9c90440f215b\"\n"),
            "line 4: uuid: the device of line 1 has it too");
}

TEST(ConfigTest, AUuidStaysWhatItIs) {
  const PciAddress address{.domain = 0, .bus = 0, .device = 5, .function = 0};
  const Uuid uuid = DeriveUuid("0123456789abcdef0123456789abcdef", address);
  std::array<char, kUuidText> text;
  FormatUuid(uuid, text);
  // printf 'vgpu device uuid\0%s\0%s' 0123456789abcdef0123456789abcdef 0000:00:05.0 | sha256sum
  EXPECT_STREQ(text.data(), "GPU-b9379b4e-654b-5ba1-1fcc-61281867539b");
  EXPECT_EQ(DeriveUuid(kMachine, address), uuid) << "the newline of /etc/machine-id matters";
  EXPECT_NE(DeriveUuid("", address), uuid);
  EXPECT_NE(DeriveUuid(kMachine, {.domain = 0, .bus = 0, .device = 6, .function = 0}), uuid);
  EXPECT_NE(DeriveUuid("", address), Uuid());
}

TEST(ConfigTest, AnErrorNamesLineAndReason) {
  EXPECT_EQ(WhyNot("[[device]]\nprofile = \"h100\"\n"),
            "line 2: profile: there is no profile h100; there are h100-80gb-hbm3, h200-141gb, "
            "a100-80gb, l40s, t4, b200");
  EXPECT_EQ(WhyNot("[[device]]\nuuid = \"d110a105\"\n"),
            "line 2: uuid: not of the form GPU-8-4-4-4-12 hexadecimal digits");
  EXPECT_EQ(WhyNot("[[device]]\nmemory_mib = \"80G\"\n"),
            "line 2: memory_mib: a number without quotes is wanted");
  EXPECT_EQ(WhyNot("[[device]]\nmemory_mib = 0\n"), "line 2: memory_mib: out of range");
  EXPECT_EQ(WhyNot("[[device]]\nmemory_mib = -1\n"), "line 2: memory_mib: out of range");
  EXPECT_EQ(WhyNot("[[device]]\npci_class = 0x1000000\n"), "line 2: pci_class: out of range");
  EXPECT_EQ(WhyNot("[[device]]\npci_address = \"5\"\n"),
            "line 2: pci_address: not of the form 0000:00:05.0");
  EXPECT_EQ(WhyNot("[[device]]\ncompute_capability = \"90\"\n"),
            "line 2: compute_capability: not of the form 9.0");
  EXPECT_EQ(WhyNot("[device]\n"), "line 1: [device] should be [[device]]");
  EXPECT_EQ(WhyNot("[driver]\nversion = 570\n"), "line 2: version: a text in quotes is wanted");
  EXPECT_EQ(WhyNot("[driver]\nversion = \"570.\"\n"),
            "line 2: version: not of the form 570.124.06");
  EXPECT_EQ(WhyNot("[driver]\ncuda_version = \"12\"\n"),
            "line 2: cuda_version: not of the form 12.8");
  EXPECT_EQ(WhyNot(""), "line 1: no [[device]] follows");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"x\n"), "line 2: name: a quote that is not closed");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"\"\n"), "line 2: name: empty");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"\\u001b[2J\"\n"),
            "line 2: name: a control character, or a byte that is no UTF-8");
  EXPECT_EQ(WhyNot("[[device]]\nname = \"" + std::string(96, 'x') + "\"\n"),
            "line 2: name: longer than 95 bytes");
  EXPECT_EQ(Parsed("[[device]]\nname = \"" + std::string(95, 'x') + "\"\n").devices[0].Name(),
            std::string(95, 'x'));
}

TEST(ConfigTest, WhatIsNoTomlIsSaidFirst) {
  EXPECT_EQ(WhyNot("[[device]]\nprofile = \"h100\"\nname = x\n"),
            "line 3: name: a text in quotes, a whole number, true or false is wanted, not `x`");
}

TEST(ConfigTest, TablesAndKeysThatMeanNothingAreLeftAlone) {
  const Configuration configuration =
      Parsed("x = 1\n[[device]]\nmemory_mb = 1\n[other]\nversion = 3\n");
  EXPECT_EQ(configuration.count, 1);
  EXPECT_EQ(configuration.driver.Version(), "570.124.06");
}

}  // namespace
}  // namespace vgpu::device
