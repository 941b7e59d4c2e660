#include "diag/toml/toml.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::toml {
namespace {

std::string WhyNot(absl::string_view text) {
  absl::StatusOr<std::vector<Table>> tables = ParseToml(text);
  return tables.ok() ? "" : std::string(tables.status().message());
}

// The value of the only key of `text`.
Value ValueOf(absl::string_view text) {
  absl::StatusOr<std::vector<Table>> tables = ParseToml(absl::StrCat("key = ", text));
  EXPECT_TRUE(tables.ok()) << tables.status();
  if (!tables.ok() || tables->size() != 1 || (*tables)[0].keys.size() != 1) return {};
  return (*tables)[0].keys[0].value;
}

TEST(TomlTest, TablesAndTheLinesOfTheirKeys) {
  absl::StatusOr<std::vector<Table>> tables = ParseToml(
      "# two devices\n"
      "[[device]]\n"
      "profile = \"t4\"   # small\n"
      "\n"
      "[[device]]\r\n"
      "  memory_mib = 81_920\r\n"
      "[driver]\n"
      "version = '570.124.06'");
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 3u);
  EXPECT_EQ((*tables)[0].name, "device");
  EXPECT_TRUE((*tables)[0].of_array);
  EXPECT_EQ((*tables)[0].keys[0].line, 3);
  EXPECT_EQ((*tables)[1].line, 5);
  EXPECT_EQ(std::get<int64_t>((*tables)[1].keys[0].value), 81920);
  EXPECT_FALSE((*tables)[2].of_array);
  EXPECT_EQ(std::get<std::string>((*tables)[2].keys[0].value), "570.124.06");
}

TEST(TomlTest, Texts) {
  EXPECT_EQ(std::get<std::string>(ValueOf(R"("a # \"b\" \u00e4 \\")")), "a # \"b\" \u00e4 \\");
  EXPECT_EQ(std::get<std::string>(ValueOf(R"('C:\raw')")), "C:\\raw");
  EXPECT_EQ(std::get<std::string>(ValueOf(R"("\U0001F600")")), "\U0001F600");
  EXPECT_EQ(WhyNot("a = \"open"), "line 1: a: a quote that is not closed");
  EXPECT_EQ(WhyNot("\na = \"\\x\""), "line 2: a: a backslash that begins no escape");
  EXPECT_EQ(WhyNot("a = \"\\ud800\""), "line 1: a: an escape names no character");
}

TEST(TomlTest, Numbers) {
  EXPECT_EQ(std::get<int64_t>(ValueOf("0x10de")), 0x10de);
  EXPECT_EQ(std::get<int64_t>(ValueOf("0o17")), 15);
  EXPECT_EQ(std::get<int64_t>(ValueOf("0b101")), 5);
  EXPECT_EQ(std::get<int64_t>(ValueOf("-7")), -7);
  EXPECT_EQ(std::get<int64_t>(ValueOf("0")), 0);
  EXPECT_EQ(std::get<bool>(ValueOf("true")), true);
  for (absl::string_view wrong : {"9.0", "007", "1__0", "_1", "1_", "0x", "--1", "0x-1", "yes",
                                  "9223372036854775808", "1979-05-27", "+", "inf"}) {
    EXPECT_FALSE(ParseToml(absl::StrCat("a = ", wrong)).ok()) << std::string(wrong);
  }
}

TEST(TomlTest, WhatIsNotReadSaysSo) {
  EXPECT_EQ(WhyNot("a = [1]"), "line 1: a: an array is not read here");
  EXPECT_EQ(WhyNot("a = {b = 1}"), "line 1: a: an inline table is not read here");
  EXPECT_EQ(WhyNot("a.b = 1"), "line 1: a dotted key is not read here");
  EXPECT_EQ(WhyNot("[a.b]"), "line 1: a dotted name is not read here");
  EXPECT_EQ(WhyNot("a = \"\"\"x\"\"\""), "line 1: a: a text over several lines is not read here");
}

TEST(TomlTest, WhatIsNoToml) {
  EXPECT_EQ(WhyNot("device:\n"), "line 1: a key without `=`");
  EXPECT_EQ(WhyNot("- profile: t4\n"), "line 1: a key without `=`");
  EXPECT_EQ(WhyNot("{\"device\": []}"), "line 1: neither a key nor a [table]");
  EXPECT_EQ(WhyNot("[[device]"), "line 1: a header that is not closed");
  EXPECT_EQ(WhyNot("[device] x"), "line 1: something stands behind the end: `x`");
  EXPECT_EQ(WhyNot("a ="), "line 1: a: a key without a value");
  EXPECT_EQ(WhyNot("a = 1\na = 2"), "line 2: a a second time");
  EXPECT_EQ(WhyNot("[d]\n[d]"), "line 2: the table d a second time");
  EXPECT_EQ(WhyNot("[[d]]\n[d]"), "line 2: the table d a second time");
}

}  // namespace
}  // namespace vgpu::toml
