#include "diag/report/sarif.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::json;

Json TheRun(const Report& report) {
  return Json::parse(ToSarif(report), nullptr, false)["runs"][0];
}

TEST(ToSarif, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".sarif"), ToSarif(report)));
}

TEST(ToSarif, TheLevelSaysWhichListItIsOf) {
  const Json results = TheRun(CrashLoop())["results"];
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0]["ruleId"], "VG207");
  EXPECT_EQ(results[0]["level"], "error");
  EXPECT_EQ(results[1]["level"], "note");
  EXPECT_EQ(results[1]["properties"]["explainedBy"], Json::array({"VG207"}));
  EXPECT_EQ(results[3]["level"], "warning");
}

TEST(ToSarif, WhatWasRuledOutPassed) {
  const Json run = TheRun(NotRestarted());
  EXPECT_EQ(run["results"][2]["kind"], "pass");
  EXPECT_EQ(run["results"][2]["level"], "none");
}

TEST(ToSarif, EachResultFindsItsRule) {
  for (const auto& [name, report] : Samples()) {
    const Json run = TheRun(report);
    for (const Json& result : run["results"])
      EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<size_t>()]["id"],
                result["ruleId"]);
  }
}

TEST(ToSarif, APathIsAFileAndACommandIsNone) {
  const Json result = TheRun(CrashLoop())["results"][0];
  const Json& file = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(file["artifactLocation"]["uri"],
            "file:///etc/systemd/system/ollama.service.d/vgpu.conf");
  EXPECT_EQ(file["region"]["startLine"], 7);
  const Json command = TheRun(NotRestarted())["results"][1]["locations"][0];
  EXPECT_EQ(command["logicalLocations"][0]["fullyQualifiedName"],
            "journalctl -u ollama.service, line 118");
}

TEST(ToSarif, TheExitStatusIsThatOfTheProgram) {
  EXPECT_EQ(TheRun(NotRestarted())["invocations"][0]["exitCode"], 1);
  EXPECT_EQ(TheRun(SilentLog())["invocations"][0]["exitCode"], 3);
}

TEST(ToSarif, NoTextOfTheHostIsALinkOrAPlaceholder) {
  const Json run = TheRun(Hostile("[x](http://evil) {0}"));
  EXPECT_EQ(run["results"][0]["locations"][0]["message"]["text"],
            "[x] (http://evil) {{0}}: [x] (http://evil) {{0}}");
}

TEST(FileUri, EscapesWhatAUriCannotHold) {
  EXPECT_EQ(FileUri("/a b/%41?#\"<\xc3\xa9"), "file:///a%20b/%2541%3F%23%22%3C%C3%A9");
}

TEST(ToSarif, SecretsAreRedacted) {
  EXPECT_FALSE(
      absl::StrContains(ToSarif(Hostile("HTTPS_PROXY=http://me:hunter2@proxy:3128")), "hunter2"));
}

}  // namespace
}  // namespace vgpu::report
