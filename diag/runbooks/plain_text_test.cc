#include "diag/runbooks/plain_text.h"

#include "gtest/gtest.h"

namespace vgpu::runbooks {
namespace {

TEST(PlainText, ProseWrapsAndParagraphsStayApart) {
  EXPECT_EQ(PlainText("one two three\nfour five six seven eight nine ten\n\nnext\n", {.width = 40}),
            "one two three four five six seven eight\nnine ten\n\nnext\n");
}

TEST(PlainText, HeadingsStandApartAndMayBeBold) {
  EXPECT_EQ(PlainText("# VG302 a: b\n## What `it` means\ntext", {}),
            "VG302 a: b\n\nWhat `it` means\ntext\n");
  EXPECT_EQ(PlainText("# VG302\n", {.bold_headings = true}), "\x1b[1mVG302\x1b[0m\n");
}

TEST(PlainText, AFenceIsIndentedAndNeverWrapped) {
  EXPECT_EQ(
      PlainText("Look:\n\n```console\n$ tr '\\0' '\\n' < /proc/1/environ | grep -x LD_PRELOAD\n"
                "\n  # two\n```\nend",
                {.width = 40}),
      "Look:\n\n    $ tr '\\0' '\\n' < /proc/1/environ | grep -x LD_PRELOAD\n\n      # two\n"
      "end\n");
}

TEST(PlainText, AFenceInsideAnItemLosesTheItemsIndent) {
  EXPECT_EQ(PlainText("1. Do\n\n   ```sh\n   ls\n     x\n   ```\n", {}),
            "1. Do\n\n       ls\n         x\n");
}

TEST(PlainText, ItemsHangUnderThemselves) {
  EXPECT_EQ(PlainText("- aaa bbb ccc ddd eee fff ggg hhh iii jjj\n  kkk\n10. x\n", {.width = 40}),
            "- aaa bbb ccc ddd eee fff ggg hhh iii\n  jjj kkk\n10. x\n");
}

TEST(PlainText, ALinkToAPageIsItsNameAndOneToTheWorldIsWhole) {
  EXPECT_EQ(PlainText("see [VG301](VG301.md), [the docs](https://ollama.com/x).", {}),
            "see VG301, the docs (https://ollama.com/x).\n");
  EXPECT_EQ(PlainText("a\n\n<a id=\"VG301\"></a>\n\n[b](#VG301)\n", {}), "a\n\nb\n");
  EXPECT_EQ(PlainText("a[0] and [x] and [open", {}), "a[0] and [x] and [open\n");
}

TEST(PlainText, AHeadingWrapsToo) {
  EXPECT_EQ(PlainText("# aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eee\n", {40, true}),
            "\x1b[1maaaaaaaaa bbbbbbbbb ccccccccc ddddddddd\neee\x1b[0m\n");
}

TEST(PlainText, StrongWordsLoseTheirMarksAndCodeStays) {
  EXPECT_EQ(PlainText("**not** *so* `a ** b` and `[x](y)`", {}),
            "not *so* `a ** b` and `[x](y)`\n");
}

TEST(PlainText, ARowOfATableIsALineWithItsFirstCellInFront) {
  EXPECT_EQ(
      PlainText("| | means |\n|---|---|\n| `yes` | reload |\n| `no` | [VG302](VG302.md) |\n", {}),
      "  means\n  `yes`: reload\n  `no`: VG302\n");
}

TEST(PlainText, AShortPieceOfCodeStaysOnOneLine) {
  EXPECT_EQ(PlainText("aaa bbb ccc ddd eee fff ggg hhh `ls -l x`.\n", {.width = 40}),
            "aaa bbb ccc ddd eee fff ggg hhh\n`ls -l x`.\n");
  EXPECT_EQ(PlainText("`aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii`\n", {.width = 40}),
            "`aaaa bbbb cccc dddd eeee ffff gggg hhhh\niiii`\n");
}

TEST(PlainText, CodeMayHaveABacktickInIt) {
  EXPECT_EQ(PlainText("``version `X' not found``: [VG407](VG407.md), a ` alone: [a](a.md)\n", {}),
            "``version `X' not found``: VG407, a ` alone: a\n");
}

TEST(PlainText, CharactersCountAndNotBytes) {
  EXPECT_EQ(PlainText("aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaa…… a", {.width = 40}),
            "aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaa……\na\n");
}

TEST(PlainText, NothingIsNothing) {
  EXPECT_EQ(PlainText("", {}), "");
  EXPECT_EQ(PlainText("```\nnever closed", {}), "    never closed\n");
}

}  // namespace
}  // namespace vgpu::runbooks
