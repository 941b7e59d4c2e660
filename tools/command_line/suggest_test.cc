#include "tools/command_line/suggest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::command_line {
namespace {

TEST(Nearest, ForgivesASlipInAShortWordAndTwoInALongOne) {
  const std::vector<std::string> known = {"check", "explain", "pid"};
  EXPECT_EQ(Nearest("chekc", known), "check");  // changed places
  EXPECT_EQ(Nearest("chck", known), "check");
  EXPECT_EQ(Nearest("checkk", known), "check");
  EXPECT_EQ(Nearest("exlpian", known), "explain");
  EXPECT_EQ(Nearest("CHECK", known), "check");
  EXPECT_EQ(Nearest("pdi", known), "pid");
  EXPECT_EQ(Nearest("pix", known), "pid");
  EXPECT_EQ(Nearest("xyz", known), "");
  EXPECT_EQ(Nearest("diagnose", known), "");
}

TEST(Nearest, CompletesTheBeginningOfOneWordAlone) {
  EXPECT_EQ(Nearest("list", {"list-causes", "check"}), "list-causes");
  EXPECT_EQ(Nearest("list", {"list-causes", "list-hosts"}), "");
}

TEST(Nearest, IsSilentBetweenTwo) {
  EXPECT_EQ(Nearest("cat", {"car", "can"}), "");
  EXPECT_EQ(Nearest("", {"a"}), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'a'), {"a"}), "");
}

class AdviceOfATool : public testing::Test {
 protected:
  AdviceOfATool() : app_("Does something.", "tool") {
    CLI::App* check = app_.add_subcommand("check", "Checks it.");
    check->add_option("--format", value_)->check(CLI::IsMember({"text", "json"}));
    check->add_option("--unit", value_);
    app_.add_subcommand("explain", "Explains it.")
        ->add_option("how", value_)
        ->check(CLI::IsMember({"short", "long"}));
  }

  std::string value_;
  CLI::App app_;
};

TEST_F(AdviceOfATool, IsForTheFirstWordThatIsWrong) {
  EXPECT_EQ(Advice(app_, {"chekc"}), "Did you mean check?");
  EXPECT_EQ(Advice(app_, {"check", "--fromat", "json"}), "Did you mean --format?");
  EXPECT_EQ(Advice(app_, {"check", "--fromat=json"}), "Did you mean --format?");
  EXPECT_EQ(Advice(app_, {"check", "--format", "jsno"}), "Did you mean json?");
  EXPECT_EQ(Advice(app_, {"check", "--format=txt"}), "Did you mean text?");
}

TEST_F(AdviceOfATool, IsForAWordWithoutAnOptionToo) {
  EXPECT_EQ(Advice(app_, {"explain", "shrot"}), "Did you mean short?");
  EXPECT_EQ(Advice(app_, {"explain", "long"}), "");
}

TEST_F(AdviceOfATool, AnOptionsValueIsNoCommand) {
  EXPECT_EQ(Advice(app_, {"check", "--unit", "chekc", "--fromat"}), "Did you mean --format?");
  EXPECT_EQ(Advice(app_, {"check", "--unit"}), "");
}

TEST_F(AdviceOfATool, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(Advice(app_, {"zzz"}), "");
  EXPECT_EQ(Advice(app_, {"check", "--zzz"}), "");
  EXPECT_EQ(Advice(app_, {"check", "--", "--fromat"}), "");
  EXPECT_EQ(Advice(app_, {}), "");
}

}  // namespace
}  // namespace vgpu::command_line
