#include "diag/systemd/text.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

TEST(TextTest, TakesWhiteSpaceOffBothEndsAndNothingElse) {
  EXPECT_EQ(StripWhitespace(" \t a b \r\n"), "a b");
  EXPECT_EQ(StripWhitespace("\va\f"), "\va\f");
  EXPECT_EQ(StripWhitespace(" \n"), "");
}

TEST(TextTest, KnowsUtf8FromOtherBytes) {
  EXPECT_TRUE(IsValidUtf8("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  EXPECT_FALSE(IsValidUtf8("caf\xe9"));           // Latin-1
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf"));          // '/' spelt too long
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(IsValidUtf8("\xef\xbf\xbe"));      // U+FFFE, a noncharacter
  EXPECT_FALSE(IsValidUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(IsValidUtf8("\xe2\x82"));          // cut short
}

TEST(TextTest, ShowsOtherBytesAsReplacementCharacters) {
  EXPECT_EQ(ReplaceInvalidUtf8("caf\xe9 \xc3\xa9\xe2\x82"),
            "caf\xef\xbf\xbd \xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(TextTest, EncodesCodePointsOfEveryLength) {
  std::string out;
  for (uint32_t code_point : {0x41u, 0xe9u, 0x20acu, 0x1f600u}) AppendUtf8(code_point, &out);
  EXPECT_EQ(out, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_TRUE(IsValidUtf8(out));
}

TEST(TextTest, ReadsSystemdsBooleans) {
  EXPECT_EQ(ParseBoolean("Yes"), 1);
  EXPECT_EQ(ParseBoolean("off"), 0);
  EXPECT_EQ(ParseBoolean(""), -1);
  EXPECT_EQ(ParseBoolean("closed"), -1);
}

TEST(TextTest, SimplifiesPathsLexically) {
  EXPECT_EQ(SimplifyPath("/etc//./default/ollama/"), "/etc/default/ollama");
  EXPECT_EQ(SimplifyPath("//"), "/");
  EXPECT_EQ(SimplifyPath("./a//b"), "a/b");
  EXPECT_EQ(SimplifyPath("/a/../b"), "/a/../b");
}

}  // namespace
}  // namespace vgpu::systemd
