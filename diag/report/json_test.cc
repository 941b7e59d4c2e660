#include "diag/report/json.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;

template <size_t N>
std::string Bytes(const char (&literal)[N]) {
  return std::string(literal, N - 1);
}

Json Parsed(const Report& report) { return Json::parse(ToJson(report), nullptr, false); }

std::vector<std::string> Keys(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST(ToJson, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".json"), ToJson(report)));
}

TEST(ToJson, KeysStandInTheOrderOfTheContract) {
  const Json report = Parsed(NotRestarted());
  EXPECT_THAT(Keys(report),
              ElementsAre("schema", "tool_version", "host", "subject", "verdict", "headline",
                          "root_causes", "consequences", "latent", "notes", "working", "ruled_out",
                          "not_observed", "skipped", "timeline"));
  EXPECT_THAT(Keys(report["host"]), ElementsAre("hostname", "observed_at", "source"));
  EXPECT_THAT(Keys(report["subject"]),
              ElementsAre("unit", "pid", "ollama_version", "era", "era_because"));
  EXPECT_THAT(Keys(report["root_causes"][0]),
              ElementsAre("code", "id", "title", "runbook", "confidence", "evidence", "explains",
                          "fix", "expect"));
  EXPECT_THAT(Keys(report["root_causes"][0]["evidence"][0]),
              ElementsAre("source", "line", "quote", "meaning"));
  EXPECT_THAT(Keys(report["root_causes"][0]["fix"][0]),
              ElementsAre("command", "why", "risk", "undo"));
  EXPECT_THAT(Keys(report["consequences"][0]),
              ElementsAre("code", "id", "title", "runbook", "confidence", "evidence", "explains",
                          "explained_by"));
}

TEST(ToJson, ARootCauseHasAllKeysAndAnotherItemAFixOnlyWhereThereIsOne) {
  const Json two = Parsed(TwoCauses());
  EXPECT_EQ(two["root_causes"][1]["fix"], Json::array());
  EXPECT_EQ(two["root_causes"][1]["expect"], Json::array());
  EXPECT_FALSE(Parsed(SilentLog())["notes"][0].contains("fix"));
  EXPECT_EQ(Parsed(CrashLoop())["latent"][0]["fix"].size(), 1u);
}

TEST(ToJson, WhatWasNotObservedIsNull) {
  const Json report = Parsed(TwoCauses());
  EXPECT_TRUE(report["host"]["hostname"].is_null());
  EXPECT_TRUE(report["host"]["observed_at"].is_null());
  EXPECT_TRUE(report["subject"]["unit"].is_null());
  EXPECT_TRUE(report["subject"]["pid"].is_null());
  EXPECT_TRUE(report["subject"]["ollama_version"].is_null());
  EXPECT_TRUE(Parsed(CrashLoop())["subject"]["pid"].is_null());  // absent
}

TEST(ToJson, ASourceWithoutLinesHasLineNull) {
  const Json cause = Parsed(NotRestarted())["root_causes"][0];
  EXPECT_TRUE(cause["evidence"][0]["line"].is_null());
  EXPECT_EQ(cause["evidence"][1]["line"], 214);
}

TEST(ToJson, NoControlCharacterSurvivesJqDashR) {
  const std::string bad = Bytes("\x1b]0;x\x07\n\t\0\xff\xc2\x9b\u202E\"\\");
  const std::string json = ToJson(Hostile(bad));
  ASSERT_FALSE(Json::parse(json, nullptr, false).is_discarded());
  for (const char c : json) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(Parsed(Hostile(bad))["headline"], R"(\x1b]0;x\x07\n\t\x00\xff\u009b\u202e"\)");
}

TEST(ToJson, SecretsAreRedacted) {
  const std::string json = ToJson(Hostile("HTTPS_PROXY=http://me:hunter2@proxy:3128"));
  EXPECT_FALSE(absl::StrContains(json, "hunter2"));
  EXPECT_TRUE(absl::StrContains(json, "http://<redacted>@proxy:3128"));
}

TEST(ToJson, AMegabyteInEveryFieldIsBounded) {
  EXPECT_LT(ToJson(Hostile(std::string(1 << 20, 'x'))).size(), 500'000u);
}

TEST(Rfc3339, HasMillisecondsOnlyWhereThereAreSome) {
  const absl::TimeZone eastern = absl::FixedTimeZone(-5 * 3600);
  const absl::Time time = absl::FromUnixSeconds(1771945082);
  EXPECT_EQ(Rfc3339(time, eastern), "2026-02-24T09:58:02-05:00");
  EXPECT_EQ(Rfc3339(time + absl::Milliseconds(7), eastern), "2026-02-24T09:58:02.007-05:00");
  EXPECT_EQ(Rfc3339(time + absl::Microseconds(7), eastern), "2026-02-24T09:58:02-05:00");
  EXPECT_EQ(Rfc3339(time, absl::UTCTimeZone()), "2026-02-24T14:58:02+00:00");
}

TEST(Rfc3339, AStampFromNowhereStaysInTheYearsThatItKnows) {
  EXPECT_EQ(Rfc3339(absl::InfiniteFuture(), absl::UTCTimeZone()), "9999-12-30T00:00:00+00:00");
  EXPECT_EQ(Rfc3339(absl::InfinitePast(), absl::UTCTimeZone()), "0001-01-02T00:00:00+00:00");
  EXPECT_EQ(Rfc3339(absl::FromUnixMicros(INT64_MAX), absl::UTCTimeZone()),
            "9999-12-30T00:00:00+00:00");
}

}  // namespace
}  // namespace vgpu::report
