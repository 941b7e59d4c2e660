#include "tools/command_line/help.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace vgpu::command_line {
namespace {

std::string Help() {
  CLI::App app(
      "Says why something is not seen: the root cause with its evidence, what\n"
      "was ruled out, and what could not be seen.",
      "program");
  app.formatter(std::make_shared<HelpFormatter>());
  app.add_subcommand("check",
                     "Find out why it is or is not seen, and say which commands repair it.");
  std::string text;
  app.add_option("--root", text,
                 "Judge what is in DIR, a captured host or a mounted system,\n"
                 "instead of this machine, which is judged else")
      ->option_text("DIR");
  bool flag = false;
  app.add_flag("--a-name-that-is-too-long-for-it", flag, "Something");
  app.footer(
      "Exit status: 0 where all is well, 1 where something is wrong, and 2 where nothing "
      "is known.\n\nExamples:\n"
      "  program check --root /mnt/a/directory/with/a/long/name/that/is/not/wrapped/at/all/ever\n"
      "  program check");
  return app.help();
}

TEST(HelpFormatterTest, ProseFitsATerminal) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Help(), '\n'))) {
    EXPECT_TRUE(absl::StartsWith(line, "  program") || line.size() <= 80) << line;
  }
}

TEST(HelpFormatterTest, TheDescriptionIsAParagraph) {
  EXPECT_TRUE(absl::StartsWith(
      Help(),
      "Says why something is not seen: the root cause with its evidence, what was ruled\n"
      "out, and what could not be seen.\n\nUsage: "))
      << Help();
}

TEST(HelpFormatterTest, DescriptionsHangAndNewlinesAreSpaces) {
  EXPECT_TRUE(absl::StrContains(
      Help(),
      "  --root DIR            Judge what is in DIR, a captured host or a mounted\n"
      "                        system, instead of this machine, which is judged else\n"))
      << Help();
}

TEST(HelpFormatterTest, ALongNameHasALineOfItsOwn) {
  EXPECT_TRUE(absl::StrContains(
      Help(), "  --a-name-that-is-too-long-for-it\n                        Something\n"))
      << Help();
}

TEST(HelpFormatterTest, ExamplesStayAsTheyAre) {
  EXPECT_TRUE(absl::StrContains(
      Help(),
      "and 2 where\nnothing is known.\n\nExamples:\n  program check --root /mnt/a/directory/"
      "with/a/long/name/that/is/not/wrapped/at/all/ever\n  program check\n"))
      << Help();
}

}  // namespace
}  // namespace vgpu::command_line
