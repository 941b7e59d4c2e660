#include "tools/command_line/man.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace vgpu::command_line {
namespace {

TEST(ManPage, AnIndentedPartIsShownAsItIs) {
  const Command command = {.name = "tool",
                           .description = "Does it: well.",
                           .footer = "Before.\n\nExamples:\n  tool --x\n  .tool\n\nAfter.",
                           .options = {},
                           .arguments = {},
                           .commands = {}};
  const std::string page = ManPage(command, "1.2.3");
  EXPECT_TRUE(absl::StrContains(page, ".SH NAME\ntool \\- does it\n"));
  EXPECT_TRUE(absl::StrContains(
      page, ".PP\nExamples:\n.RS 4\n.nf\ntool \\-\\-x\n\\&.tool\n.fi\n.RE\n.PP\nAfter.\n"));
}

TEST(ManPage, WhatNeedNotBeGivenStandsInBrackets) {
  const Command command = {
      .name = "tool",
      .description = "Does it.",
      .footer = "",
      .options = {},
      .arguments =
          {{.names = {}, .value_name = "A", .choices = {}, .description = "a", .required = true},
           {.names = {}, .value_name = "B", .choices = {}, .description = "b", .repeated = true}},
      .commands = {}};
  EXPECT_TRUE(absl::StrContains(
      ManPage(command, "1"), ".PP\n\\fBtool\\fR [\\fIOPTION\\fR ...] \\fIA\\fR [\\fIB\\fR ...]\n"));
}

TEST(ManPage, ABackslashIsShown) {
  const Command command = {.name = "tool",
                           .description = "A\\n.",
                           .footer = "",
                           .options = {{.names = {"-x"},
                                        .value_name = "FILE",
                                        .value = Value::kFile,
                                        .choices = {},
                                        .description = ".begins with a dot"}},
                           .arguments = {},
                           .commands = {}};
  const std::string page = ManPage(command, "1");
  EXPECT_TRUE(absl::StrContains(page, "A\\en."));
  EXPECT_TRUE(absl::StrContains(page, ".TP\n\\fB\\-x\\fR \\fIFILE\\fR\n\\&.begins with a dot\n"));
}

}  // namespace
}  // namespace vgpu::command_line
