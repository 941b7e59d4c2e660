#include "diag/systemd/effective_unit.h"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Merges texts as /0, /1, ... in this order.
EffectiveUnit Merge(const std::vector<std::string>& texts) {
  std::vector<UnitFile> files;
  for (const std::string& text : texts) {
    files.push_back(ParseUnitFile(absl::StrCat("/", files.size()), text));
  }
  std::vector<const UnitFile*> pointers;
  for (const UnitFile& file : files) pointers.push_back(&file);
  SpecifierContext context;
  context.unit = "ollama.service";
  return MergeUnit(pointers, context);
}

EffectiveUnit MergeService(const std::string& lines) { return Merge({"[Service]\n" + lines}); }

std::string Value(const EffectiveUnit& unit, const std::string& key) {
  const auto it = unit.environment.find(key);
  return it == unit.environment.end() ? "(none)" : it->second.value.value_or("(not observed)");
}

std::vector<std::string> Problems(const EffectiveUnit& unit) {
  std::vector<std::string> told;
  for (const UnitProblem& p : unit.problems) {
    told.push_back(absl::StrCat(p.place.file, ":", p.place.line, ": ", p.message));
  }
  return told;
}

TEST(EffectiveUnitTest, ALaterDropInReplacesAVariable) {
  const EffectiveUnit unit = Merge({"[Service]\nEnvironment=PATH=/bin LD_PRELOAD=/a.so\n",
                                    "[Service]\n\nEnvironment=LD_PRELOAD=/b.so\n"});
  EXPECT_EQ(Value(unit, "PATH"), "/bin");
  EXPECT_EQ(Value(unit, "LD_PRELOAD"), "/b.so");
  EXPECT_EQ(unit.environment.at("LD_PRELOAD").place, (Place{"/1", 3}));
  ASSERT_EQ(unit.superseded.size(), 1);
  EXPECT_EQ(unit.superseded[0].key, "LD_PRELOAD");
  EXPECT_EQ(*unit.superseded[0].was.value, "/a.so");
  EXPECT_EQ(unit.superseded[0].was.place, (Place{"/0", 2}));
  EXPECT_EQ(unit.superseded[0].by, (Place{"/1", 3}));
  EXPECT_EQ(unit.superseded[0].how, Superseded::How::kReplaced);
}

TEST(EffectiveUnitTest, ABareEnvironmentTakesAllAway) {
  const EffectiveUnit unit =
      Merge({"[Service]\nEnvironment=PATH=/bin\n", "[Service]\nEnvironment=\nEnvironment=A=1\n"});
  EXPECT_EQ(Value(unit, "PATH"), "(none)");
  EXPECT_EQ(Value(unit, "A"), "1");
  ASSERT_EQ(unit.superseded.size(), 1);
  EXPECT_EQ(unit.superseded[0].how, Superseded::How::kReset);
  EXPECT_EQ(unit.superseded[0].by, (Place{"/1", 2}));
}

TEST(EffectiveUnitTest, AnUnquotedSpaceCutsThePreloadList) {
  const EffectiveUnit unit = MergeService("Environment=LD_PRELOAD=/a.so /b.so\n");
  EXPECT_EQ(Value(unit, "LD_PRELOAD"), "/a.so");
  EXPECT_THAT(Problems(unit), ElementsAre("/0:2: Invalid environment assignment, ignoring: /b.so"));
}

TEST(EffectiveUnitTest, AnUnbalancedQuoteDropsTheRestOfItsLine) {
  const EffectiveUnit unit = MergeService("Environment=\"A=1 B=2\nEnvironment=C=3 \"D\n");
  EXPECT_EQ(Value(unit, "A"), "(none)");
  EXPECT_EQ(Value(unit, "C"), "3");
  EXPECT_THAT(Problems(unit), ElementsAre("/0:2: Invalid syntax, ignoring: \"A=1 B=2",
                                          "/0:3: Invalid syntax, ignoring: C=3 \"D"));
}

