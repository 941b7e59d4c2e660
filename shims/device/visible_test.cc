#include "shims/device/visible.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::device {
namespace {

// Four devices. The second is the fastest, the third and the fourth have UUIDs that begin alike.
Configuration Four() {
  Configuration configuration;
  ConfigError error;
  EXPECT_TRUE(ParseConfiguration(R"(
[[device]]
profile = "t4"
uuid = "GPU-9942190a-aa31-4ff1-4aa9-c388d80f85f1"
[[device]]
profile = "b200"
uuid = "GPU-00000000-0000-0000-0000-000000000001"
[[device]]
profile = "t4"
uuid = "GPU-e429a63e-c61c-4795-b757-5132caeb8e70"
[[device]]
profile = "l40s"
uuid = "GPU-e4e1dfbc-0a0f-6ad8-5ff6-dc942a8b9d98"
)",
                                 "", &configuration, &error))
      << error.reason.data();
  return configuration;
}

// The indices of the devices that are seen: "1 3 0 2".
std::string Seen(const char* names, const char* order) {
  const Visible visible = SelectVisible(Four(), names, order);
  std::string text;
  for (int i = 0; i < visible.count; ++i) {
    if (i > 0) text += ' ';
    text += std::to_string(visible.device[i]);
  }
  return text;
}

TEST(VisibleTest, TheOrderOfAll) {
  EXPECT_EQ(Seen(nullptr, "PCI_BUS_ID"), "0 1 2 3");
  EXPECT_EQ(Seen(nullptr, nullptr), "1 3 0 2");
  EXPECT_EQ(Seen(nullptr, "FASTEST_FIRST"), "1 3 0 2");
  EXPECT_EQ(Seen(nullptr, "anything"), "1 3 0 2");
  EXPECT_EQ(Seen("0,1", nullptr), "1 3");
}

struct Case {
  const char* names;
  const char* seen;
};

class VisibleNamesTest : public testing::TestWithParam<Case> {};

TEST_P(VisibleNamesTest, InTheOrderOfThePciBus) {
  EXPECT_EQ(Seen(GetParam().names, "PCI_BUS_ID"), GetParam().seen) << GetParam().names;
}

// As visible.h says which.
INSTANTIATE_TEST_SUITE_P(
    Documented, VisibleNamesTest,
    testing::Values(Case{"2,1", "2 1"}, Case{"0,2,-1,1", "0 2"}, Case{"3", "3"},
                    Case{"3,2,1,0", "3 2 1 0"}, Case{"0,4,1", "0"}, Case{"4", ""}, Case{"", ""},
                    Case{"-1", ""}, Case{"GPU-9942190a-aa31-4ff1-4aa9-c388d80f85f1", "0"},
                    Case{"GPU-9942190a", "0"}, Case{"GPU-e429,GPU-9", "2 0"}, Case{"GPU-e4", ""},
                    Case{"GPU-9,GPU-e4,GPU-e429", "0"}, Case{"GPU-123", ""},
                    Case{"GPU-9,GPU-123,GPU-e42", "0"},
                    Case{"GPU-9942190a-aa31-4ff1-4aa9-c388d80f85f10", ""}, Case{"MIG-89c850dc", ""},
                    Case{"MIG-GPU-9942190a/1/2", ""}, Case{"0,MIG-89c850dc,1", "0"},
                    Case{"all", ""}, Case{"none", ""}, Case{"NoDevFiles", ""}));

INSTANTIATE_TEST_SUITE_P(
    AsOthersSawIt, VisibleNamesTest,
    testing::Values(Case{"1gpu2,2ampere", "1 2"}, Case{"0, 1, 2, -1, 3", "0 1 2"},
                    Case{"0, 1, 2, 1", ""}, Case{"2, +3, -0, 1", "2 3 0 1"}, Case{"one,two,3", ""},
                    Case{"3,2,two,one", "3 2"}, Case{"0,0", ""}, Case{"GPU-9,GPU-e42,GPU-9942", ""},
                    Case{"00", "0"}, Case{"0x1", "0"}, Case{"1.5", "1"}, Case{"0-2", "0"},
                    Case{"0;1", "0"}, Case{"0,", "0"}, Case{",0", ""}, Case{"0,,1", "0"},
                    Case{" ", ""}, Case{",", ""}, Case{"99999999999999999999", ""},
                    Case{"4294967296", ""}, Case{"-", ""}, Case{"+", ""}, Case{"- 1", ""},
                    Case{"--1", ""}));

INSTANTIATE_TEST_SUITE_P(Chosen, VisibleNamesTest,
                         testing::Values(Case{"1,GPU-e429", "1 2"}, Case{"GPU-e429,1", "2 1"},
                                         Case{"2,GPU-e429", ""}, Case{" GPU-e429 , 1 ", "2 1"},
                                         Case{"GPU-E429A63E", "2"}, Case{"gpu-e429", ""},
                                         Case{"GPU-", ""}, Case{"GPU", ""}, Case{"e429a63e", ""},
                                         Case{"GPU-9942190aaa31", ""}));

TEST(VisibleTest, OneDeviceIsFoundByItsUuidHoweverItWasDerived) {
  Configuration configuration;
  for (const char* machine : {"", "a", "0123456789abcdef0123456789abcdef"}) {
    DefaultConfiguration(machine, &configuration);
    std::array<char, kUuidText> uuid;
    FormatUuid(configuration.devices[0].uuid, uuid);
    EXPECT_EQ(SelectVisible(configuration, uuid.data(), nullptr).count, 1);
  }
}

TEST(VisibleTest, WithoutDevicesNothingIsSeen) {
  EXPECT_EQ(SelectVisible(Configuration(), nullptr, nullptr).count, 0);
  EXPECT_EQ(SelectVisible(Configuration(), "0", nullptr).count, 0);
}

}  // namespace
}  // namespace vgpu::device
