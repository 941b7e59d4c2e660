#include "diag/report/visible.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(Visible, OrdinaryTextStaysAsItIs) {
  EXPECT_EQ(Visible(R"(msg="inference compute" library=CUDA C:\x)"),
            R"(msg="inference compute" library=CUDA C:\x)");
  EXPECT_EQ(Visible("Zürich, 東京, 🙂"), "Zürich, 東京, 🙂");
}

TEST(Visible, ATerminalEscapeIsShownAndNotObeyed) {
  EXPECT_EQ(Visible("\x1b[2J\x1b]0;owned\x07"), R"(\x1b[2J\x1b]0;owned\x07)");
  EXPECT_EQ(Visible("a\rb\x7f"), R"(a\x0db\x7f)");
}

TEST(Visible, AnEightBitControlIsShownInBothOfItsForms) {
  EXPECT_EQ(Visible("\xc2\x9b"
                    "31m"),
            R"(\u009b31m)");  // CSI as UTF-8
  EXPECT_EQ(Visible("\x9b"
                    "31m"),
            R"(\x9b31m)");  // CSI as a byte
}

TEST(Visible, LinesAndTabsBecomeOneLine) { EXPECT_EQ(Visible("a\n\tb\n"), R"(a\n\tb\n)"); }

TEST(Visible, NulBytesOfAnEnvironmentAreShown) {
  EXPECT_EQ(Visible(absl::string_view("A=1\0B=2", 7)), R"(A=1\x00B=2)");
}

TEST(Visible, MarksThatTurnOrHideTextAreShown) {
  EXPECT_EQ(Visible("\u202Egnp.exe\u202C"), R"(\u202egnp.exe\u202c)");
  EXPECT_EQ(Visible("pass\u200Bword\uFEFF"), R"(pass\u200bword\ufeff)");
  EXPECT_EQ(Visible("\u2066a\u2069\u2028b\u200F"), R"(\u2066a\u2069\u2028b\u200f)");
  EXPECT_EQ(Visible("\U000E0041"), R"(\U000e0041)");
}

TEST(Visible, WhatIsNoUtf8IsShownByteByByte) {
  EXPECT_EQ(Visible("caf\xe9!"), R"(caf\xe9!)");
  EXPECT_EQ(Visible("\xc0\xaf"), R"(\xc0\xaf)");                  // overlong '/'
  EXPECT_EQ(Visible("\xe0\x80\xaf"), R"(\xe0\x80\xaf)");          // overlong, three bytes
  EXPECT_EQ(Visible("\xed\xa0\x80"), R"(\xed\xa0\x80)");          // a surrogate
  EXPECT_EQ(Visible("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");  // beyond U+10FFFF
  EXPECT_EQ(Visible("\xe6\x9d"), R"(\xe6\x9d)");                  // cut short
}

TEST(Visible, DoingItTwiceChangesNothing) {
  const std::string once = Visible("\x1b\n\xff\u202e\\x1b");
  EXPECT_EQ(Visible(once), once);
}

TEST(VisibleQuote, TextThatFitsIsWhole) {
  EXPECT_EQ(VisibleQuote("library=CUDA", 12), "library=CUDA");
  EXPECT_EQ(VisibleQuote("", 0), "");
}

TEST(VisibleQuote, LongTextSaysHowMuchIsMissing) {
  EXPECT_EQ(VisibleQuote("library=CUDA", 7), "library…[+5 bytes]");
}

TEST(VisibleQuote, NeverCutsACharacterOrAnEscapeInTwo) {
  EXPECT_EQ(VisibleQuote("aé", 2), "a…[+2 bytes]");
  EXPECT_EQ(VisibleQuote("a\x1b[0m", 4), "a…[+4 bytes]");
  EXPECT_EQ(VisibleQuote("a\x1b[0m", 5), R"(a\x1b…[+3 bytes])");
}

TEST(VisibleQuote, AMegabyteIsBounded) {
  const std::string quote = VisibleQuote(std::string(1 << 20, '\0'), 1000);
  EXPECT_LE(quote.size(), 1030u);
  EXPECT_TRUE(quote.ends_with("…[+1048326 bytes]")) << quote.substr(980);
}

TEST(AsciiOnly, KeepsTheMeaningOfTypography) {
  EXPECT_EQ(AsciiOnly("a … b – c — “d” → e’s"), "a ... b - c -- \"d\" -> e's");
  EXPECT_EQ(AsciiOnly("Zürich 🙂"), R"(Z\u00fcrich \U0001f642)");
  EXPECT_EQ(AsciiOnly(R"(\x1b)"), R"(\x1b)");
}

}  // namespace
}  // namespace vgpu::report
