#include "tools/vgpu_doctor/time_argument.h"

#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

// 2026-02-24 10:12:00 at -0500.
const absl::TimeZone kZone = absl::FixedTimeZone(-5 * 3600);
absl::Time At(int day, int hour, int minute, int second = 0) {
  return absl::FromCivil(absl::CivilSecond(2026, 2, day, hour, minute, second), kZone);
}

absl::Time Parse(absl::string_view text) {
  absl::StatusOr<absl::Time> time = ParseTimeArgument(text, At(24, 10, 12), kZone);
  EXPECT_TRUE(time.ok()) << time.status();
  return time.value_or(absl::InfinitePast());
}

TEST(TimeArgument, InEveryForm) {
  EXPECT_EQ(Parse("2026-02-24T15:06:00Z"), At(24, 10, 6));
  EXPECT_EQ(Parse("2026-02-24T10:06:00-05:00"), At(24, 10, 6));
  EXPECT_EQ(Parse("2026-02-24 10:06:07"), At(24, 10, 6, 7));
  EXPECT_EQ(Parse("2026-02-24 10:06"), At(24, 10, 6));
  EXPECT_EQ(Parse("2026-02-23"), At(23, 0, 0));
  EXPECT_EQ(Parse("09:58"), At(24, 9, 58));
  EXPECT_EQ(Parse("09:58:01"), At(24, 9, 58, 1));
  EXPECT_EQ(Parse("today"), At(24, 0, 0));
  EXPECT_EQ(Parse("yesterday"), At(23, 0, 0));
  EXPECT_EQ(Parse("now"), At(24, 10, 12));
  EXPECT_EQ(Parse("-2h"), At(24, 8, 12));
  EXPECT_EQ(Parse("2h ago"), At(24, 8, 12));
  EXPECT_EQ(Parse("10 min ago"), At(24, 10, 2));
  EXPECT_EQ(Parse("3 days ago"), At(21, 10, 12));
  EXPECT_EQ(Parse(" @1771945560 "), absl::FromUnixSeconds(1771945560));
}

TEST(TimeArgument, WhatIsNoTimeSaysWhatIsOne) {
  for (absl::string_view text : {"", "soon", "2h", "-2", "25:00", "@x", "2026-13-01", "- h"}) {
    absl::StatusOr<absl::Time> time = ParseTimeArgument(text, At(24, 10, 12), kZone);
    EXPECT_FALSE(time.ok()) << text;
    EXPECT_NE(time.status().message().find("2h ago"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace vgpu::doctor