TEST(EffectiveUnitTest, EscapesAndSpecifiersButNoDollarSigns) {
  const EffectiveUnit unit = MergeService("Environment=A=\\x41\\s%n B=$HOME C=100%% D=%b E=%z\n");
  EXPECT_EQ(Value(unit, "A"), "A ollama.service");
  EXPECT_EQ(Value(unit, "B"), "$HOME");
  EXPECT_EQ(Value(unit, "C"), "100%");
  EXPECT_EQ(unit.environment.at("D").value.why_not(), "%b: boot id not known");
  EXPECT_EQ(unit.environment.at("D").raw, "%b");
  EXPECT_THAT(Problems(unit),
              ElementsAre("/0:2: Failed to resolve specifiers in E=%z, ignoring: Invalid slot"));
}

TEST(EffectiveUnitTest, InvalidNamesAreDropped) {
  EXPECT_THAT(Problems(MergeService("Environment=2A=1 A-B=2 =3\n")),
              ElementsAre("/0:2: Invalid environment assignment, ignoring: 2A=1",
                          "/0:2: Invalid environment assignment, ignoring: A-B=2",
                          "/0:2: Invalid environment assignment, ignoring: =3"));
}

TEST(EffectiveUnitTest, EnvironmentFilesAreNamedOneALine) {
  const EffectiveUnit unit = Merge(
      {"[Service]\nEnvironmentFile=/gone\nEnvironmentFile=\nEnvironmentFile=-/etc//default/o\n",
       "[Service]\nEnvironmentFile=/etc/a b\nEnvironmentFile=etc/x\n"});
  ASSERT_EQ(unit.environment_files.size(), 2);
  EXPECT_EQ(unit.environment_files[0].path, "/etc/default/o");
  EXPECT_TRUE(unit.environment_files[0].optional);
  EXPECT_EQ(unit.environment_files[1].path, "/etc/a b");
  EXPECT_FALSE(unit.environment_files[1].optional);
  EXPECT_THAT(Problems(unit),
              ElementsAre("/1:3: EnvironmentFile= path is not absolute, ignoring: etc/x"));
}

TEST(EffectiveUnitTest, UnsetAndPassedVariables) {
  const EffectiveUnit unit =
      MergeService("UnsetEnvironment=LD_PRELOAD A=1 2B\nPassEnvironment=CUDA_HOME C=1\n");
  ASSERT_EQ(unit.unset_environment.size(), 2);
  EXPECT_EQ(unit.unset_environment[0].word, "LD_PRELOAD");
  EXPECT_EQ(unit.unset_environment[1].word, "A=1");
  ASSERT_EQ(unit.pass_environment.size(), 1);
  EXPECT_EQ(unit.pass_environment[0].word, "CUDA_HOME");
  EXPECT_THAT(Problems(unit),
              ElementsAre("/0:2: Invalid environment name or assignment UnsetEnvironment, "
                          "ignoring: 2B",
                          "/0:3: Invalid environment name for PassEnvironment, ignoring: C=1"));
}

TEST(EffectiveUnitTest, CommandsWithPrefixesAndQuotes) {
  const EffectiveUnit unit = MergeService(
      "ExecStartPre=-+/bin/sh -c \"echo 'a b'\"\n"
      "ExecStart=@/usr//bin/ollama me serve\n");
  ASSERT_EQ(unit.exec_start_pre.size(), 1);
  EXPECT_EQ(unit.exec_start_pre[0].prefixes, "-+");
  EXPECT_TRUE(unit.exec_start_pre[0].IgnoresFailure());
  EXPECT_THAT(unit.exec_start_pre[0].argv, ElementsAre("/bin/sh", "-c", "echo 'a b'"));
  ASSERT_EQ(unit.exec_start.size(), 1);
  EXPECT_EQ(unit.exec_start[0].path, "/usr/bin/ollama");
  EXPECT_THAT(unit.exec_start[0].argv, ElementsAre("me", "serve"));
  EXPECT_EQ(unit.exec_start[0].raw, "@/usr//bin/ollama me serve");
}

TEST(EffectiveUnitTest, ABareExecStartReplacesTheFragments) {
  const EffectiveUnit unit = Merge({"[Service]\nExecStart=/usr/bin/ollama serve\n",
                                    "[Service]\nExecStart=\nExecStart=/usr/bin/env -i ollama\n"});
  ASSERT_EQ(unit.exec_start.size(), 1);
  EXPECT_EQ(unit.exec_start[0].path, "/usr/bin/env");
  EXPECT_EQ(unit.exec_start[0].place, (Place{"/1", 3}));
}

