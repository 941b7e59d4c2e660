#include "diag/systemd/unit_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "Service.Environment=A=1 @2" for each assignment.
std::vector<std::string> Told(const UnitFile& file) {
  std::vector<std::string> told;
  for (const Assignment& a : file.assignments) {
    told.push_back(absl::StrCat(a.section, ".", a.key, "=", a.value, " @", a.line));
  }
  return told;
}

std::vector<std::string> Problems(const UnitFile& file) {
  std::vector<std::string> told;
  for (const UnitFileProblem& p : file.problems) {
    told.push_back(absl::StrCat(p.line, ": ", p.message));
  }
  return told;
}

UnitFile Parse(absl::string_view text) { return ParseUnitFile("/x.conf", text); }

TEST(UnitFileTest, ReadsSectionsKeysAndValues) {
  const UnitFile file = Parse(
      "# a comment\n"
      "[Unit]\n"
      "Description = Ollama Service \n"
      "\n"
      "; another\n"
      "[Service]\n"
      "Environment=\"LD_PRELOAD=/a.so\"\n"
      "Environment=\n");
  EXPECT_EQ(file.path, "/x.conf");
  EXPECT_THAT(Told(file), ElementsAre("Unit.Description=Ollama Service @3",
                                      "Service.Environment=\"LD_PRELOAD=/a.so\" @7",
                                      "Service.Environment= @8"));
  EXPECT_THAT(Problems(file), IsEmpty());
  EXPECT_FALSE(file.stopped);
}

TEST(UnitFileTest, JoinsContinuedLinesAndSkipsCommentsAmongThem) {
  const UnitFile file = Parse(
      "[Service]\n"
      "ExecStart=/bin/a \\\n"
      "# a comment does not end it \\\n"
      "  one\\\n"
      "two\n"
      "User=x\n");
  EXPECT_THAT(Told(file),
              ElementsAre("Service.ExecStart=/bin/a    one two @2", "Service.User=x @6"));
}

TEST(UnitFileTest, AnEscapedBackslashDoesNotContinueTheLine) {
  EXPECT_THAT(Told(Parse("[Service]\nEnvironment=A=b\\\\\nUser=x\n")),
              ElementsAre("Service.Environment=A=b\\\\ @2", "Service.User=x @3"));
}

TEST(UnitFileTest, AContinuationThatMeetsTheEndOfTheFileCounts) {
  EXPECT_THAT(Told(Parse("[Service]\nUser=x \\")), ElementsAre("Service.User=x @2"));
}

TEST(UnitFileTest, TellsWhatStandsOutsideOfASection) {
  const UnitFile file = Parse("Environment=A=1\n[Service]\nUser=x\n");
  EXPECT_THAT(Told(file), ElementsAre(".Environment=A=1 @1", "Service.User=x @3"));
  EXPECT_FALSE(TakesEffect(file.assignments[0]));
  EXPECT_THAT(Problems(file), ElementsAre("1: Assignment outside of section. Ignoring."));
}

TEST(UnitFileTest, AMisspeltSectionIsNamedOnceAndItsLinesAreKeptAside) {
  const UnitFile file = Parse("[service]\nEnvironment=A=1\nnonsense\n[X-Mine]\nK=v\n");
  EXPECT_THAT(Told(file), ElementsAre("service.Environment=A=1 @2", "X-Mine.K=v @5"));
  EXPECT_FALSE(TakesEffect(file.assignments[0]));
  EXPECT_THAT(Problems(file), ElementsAre("1: Unknown section 'service'. Ignoring."));
}

TEST(UnitFileTest, TellsLinesThatAreNoAssignments) {
  EXPECT_THAT(Problems(Parse("[Service]\nEnvironment\n=x\n")),
              ElementsAre("2: Missing '=', ignoring line.",
                          "3: Missing key name before '=', ignoring line."));
}

TEST(UnitFileTest, ABrokenHeaderEndsTheReading) {
  const UnitFile file = Parse("[Service]\nUser=x\n[Install\nWantedBy=a\n");
  EXPECT_THAT(Told(file), ElementsAre("Service.User=x @2"));
  EXPECT_THAT(Problems(file), ElementsAre("3: Invalid section header '[Install'"));
  EXPECT_TRUE(file.stopped);
  EXPECT_THAT(Problems(Parse("[Ser'vice]\n")),
              ElementsAre("1: Bad characters in section header '[Ser'vice]'"));
  EXPECT_TRUE(Parse("[").stopped);
}

TEST(UnitFileTest, WindowsFilesAndByteOrderMarksAreRead) {
  const UnitFile file = Parse("\xef\xbb\xbf[Service]\r\nUser=x\r\n\r\nGroup=y\r\n");
  EXPECT_THAT(Told(file), ElementsAre("Service.User=x @2", "Service.Group=y @4"));
  EXPECT_THAT(Problems(file), IsEmpty());
}

TEST(UnitFileTest, ANulByteEndsALine) {
  const absl::string_view text("[Service]\nUser=x\0Group=y\n\0Nice=1\n", 33);
  EXPECT_THAT(Told(Parse(text)),
              ElementsAre("Service.User=x @2", "Service.Group=y @3", "Service.Nice=1 @4"));
}

TEST(UnitFileTest, BytesThatAreNotUtf8EndTheReading) {
  const UnitFile file = Parse("[Service]\nUser=caf\xe9\nGroup=y\n");
  EXPECT_THAT(Told(file), IsEmpty());
  EXPECT_THAT(Problems(file), ElementsAre("2: String is not UTF-8 clean, ignoring assignment: "
                                          "User=caf\xef\xbf\xbd"));
  EXPECT_TRUE(file.stopped);
}

TEST(UnitFileTest, ALineOfAMebibyteEndsTheReading) {
  const std::string longest(kLongLineMax - 1 - 5, 'x');
  EXPECT_EQ(Parse(absl::StrCat("[Service]\nUser=", longest, "\nNice=1\n")).assignments.size(), 2);
  const UnitFile file = Parse(absl::StrCat("[Service]\nUser=", longest, "y\nNice=1\n"));
  EXPECT_THAT(Told(file), IsEmpty());
  EXPECT_THAT(Problems(file), ElementsAre("2: Line too long"));
  EXPECT_TRUE(file.stopped);
}

TEST(UnitFileTest, ContinuedLinesHaveTheSameLimitTogether) {
  std::string text = "[Service]\nUser=x\\\n";
  for (int i = 0; i < 3; ++i) absl::StrAppend(&text, std::string(500000, 'x'), "\\\n");
  const UnitFile file = Parse(text);
  EXPECT_THAT(Problems(file), ElementsAre("5: Continuation line too long"));
}

}  // namespace
}  // namespace vgpu::systemd
