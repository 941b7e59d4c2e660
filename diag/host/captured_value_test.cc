#include "diag/host/captured_value.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

TEST(CapturedValue, IsWhatItSays) {
  EXPECT_EQ(*CapturedTime("2026-02-24T05:06:00.5-05:00"), absl::FromUnixMillis(1771927560500));
  EXPECT_EQ(*CapturedId(0), 0u);
  EXPECT_EQ(*CapturedId(4294967295), 4294967295u);
  EXPECT_EQ(*CapturedMode("0"), 0u);
  EXPECT_EQ(*CapturedMode("0755"), 0755u);
  EXPECT_EQ(*CapturedMode("104755"), 04755u);  // st_mode as it is, with the type
}

TEST(CapturedValue, IsNeverTakenForAnother) {
  for (const char* text : {"", "x", "2026-02-24", "2026-02-24T05:06:00", "1771927560",
                           "infinite-future", " infinite-past "}) {
    EXPECT_TRUE(CapturedTime(text).not_observed()) << text;
  }
  EXPECT_TRUE(CapturedId(uint64_t{1} << 32).not_observed());
  EXPECT_TRUE(CapturedId(UINT64_MAX).not_observed());
  for (const char* text : {"", "-1", " 755", "0888", "rwx", "0x1"}) {
    EXPECT_TRUE(CapturedMode(text).not_observed()) << text;
  }
  EXPECT_EQ(*CapturedMode(std::string(1000, '7')), 07777u);
}

}  // namespace
}  // namespace vgpu::host
