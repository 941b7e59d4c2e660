#include "diag/systemd/environment_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Told(absl::string_view text) {
  std::vector<std::string> told;
  for (const auto& v : ParseEnvironmentFile(text).variables) {
    told.push_back(absl::StrCat(v.line, ": ", v.key, "=", v.value));
  }
  return told;
}

TEST(EnvironmentFileTest, ReadsVariablesAndSkipsComments) {
  EXPECT_THAT(Told("# x\nA=1\n\n ; y\n  B = two words  \nC=\n"),
              ElementsAre("2: A=1", "5: B=two words", "6: C="));
}

TEST(EnvironmentFileTest, OnlyALineOfItsOwnIsAComment) {
  EXPECT_THAT(Told("A=/a.so # no\n"), ElementsAre("1: A=/a.so # no"));
}

TEST(EnvironmentFileTest, ABackslashCarriesACommentToTheNextLine) {
  EXPECT_THAT(Told("# x \\\nA=1\nB=2\n"), ElementsAre("3: B=2"));
}

TEST(EnvironmentFileTest, Quotes) {
  EXPECT_THAT(Told("A='a \\n$X'\nB=\"q \\\" \\$ \\n\"\nC=\"a\"  'b'c\nD=x\"y\"\n"),
              ElementsAre("1: A=a \\n$X", "2: B=q \" $ \\n", "3: C=abc", "4: D=x\"y\""));
}

TEST(EnvironmentFileTest, ContinuedAndQuotedLines) {
  EXPECT_THAT(Told("A=one\\\n  two\nB=\"x\ny\"\nC=\"x\\\ny\"\nD=1\n"),
              ElementsAre("1: A=one  two", "3: B=x\ny", "5: C=xy", "7: D=1"));
}

TEST(EnvironmentFileTest, NothingIsExpanded) {
  EXPECT_THAT(Told("A=$HOME/x:%h\nB=a\\ b\\tc\n"), ElementsAre("1: A=$HOME/x:%h", "2: B=a btc"));
}

TEST(EnvironmentFileTest, ExportIsNoPartOfIt) {
  const EnvironmentFile file = ParseEnvironmentFile("export A=1\n2X=1\nB\n");
  EXPECT_THAT(file.variables, IsEmpty());
  ASSERT_EQ(file.problems.size(), 3);
  EXPECT_EQ(file.problems[0].message, "Ignoring invalid environment assignment 'export A=1'");
  EXPECT_EQ(file.problems[1].message, "Ignoring invalid environment assignment '2X=1'");
  EXPECT_EQ(file.problems[2].message, "no '=', ignored: B");
  EXPECT_EQ(file.problems[2].line, 3);
  EXPECT_FALSE(file.refused);
}

TEST(EnvironmentFileTest, WindowsLineEndsDoNotGetIntoValues) {
  EXPECT_THAT(Told("A=1\r\nB=2\r\n"), ElementsAre("1: A=1", "2: B=2"));
}

TEST(EnvironmentFileTest, NulAndBytesThatAreNotUtf8RefuseTheFile) {
  EXPECT_TRUE(ParseEnvironmentFile(absl::string_view("A=1\n\0", 5)).refused);
  const EnvironmentFile file = ParseEnvironmentFile("A=1\nB=caf\xe9\n");
  EXPECT_TRUE(file.refused);
  EXPECT_THAT(file.variables, IsEmpty());
  EXPECT_EQ(file.problems[0].message, "invalid UTF-8 in B");
}

TEST(EnvironmentFileTest, TheEndOfTheFileEndsEverything) {
  EXPECT_THAT(Told("A=\"open"), ElementsAre("1: A=open"));
  EXPECT_THAT(Told("A=x\\"), ElementsAre("1: A=x"));
  EXPECT_THAT(Told("# c\\"), IsEmpty());
}

}  // namespace
}  // namespace vgpu::systemd
