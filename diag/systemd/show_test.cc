#include "diag/systemd/show.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ShowTest, AKeyThatIsNotThereIsNotObserved) {
  const ShowProperties show = ParseShow("MainPID=57290\nResult=\nnoise\n=x\n").value();
  EXPECT_EQ(*show.Get("MainPID"), "57290");
  EXPECT_EQ(*show.Get("Result"), "");
  EXPECT_EQ(show.Get("User").why_not(), "User: not in the output");
  EXPECT_EQ(show.values().size(), 2);
}

TEST(ShowTest, EnvironmentIsUnquoted) {
  const ShowProperties show =
      ParseShow("Environment=OLLAMA_HOST=0.0.0.0 \"LD_PRELOAD=/a.so /b.so\" \"E=\\$ORIGIN\"\n")
          .value();
  EXPECT_THAT(*show.Environment(),
              ElementsAre(Pair("E", "$ORIGIN"), Pair("LD_PRELOAD", "/a.so /b.so"),
                          Pair("OLLAMA_HOST", "0.0.0.0")));
  EXPECT_THAT(*ParseShow("Environment=\n").value().Environment(), IsEmpty());
  EXPECT_TRUE(ParseShow("").value().Environment().not_observed());
  EXPECT_TRUE(ParseShow("Environment=\"A=1\n").value().Environment().not_observed());
}

TEST(ShowTest, EnvironmentFilesComeOneALine) {
  const ShowProperties show = ParseShow(
                                  "EnvironmentFiles=/etc/default/a b (ignore_errors=yes)\n"
                                  "EnvironmentFiles=/etc/x (ignore_errors=no)\n")
                                  .value();
  ASSERT_TRUE(show.EnvironmentFiles().present());
  const std::vector<ShownEnvironmentFile> files = *show.EnvironmentFiles();
  ASSERT_EQ(files.size(), 2);
  EXPECT_EQ(files[0].path, "/etc/default/a b");
  EXPECT_TRUE(files[0].optional);
  EXPECT_EQ(files[1].path, "/etc/x");
  EXPECT_FALSE(files[1].optional);
}

TEST(ShowTest, CommandsWithTheirProcess) {
  const ShowProperties show =
      ParseShow(
          "ExecStart={ path=/usr/local/bin/ollama ; argv[]=/usr/local/bin/ollama serve ; "
          "ignore_errors=no ; start_time=[Tue 2026-02-24 09:58:02 EST] ; stop_time=[n/a] ; "
          "pid=57290 ; "
          "code=(null) ; status=0/0 }\n"
          "ExecStartPre={ path=/bin/sh ; argv[]=/bin/sh -c a ; b ; ignore_errors=yes ; "
          "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
          "ExecStartEx={ path=/bin/o ; argv[]=/bin/o ; flags=ignore-failure privileged ; "
          "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
          "ExecStop={ strange }\n")
          .value();
  ASSERT_EQ(show.Exec("ExecStart")->size(), 1);
  const ShownExec start = show.Exec("ExecStart")->front();
  EXPECT_EQ(start.path, "/usr/local/bin/ollama");
  EXPECT_EQ(start.argv_text, "/usr/local/bin/ollama serve");
  EXPECT_FALSE(start.ignores_errors);
  EXPECT_EQ(*start.pid, 57290);
  const ShownExec pre = show.Exec("ExecStartPre")->front();
  EXPECT_EQ(pre.argv_text, "/bin/sh -c a ; b");
  EXPECT_TRUE(pre.ignores_errors);
  EXPECT_TRUE(pre.pid.absent());
  EXPECT_TRUE(show.Exec("ExecStartEx")->front().ignores_errors);
  EXPECT_TRUE(show.Exec("ExecStop").not_observed());
  EXPECT_TRUE(show.Exec("ExecReload").not_observed());
}

TEST(ShowTest, MonotonicStamps) {
  const ShowProperties show =
      ParseShow(
          "ExecMainStartTimestampMonotonic=123456789\nExecMainExitTimestampMonotonic=0\nX=-1\n")
          .value();
  EXPECT_EQ(*show.MonotonicUsec("ExecMainStartTimestampMonotonic"), 123456789u);
  EXPECT_TRUE(show.MonotonicUsec("ExecMainExitTimestampMonotonic").absent());
  EXPECT_TRUE(show.MonotonicUsec("X").not_observed());
}