TEST(EffectiveUnitTest, SemicolonsSeparateCommands) {
  const EffectiveUnit unit = MergeService("ExecStart=/bin/a x ; /bin/b \\; \";\" y;z\n");
  ASSERT_EQ(unit.exec_start.size(), 2);
  EXPECT_THAT(unit.exec_start[0].argv, ElementsAre("/bin/a", "x"));
  EXPECT_EQ(unit.exec_start[0].raw, "/bin/a x");
  EXPECT_THAT(unit.exec_start[1].argv, ElementsAre("/bin/b", ";", ";", "y;z"));
}

TEST(EffectiveUnitTest, AnUnknownEscapeInACommandStaysAsWritten) {
  const EffectiveUnit unit = MergeService("ExecStart=/bin/a \\d+\n");
  EXPECT_THAT(unit.exec_start[0].argv, ElementsAre("/bin/a", "\\d+"));
  EXPECT_THAT(Problems(unit), ElementsAre("/0:2: Ignoring unknown escape sequences: \"\\d+\""));
}

TEST(EffectiveUnitTest, ABadCommandEndsItsFile) {
  const EffectiveUnit bad = MergeService("ExecStart=/bin/a \"open\nNice=1\n");
  EXPECT_THAT(bad.exec_start, IsEmpty());
  EXPECT_TRUE(bad.bad_setting);
  EXPECT_EQ(bad.Last("Service", "Nice"), nullptr);
  EXPECT_THAT(Problems(bad), ElementsAre("/0:2: Unbalanced quoting, ignoring: \"/bin/a \"open\""));

  const EffectiveUnit drop_in =
      Merge({"[Service]\nNice=1\n", "[Service]\nUser=x\nExecStart=bin/a\nNice=2\n"});
  EXPECT_FALSE(drop_in.bad_setting);
  EXPECT_EQ(drop_in.Last("Service", "User")->value, "x");
  EXPECT_EQ(drop_in.Last("Service", "Nice")->value, "1");
  EXPECT_THAT(Problems(drop_in),
              ElementsAre("/1:3: Neither a valid executable name nor an absolute path: bin/a"));

  const EffectiveUnit lenient = MergeService("ExecStart=-/bin/a/\nNice=1\n");
  EXPECT_FALSE(lenient.bad_setting);
  EXPECT_EQ(lenient.Last("Service", "Nice")->value, "1");
  EXPECT_THAT(Problems(lenient),
              ElementsAre("/0:2: Executable path specifies a directory, ignoring: /bin/a/"));
}

TEST(EffectiveUnitTest, WhatIsNotKnownInACommandStaysAsWritten) {
  const EffectiveUnit unit = MergeService("ExecStart=/bin/a %b\n");
  EXPECT_THAT(unit.exec_start[0].argv, ElementsAre("/bin/a", "%b"));
  EXPECT_EQ(unit.exec_start[0].unexpanded, "%b: boot id not known");
}

TEST(EffectiveUnitTest, ListsAccumulateAndAreReset) {
  const EffectiveUnit unit = Merge({"[Service]\nBindPaths=/a\nBindPaths=/b\n",
                                    "[Service]\nBindPaths=\nBindPaths=/c\n"
                                    "[Unit]\nAfter=x.service\n",
                                    "[Service]\nBindPaths=/d\n[Unit]\nAfter=\n"});
  const std::vector<Setting> paths = unit.All("Service", "BindPaths");
  ASSERT_EQ(paths.size(), 2);
  EXPECT_EQ(paths[0].value, "/c");
  EXPECT_EQ(paths[1].value, "/d");
  EXPECT_EQ(paths[1].place, (Place{"/2", 2}));
  EXPECT_EQ(unit.All("Unit", "After").size(), 1);  // dependencies cannot be reset
}

TEST(EffectiveUnitTest, ABooleanThatIsNoneIsIgnored) {
  const EffectiveUnit unit =
      MergeService("PrivateDevices=yes\nPrivateDevices=closed\nPrivateDevices=\n");
  EXPECT_EQ(unit.Last("Service", "PrivateDevices")->value, "yes");
  EXPECT_THAT(Problems(unit), ElementsAre("/0:3: Failed to parse boolean value, ignoring: closed",
                                          "/0:4: Failed to parse boolean value, ignoring: "));
}

