#include "shims/device/device.h"

#include <array>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::device {
namespace {

std::string Written(const PciAddress& address) {
  std::array<char, kPciText> text;
  FormatPci(address, text);
  return text.data();
}

std::string Read(std::string_view text) {
  PciAddress address;
  return ParsePci(text, &address) ? Written(address) : "none";
}

TEST(DeviceTest, PciAddressesInEveryFormThatToolsPrint) {
  EXPECT_EQ(Read("0000:00:05.0"), "0000:00:05.0");
  EXPECT_EQ(Read("00000000:0F:1f.7"), "0000:0f:1f.7");  // NVML
  EXPECT_EQ(Read("01:00.0"), "0000:01:00.0");           // lspci
  EXPECT_EQ(Read("00010000:01:00.0"), "10000:01:00.0");
  EXPECT_EQ(Read("ffffffff:ff:1f.7"), "ffffffff:ff:1f.7");
  for (std::string_view wrong :
       {"", "0000:00:25.0", "0000:00:05.8", "99fff950:99fff9", "0000:17361170:7", "0000:00:05",
        "0000:00:05.0 ", "000:00:05.0", "000000000:00:05.0", ":00:05.0", "0:05.0", "00:05.00"}) {
    EXPECT_EQ(Read(wrong), "none") << wrong;
  }
}

TEST(DeviceTest, AddressesAreOrderedAsThePciBusIs) {
  const PciAddress a{.domain = 0, .bus = 0, .device = 31, .function = 7};
  const PciAddress b{.domain = 0, .bus = 1, .device = 0, .function = 0};
  const PciAddress c{.domain = 1, .bus = 0, .device = 0, .function = 0};
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
}

TEST(DeviceTest, UuidsThereAndBack) {
  constexpr char kText[] = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b";
  Uuid uuid;
  ASSERT_TRUE(ParseUuid("gpu-D110A105-ac29-1d54-7b49-9c90440f215b", &uuid));
  EXPECT_EQ(uuid.bytes[0], 0xd1);
  EXPECT_EQ(uuid.bytes[15], 0x5b);
  std::array<char, kUuidText> text;
  FormatUuid(uuid, text);
  EXPECT_STREQ(text.data(), kText);
  for (std::string_view wrong :
       {"", "d110a105-ac29-1d54-7b49-9c90440f215b", "GPU-d110a105-ac29-1d54-7b49-9c90440f215",
        "GPU-d110a105-ac29-1d54-7b49-9c90440f215bb", "GPU-d110a105ac29-1d54--7b49-9c90440f215b",
        "GPU-d110a105-ac29-1d54-7b49-9c90440f215g", "MIG-d110a105-ac29-1d54-7b49-9c90440f215b"}) {
    EXPECT_FALSE(ParseUuid(wrong, &uuid)) << wrong;
  }
}

TEST(DeviceTest, ProfilesAreWhole) {
  std::set<std::string_view> ids;
  for (const Profile& profile : AllProfiles()) {
    SCOPED_TRACE(profile.id);
    EXPECT_TRUE(ids.insert(profile.id).second);
    EXPECT_EQ(FindProfile(profile.id), &profile);
    EXPECT_LT(profile.name.size(), kMaxName);
    EXPECT_GT(profile.memory_mib, 0u);
    EXPECT_GE(profile.shared_memory_per_block_optin, profile.shared_memory_per_block);
    EXPECT_GE(profile.shared_memory_per_multiprocessor,
              profile.shared_memory_per_block_optin + profile.shared_memory_reserved_per_block);
    EXPECT_EQ(profile.threads_per_multiprocessor % 32, 0);
    EXPECT_LE(profile.idle_sm_clock_khz, profile.max_sm_clock_khz);
    EXPECT_LE(profile.idle_memory_clock_khz, profile.max_memory_clock_khz);
    EXPECT_LE(profile.min_power_limit_mw, profile.power_limit_mw);
    EXPECT_LE(profile.power_limit_mw, profile.max_power_limit_mw);
    EXPECT_LT(profile.temperature_c, profile.max_operating_temperature_c);
    EXPECT_LT(profile.max_operating_temperature_c, profile.slowdown_temperature_c);
    EXPECT_LT(profile.slowdown_temperature_c, profile.shutdown_temperature_c);
    EXPECT_LE(profile.persisting_l2_cache_bytes, profile.l2_cache_bytes);
    // Persisting accesses came with compute capability 8.0 (CUDA Programming Guide).
    EXPECT_EQ(profile.persisting_l2_cache_bytes > 0, profile.compute_major >= 8);
    EXPECT_EQ(profile.nvlinks > 0, profile.nvlink_version > 0);
  }
  EXPECT_EQ(FindProfile("h100"), nullptr);
}

}  // namespace
}  // namespace vgpu::device
