#include "diag/systemd/quoting.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Words(absl::string_view text, Escapes escapes = Escapes::kC) {
  absl::StatusOr<std::vector<std::string>> words = SplitWords(text, escapes);
  if (words.ok()) return *words;
  return {"error", std::string(words.status().message())};
}

TEST(QuotingTest, AnUnquotedSpaceCutsAValue) {
  EXPECT_THAT(Words("LD_PRELOAD=/a.so /b.so"), ElementsAre("LD_PRELOAD=/a.so", "/b.so"));
}

TEST(QuotingTest, QuotesMayStandAroundAllOrPartOfAWord) {
  EXPECT_THAT(Words("\"K=V W\""), ElementsAre("K=V W"));
  EXPECT_THAT(Words("K=\"V W\" 'A=b c'"), ElementsAre("K=V W", "A=b c"));
  EXPECT_THAT(Words("a\"b\"'c' \"\" x"), ElementsAre("abc", "", "x"));
  EXPECT_THAT(Words("\"it's\" 'say \"x\"'"), ElementsAre("it's", "say \"x\""));
}

TEST(QuotingTest, EscapesOfC) {
  EXPECT_THAT(Words("\\x41\\s\\102\\tz \\\"q\\\" \\\\ \\u20ac \\U0001f600"),
              ElementsAre("A B\tz", "\"q\"", "\\", "\xe2\x82\xac", "\xf0\x9f\x98\x80"));
  EXPECT_THAT(Words("'a\\x20b'"), ElementsAre("a b"));  // in single quotes, too
}

TEST(QuotingTest, EscapesThatCannotBe) {
  for (absl::string_view text :
       {"\\x00", "\\000", "\\400", "\\x4", "\\12", "\\ud", "\\U00110000", "\\q", "\\$", "end\\"}) {
    EXPECT_EQ(SplitWords(text, Escapes::kC).status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(QuotingTest, ARelaxedReaderKeepsUnknownEscapes) {
  EXPECT_THAT(Words("a\\qb end\\", Escapes::kCRelaxed), ElementsAre("a\\qb", "end\\"));
  EXPECT_THAT(Words("\"end\\", Escapes::kCRelaxed), ElementsAre("error", "backslash at the end"));
}

TEST(QuotingTest, OtherReadersOfBackslashes) {
  EXPECT_THAT(Words("a\\ b\\n", Escapes::kPlain), ElementsAre("a bn"));
  EXPECT_THAT(Words("/sys/pci0000\\:00 b", Escapes::kKeep), ElementsAre("/sys/pci0000\\:00", "b"));
}

TEST(QuotingTest, AnUnbalancedQuoteIsAnErrorAndTakesNothing) {
  absl::string_view rest = "A=1 \"B";
  EXPECT_EQ(TakeWord(&rest, Escapes::kC).value(), "A=1");
  EXPECT_EQ(rest, "\"B");
  EXPECT_EQ(TakeWord(&rest, Escapes::kC).status().message(), "unbalanced quote");
  EXPECT_EQ(rest, "\"B");
}

TEST(QuotingTest, WhiteSpaceAloneHoldsNoWord) {
  EXPECT_THAT(Words(" \t\r\n "), IsEmpty());
  EXPECT_THAT(Words(""), IsEmpty());
}

TEST(QuotingTest, ReadsWhatSystemctlShowPrints) {
  EXPECT_THAT(*SplitShown("A=1 \"E=\\$ORIGIN\" \"Q=a\\\"b\\\\c\\`\" \"N=x\\ny\\033\" B=2"),
              ElementsAre("A=1", "E=$ORIGIN", "Q=a\"b\\c`", "N=x\ny\033", "B=2"));
  EXPECT_THAT(*SplitShown("\"A=it's\" \"G=*.so\""), ElementsAre("A=it's", "G=*.so"));
  EXPECT_FALSE(SplitShown("A=1 \"B=2").ok());
  EXPECT_FALSE(SplitShown("\"B=\\q\"").ok());
}

TEST(QuotingTest, ReadsWhatShowEnvironmentPrints) {
  EXPECT_EQ(*UnquotePosix("/usr/bin:/bin"), "/usr/bin:/bin");
  EXPECT_EQ(*UnquotePosix("$'/a.so /b.so\\'s\\n'"), "/a.so /b.so's\n");
  EXPECT_FALSE(UnquotePosix("$'open").ok());
  EXPECT_FALSE(UnquotePosix("$'a'b").ok());
}

}  // namespace
}  // namespace vgpu::systemd
