#include "tools/command_line/describe.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::command_line {
namespace {

using testing::ElementsAre;

TEST(Describe, SaysWhatTheApplicationTakes) {
  CLI::App app("Does something.", "tool");
  CLI::App* check = app.add_subcommand("check", "Checks it.");
  app.add_subcommand("secret", "Hidden.")->group("");
  std::string format, root, file, code, name;
  std::vector<std::string> rules;
  bool quiet = false;
  check->add_option("--format", format)->check(CLI::IsMember({"text", "json"}));
  check->add_option("-r,--root", root, "Where")->type_name("DIR");
  check->add_option("--log", file)->type_name("FILE")->option_text("FILE");
  check->add_option("--rule", rules)->option_text("CODE");
  check->add_flag("--quiet", quiet, "Says nothing");
  check->add_flag("--inner", quiet)->group("");
  check->add_option("name", name)->option_text("NAME")->required();
  check->add_option("WHAT", name)->option_text(" ");

  const Command command = Describe(app, {{"CODE", {"VG101", "VG102"}}});
  EXPECT_EQ(command.name, "tool");
  ASSERT_EQ(command.commands.size(), 1u);
  const Command& sub = command.commands[0];
  EXPECT_EQ(sub.description, "Checks it.");
  ASSERT_EQ(sub.options.size(), 6u);  // with --help
  EXPECT_THAT(sub.options[0].names, ElementsAre("-h", "--help"));
  EXPECT_EQ(sub.options[0].value, Value::kNone);
  EXPECT_EQ(sub.options[1].value, Value::kChoice);
  EXPECT_THAT(sub.options[1].choices, ElementsAre("text", "json"));
  EXPECT_THAT(sub.options[2].names, ElementsAre("-r", "--root"));
  EXPECT_EQ(sub.options[2].value, Value::kDirectory);
  EXPECT_EQ(sub.options[2].value_name, "DIR");
  EXPECT_EQ(sub.options[2].description, "Where");
  EXPECT_EQ(sub.options[3].value, Value::kFile);
  EXPECT_THAT(sub.options[4].choices, ElementsAre("VG101", "VG102"));
  EXPECT_TRUE(sub.options[4].repeated);
  EXPECT_EQ(sub.options[5].value_name, "");
  EXPECT_FALSE(sub.options[5].repeated);
  ASSERT_EQ(sub.arguments.size(), 2u);
  EXPECT_EQ(sub.arguments[1].value_name, "WHAT");
  EXPECT_EQ(sub.arguments[0].value_name, "NAME");
  EXPECT_TRUE(sub.arguments[0].required);
  EXPECT_FALSE(sub.options[1].required);
}

}  // namespace
}  // namespace vgpu::command_line
