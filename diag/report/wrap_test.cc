#include "diag/report/wrap.h"

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

using Text = std::vector<absl::string_view>;

TEST(LinesTest, BreakAtSpacesAndJoinAgain) {
  EXPECT_EQ(Lines("one two three", 7), (Text{"one two", "three"}));
  EXPECT_EQ(Lines("", 7), (Text{""}));
  const std::string text = "  two, then   three, andaverylongword $ x  end";
  for (size_t columns = 1; columns < 50; ++columns) {
    const Text lines = Lines(text, columns);
    EXPECT_EQ(absl::StrJoin(lines, " "), text) << columns;
    for (const absl::string_view line : lines) {
      EXPECT_NE(line.substr(0, 1), "$");
      // Only a word alone may be longer, with what may not begin a line.
      if (Columns(line) > columns) {
        EXPECT_TRUE(line.find_first_of(' ', line.find_first_not_of(' ')) ==
                        Text::value_type::npos ||
                    line.find(" $") != Text::value_type::npos)
            << columns << ": " << line;
      }
    }
  }
}

TEST(LinesTest, AWordThatDoesNotFitStandsAlone) {
  EXPECT_EQ(Lines("a bbbbbbbb c d", 4), (Text{"a", "bbbbbbbb", "c d"}));
}

TEST(LinesTest, CharactersCountAndNotBytes) { EXPECT_EQ(Lines("ää öö", 5), (Text{"ää öö"})); }

TEST(PiecesTest, ArePartedBehindTheMarksOfAList) {
  const std::string list = "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so";
  EXPECT_EQ(Pieces(list, 100), (Text{list}));
  EXPECT_EQ(Pieces(list, 40),
            (Text{"LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:", "/usr/lib64/libvgpu-nvml.so"}));
  for (size_t columns = 0; columns < 80; ++columns) {
    EXPECT_EQ(absl::StrJoin(Pieces(list, columns), ""), list) << columns;
  }
}

TEST(PiecesTest, APathKeepsItsSlash) {
  EXPECT_EQ(Pieces("/aaaaaaaaaaaaaaaa/bbbbbbbb", 20), (Text{"/aaaaaaaaaaaaaaaa", "/bbbbbbbb"}));
}

TEST(PiecesTest, WithoutAMarkTheyEndAtTheWidthAndBetweenCharacters) {
  const std::string text(100, 'x');
  const Text pieces = Pieces(text, 40);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].size(), 40u);
  EXPECT_EQ(pieces[1].size(), 36u);
  EXPECT_EQ(Pieces("äääääääääääääääääääää", 20)[0], "ääääääääääääääääääää");
}

TEST(HangTest, TheLaterLinesStandBelowTheText) {
  EXPECT_EQ(Hang("- ", "whether a file is whole", 13), "- whether a\n  file is\n  whole\n");
  EXPECT_EQ(Hang("lead: ", "", 40), "lead: \n");
}

TEST(CommandLines, ArePartedWhereAShellGoesOn) {
  using Parts = std::vector<absl::string_view>;
  EXPECT_EQ(CommandLines("sudo rm /a && sudo systemctl daemon-reload", 80),
            (Parts{"sudo rm /a && sudo systemctl daemon-reload"}));
  EXPECT_EQ(CommandLines("mkdir -p /a && printf 'x && y | z' | sudo tee /b", 20),
            (Parts{"mkdir -p /a &&", "printf 'x && y | z' |", "sudo tee /b"}));
  // As much on each line as there is room for.
  EXPECT_EQ(CommandLines("a && b && cccccccccc || d", 12),
            (Parts{"a && b &&", "cccccccccc ||", "d"}));
  EXPECT_EQ(CommandLines(R"(echo "a \" && b" \' && c)", 8),
            (Parts{R"(echo "a \" && b" \' &&)", "c"}));
  // A quote that nobody closes.
  EXPECT_EQ(CommandLines("it's a && b", 4), (Parts{"it's a && b"}));
  EXPECT_EQ(CommandLines("", 4), (Parts{""}));
}

}  // namespace
}  // namespace vgpu::report
