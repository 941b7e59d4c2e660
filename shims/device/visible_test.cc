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

// CUDA C++ Programming Guide 12.8, "CUDA Environment Variables".
INSTANTIATE_TEST_SUITE_P(Documented, VisibleNamesTest,
                         testing::Values(Case{"2,1", "2 1"}, Case{"0,2,-1,1", "0 2"},
                                         Case{"0,4,1", "0"}, Case{"", ""}, Case{"-1", ""},
                                         Case{"GPU-9942190a-aa31-4ff1-4aa9-c388d80f85f1", "0"},
                                         Case{"GPU-9942190a", "0"}, Case{"GPU-e429,GPU-9", "2 0"},
                                         Case{"GPU-e4", ""}, Case{"GPU-9,GPU-e4,GPU-e429", "0"}));

}  // namespace
}  // namespace vgpu::device
