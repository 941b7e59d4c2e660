#include "diag/ollama/visible_devices.h"

#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

const char kId[] = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b";

VisibleDevices One(absl::string_view value) { return ParseVisibleDevices(value, DeviceIds{kId}); }

TEST(VisibleDevicesTest, AnIndexOrTheBeginningOfAnIdShowsTheDevice) {
  for (absl::string_view value :
       {absl::string_view("0"), absl::string_view(" 0"), absl::string_view(kId),
        absl::string_view("GPU-d110a105"), absl::string_view("GPU-D110A105")}) {
    EXPECT_EQ(One(value).indices, (std::vector<size_t>{0})) << value;
  }
}

TEST(VisibleDevicesTest, WhatNamesNoDeviceHidesAll) {
  for (absl::string_view value : {"", "-1", "NoDevFiles", "none", "1", "GPU-ffffffff", "\"0\""}) {
    EXPECT_TRUE(One(value).indices.empty()) << value;
    EXPECT_FALSE(One(value).uncertain) << value;
  }
}

TEST(VisibleDevicesTest, TheFirstThatNamesNoneEndsTheList) {
  EXPECT_EQ(One("0,7").indices, (std::vector<size_t>{0}));
  EXPECT_EQ(One("0,7").stopped_at, "7");
  EXPECT_TRUE(One("7,0").indices.empty());
}

TEST(VisibleDevicesTest, WhereNoIdIsKnownAnIdMayBeOne) {
  EXPECT_TRUE(ParseVisibleDevices("GPU-ffffffff", DeviceIds{std::nullopt}).uncertain);
  EXPECT_TRUE(ParseVisibleDevices("MIG-1234", DeviceIds{kId}).uncertain);
  EXPECT_TRUE(ParseVisibleDevices("GPU-ffffffff", std::nullopt).uncertain);
  EXPECT_EQ(ParseVisibleDevices("3", std::nullopt).indices, (std::vector<size_t>{3}));
  EXPECT_TRUE(ParseVisibleDevices("-1", std::nullopt).indices.empty());
}

TEST(VisibleDevicesTest, WhatIsNotWrittenDownIsUncertain) {
  EXPECT_TRUE(One("0,0").uncertain);
  EXPECT_TRUE(One("0x0").uncertain);
}

}  // namespace
}  // namespace vgpu::ollama