TEST(EffectiveUnitTest, WhatHasNoEffectIsToldAndKeptAside) {
  const EffectiveUnit unit =
      Merge({"Environment=A=1\n[Unit]\nEnvironment=B=1\n[service]\nEnvironment=C=1\n"
             "[Service]\nenvironment=D=1\nX-Mine=1\n[X-Other]\nK=v\n"});
  EXPECT_THAT(unit.environment, IsEmpty());
  EXPECT_THAT(Problems(unit),
              ElementsAre("/0:1: Assignment outside of section. Ignoring.",
                          "/0:3: Unknown key 'Environment' in section [Unit], ignoring.",
                          "/0:4: Unknown section 'service'. Ignoring.",
                          "/0:7: Unknown key 'environment' in section [Service], ignoring."));
  ASSERT_EQ(unit.ineffective.size(), 6);
  EXPECT_EQ(unit.ineffective[2].section, "service");
  EXPECT_EQ(unit.ineffective[2].place, (Place{"/0", 5}));
}

TEST(EffectiveUnitTest, ABrokenFragmentIsABadSetting) {
  EXPECT_TRUE(Merge({"[Service\n"}).bad_setting);
  EXPECT_FALSE(Merge({"[Service]\n", "[Service\n"}).bad_setting);
}

std::string ReadTestdata(const std::string& name) {
  std::ifstream in("diag/systemd/testdata/systemd252/" + name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// expected.txt is what systemd 252.38 itself said of these files, and what it had
// loaded (words of a command apart by "|"), under `systemd --test --user --unit=a.service`.
TEST(EffectiveUnitTest, AgreesWithSystemd252) {
  std::vector<UnitFile> files;
  for (const char* name :
       {"a.service", "10-utf8.conf", "20-exec.conf", "30-head.conf", "40-crlf.conf"}) {
    files.push_back(ParseUnitFile(name, ReadTestdata(name)));
  }
  std::vector<const UnitFile*> pointers;
  for (const UnitFile& file : files) pointers.push_back(&file);
  SpecifierContext context;
  context.unit = "a.service";
  const EffectiveUnit unit = MergeUnit(pointers, context);

  std::vector<std::string> told = Problems(unit);
  for (const auto& [key, entry] : unit.environment) {
    told.push_back(absl::StrCat("Environment: ", key, "=", *entry.value));
  }
  for (const EnvironmentFileSetting& file : unit.environment_files) {
    told.push_back(absl::StrCat("EnvironmentFile: ", file.optional ? "-" : "", file.path));
  }
  for (const EnvironmentWord& w : unit.pass_environment) {
    told.push_back(absl::StrCat("PassEnvironment: ", w.word));
  }
  for (const EnvironmentWord& w : unit.unset_environment) {
    told.push_back(absl::StrCat("UnsetEnvironment: ", w.word));
  }
  told.push_back(absl::StrCat("PrivateDevices: ", unit.Last("Service", "PrivateDevices")->value));
  for (const ExecCommand& command : unit.exec_start) {
    told.push_back(absl::StrCat("Command Line: ", absl::StrJoin(command.argv, "|")));
  }
  std::vector<std::string> expected =
      absl::StrSplit(ReadTestdata("expected.txt"), '\n', absl::SkipEmpty());
  ASSERT_GT(expected.size(), 30);
  EXPECT_THAT(told, ::testing::UnorderedElementsAreArray(expected));
}

TEST(EffectiveUnitTest, AUnitThatAsksForTooMuchMemoryIsCutShort) {
  std::string line = "Environment=";
  for (int i = 0; i < 4000; ++i) absl::StrAppend(&line, "A", i, "=%n%n%n%n ");
  std::vector<std::string> texts(60, absl::StrCat("[Service]\n", line, "\n"));
  const EffectiveUnit unit = Merge(texts);
  ASSERT_EQ(unit.problems.size(), 1);
  EXPECT_EQ(unit.problems[0].message,
            "the unit is too large to be judged; what follows was not read");
}

}  // namespace
}  // namespace vgpu::systemd