TEST(ShowTest, NeedDaemonReload) {
  EXPECT_TRUE(*ParseShow("NeedDaemonReload=yes\n").value().NeedDaemonReload());
  EXPECT_FALSE(*ParseShow("NeedDaemonReload=no\r\n").value().NeedDaemonReload());
  EXPECT_TRUE(ParseShow("NeedDaemonReload=perhaps\n").value().NeedDaemonReload().not_observed());
}

TEST(ShowTest, WallClockStampsWhereTheZoneTells) {
  const absl::Time expected = absl::FromUnixSeconds(1771945082);  // 2026-02-24T14:58:02Z
  EXPECT_EQ(*ParseWallTime("Tue 2026-02-24 09:58:02 EST"), expected);
  EXPECT_EQ(*ParseWallTime("Tue 2026-02-24 14:58:02 UTC"), expected);
  EXPECT_EQ(*ParseWallTime("Tue 2026-02-24 20:28:02 +0530"), expected);
  EXPECT_EQ(*ParseWallTime("Tue 2026-02-24 17:58:02 +03"), expected);
  EXPECT_EQ(*ParseWallTime("Tue 2026-02-24 15:58:02.500000 CET"),
            expected + absl::Milliseconds(500));
}

TEST(ShowTest, WallClockStampsThatDoNotTell) {
  EXPECT_EQ(ParseWallTime("Tue 2026-02-24 09:58:02 IST").why_not(),
            "\"Tue 2026-02-24 09:58:02 IST\": the zone's name does not tell its offset");
  EXPECT_TRUE(ParseWallTime("Tue 2026-02-24 09:58:02").not_observed());
  EXPECT_TRUE(ParseWallTime("yesterday").not_observed());
  EXPECT_TRUE(ParseShow("T=\n").value().WallTime("T").absent());
  EXPECT_TRUE(ParseShow("T=n/a\n").value().WallTime("T").absent());
}

TEST(ShowTest, ListsOfPaths) {
  const ShowProperties show = ParseShow(
                                  "DropInPaths=/etc/a.conf \"/etc/b c.conf\"\n"
                                  "UnitPath=/etc/systemd/system /lib/systemd/system\n")
                                  .value();
  EXPECT_THAT(*show.DropInPaths(), ElementsAre("/etc/a.conf", "/etc/b c.conf"));
  EXPECT_THAT(*show.UnitPath(), ElementsAre("/etc/systemd/system", "/lib/systemd/system"));
}

TEST(ShowTest, TheManagersEnvironment) {
  EXPECT_THAT(ParseShowEnvironment("LANG=C.UTF-8\nLD_PRELOAD=$'/a.so /b.so'\nBAD=$'x\n").value(),
              ElementsAre(Pair("LANG", "C.UTF-8"), Pair("LD_PRELOAD", "/a.so /b.so")));
}

TEST(ShowTest, OtherTextIsAnError) {
  const absl::string_view noise = "\x8c\x01=q\n\xf3 a b c\n";
  EXPECT_FALSE(ParseShow(noise).ok());
  EXPECT_FALSE(ParseShowEnvironment(noise).ok());
  EXPECT_EQ(ParseListUnits(noise).status().message(),
            "no line of it is a unit; it begins with: \\x8c\\x01=q\\n\\xf3 a b c\\n");
  // An empty one is what the tool prints where there is nothing.
  EXPECT_TRUE(ParseShowEnvironment("").ok());
  EXPECT_TRUE(ParseListUnits("").ok());
}

TEST(ShowTest, ListedUnits) {
  const std::vector<ListedUnit> units =
      ParseListUnits(
          "ollama.service  loaded    active   running Ollama Service\n"
          "\xe2\x97\x8f old.service   not-found inactive dead    old.service\n"
          "x.service loaded failed failed\n"
          "\n3 loaded units listed.\n")
          .value();
  ASSERT_EQ(units.size(), 3);
  EXPECT_EQ(units[0].name, "ollama.service");
  EXPECT_EQ(units[0].sub, "running");
  EXPECT_EQ(units[0].description, "Ollama Service");
  EXPECT_EQ(units[1].name, "old.service");
  EXPECT_EQ(units[1].load, "not-found");
  EXPECT_EQ(units[2].active, "failed");
  EXPECT_EQ(units[2].description, "");
}

}  // namespace
}  // namespace vgpu::systemd
