#include "diag/procfs/scan.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

TEST(TakeLine, LastLineNeedsNoNewline) {
  absl::string_view text("one\n\nthree");
  absl::string_view line;
  ASSERT_TRUE(TakeLine(&text, &line));
  EXPECT_EQ(line, "one");
  ASSERT_TRUE(TakeLine(&text, &line));
  EXPECT_EQ(line, "");
  ASSERT_TRUE(TakeLine(&text, &line));
  EXPECT_EQ(line, "three");
  EXPECT_FALSE(TakeLine(&text, &line));
}

TEST(TakeField, SkipsRunsOfSpacesAndTabs) {
  absl::string_view line("  22\t27 ");
  EXPECT_EQ(TakeField(&line), "22");
  EXPECT_EQ(TakeField(&line), "27");
  EXPECT_EQ(TakeField(&line), "");
}

TEST(ParseNumber, IsDigitsAndNothingElse) {
  uint32_t value = 7;
  for (absl::string_view text : {"", " 1", "+1", "-1", "1 ", "0x1", "4294967296"}) {
    EXPECT_FALSE(ParseNumber(text, &value)) << text;
    EXPECT_EQ(value, 7u) << text;
  }
  EXPECT_TRUE(ParseNumber("4294967295", &value));
  EXPECT_EQ(value, 4294967295u);
  EXPECT_TRUE(ParseNumber("fe", &value, 16));
  EXPECT_EQ(value, 0xfeu);
  int32_t negative = 0;
  EXPECT_TRUE(ParseNumber("-1", &negative));
  EXPECT_EQ(negative, -1);
}

TEST(UnescapeOctal, ThreeDigitsAreOneByte) {
  EXPECT_EQ(UnescapeOctal("/b\\043s\\040r\\134x"), "/b#s r\\x");
  EXPECT_EQ(UnescapeOctal("\\377"), "\xff");
}

TEST(UnescapeOctal, OtherBackslashesStay) {
  EXPECT_EQ(UnescapeOctal("\\04"), "\\04");
  EXPECT_EQ(UnescapeOctal("\\477"), "\\477");
  EXPECT_EQ(UnescapeOctal("\\x41\\"), "\\x41\\");
}

TEST(Quoted, IsShortAndPrintable) {
  EXPECT_EQ(Quoted(absl::string_view("a\0\xff", 3)), "\"a\\x00\\xff\"");
  EXPECT_EQ(Quoted(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace vgpu::procfs
