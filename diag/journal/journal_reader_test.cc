#include "diag/journal/journal_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/logfmt/memory_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string Entry(int64_t micros, absl::string_view message_json, absl::string_view boot = "b1") {
  return absl::StrCat(R"({"__REALTIME_TIMESTAMP":")", micros, R"(","_BOOT_ID":")", boot,
                      R"(","MESSAGE":)", message_json, "}\n");
}

struct Result {
  absl::StatusOr<JournalSummary> summary;
  std::vector<std::pair<std::string, uint64_t>> found;
};

Result ReadAll(absl::string_view text, const std::vector<absl::string_view>& needles,
               absl::Status end = absl::OkStatus()) {
  const auto reader = JournalReader::Create(needles);
  EXPECT_TRUE(reader.ok()) << reader.status();
  logfmt::MemorySource source(text, 100, end);
  Result result;
  result.summary = reader->Read(source, [&](const JournalEntry& entry, uint64_t line) {
    result.found.emplace_back(entry.message.value_or("?"), line);
  });
  return result;
}

TEST(JournalReader, ReportsTheInterestingEntriesAndTheTimeThatTheJournalCovers) {
  const Result r = ReadAll(absl::StrCat(Entry(1000000, R"("[GIN] GET")"),
                                        Entry(2000000, R"("msg=\"inference compute\"")"),
                                        Entry(3000000, R"("[GIN] POST")", "b2")),
                           {"inference compute"});
  ASSERT_TRUE(r.summary.ok()) << r.summary.status();
  EXPECT_THAT(r.found, ElementsAre(Pair("msg=\"inference compute\"", 2)));
  EXPECT_EQ(r.summary->lines, 3u);
  EXPECT_EQ(r.summary->reported, 1u);
  EXPECT_EQ(r.summary->malformed, 0u);
  EXPECT_EQ(*r.summary->first->time, absl::FromUnixSeconds(1));
  EXPECT_EQ(r.summary->first->boot_id, "b1");
  EXPECT_EQ(*r.summary->last->time, absl::FromUnixSeconds(3));
  EXPECT_EQ(r.summary->last->boot_id, "b2");
}

TEST(JournalReader, AMessageInBytesIsSearchedAfterDecoding) {
  const Result r =
      ReadAll(absl::StrCat(Entry(1, "[27,91,109,71,80,85]"), Entry(2, "[1,2,3]")), {"GPU"});
  ASSERT_TRUE(r.summary.ok()) << r.summary.status();
  EXPECT_THAT(r.found, ElementsAre(Pair("\x1b[mGPU", 1)));
}

TEST(JournalReader, AMessageThatJqReprintedIsFoundToo) {
  const Result r = ReadAll("{\"MESSAGE\" : [71,80,85]}\n{\"MESSAGE\": [ 71, 80, 85 ]}\n", {"GPU"});
  EXPECT_THAT(r.found, ElementsAre(Pair("GPU", 1), Pair("GPU", 2)));
}

TEST(JournalReader, AMalformedInterestingLineIsCounted) {
  const Result r =
      ReadAll(absl::StrCat(Entry(1, "\"GPU\""), "GPU but no JSON\n", "dull\n", Entry(2, "\"GPU\"")),
              {"GPU"});
  ASSERT_TRUE(r.summary.ok()) << r.summary.status();
  EXPECT_THAT(r.found, ElementsAre(Pair("GPU", 1), Pair("GPU", 4)));
  EXPECT_EQ(r.summary->malformed, 1u);
}

TEST(JournalReader, SaysWhenTheStreamIsNotTheJournalsJson) {
  const Result r = ReadAll(
      "Mar 26 06:35:38 host ollama[6957]: GPU\nMar 26 06:35:39 host ollama[6957]: x\n", {"GPU"});
  ASSERT_FALSE(r.summary.ok());
  EXPECT_THAT(std::string(r.summary.status().message()),
              HasSubstr("begins with: Mar 26 06:35:38 host ollama[6957]: GPU"));
  EXPECT_THAT(r.found, IsEmpty());
}

TEST(JournalReader, AnEmptyJournalIsNoError) {
  for (absl::string_view text : {"", "-- No entries --\n"}) {
    const Result r = ReadAll(text, {"GPU"});
    ASSERT_TRUE(r.summary.ok()) << r.summary.status();
    EXPECT_EQ(r.summary->lines, 0u);
    EXPECT_TRUE(r.summary->first.absent());
  }
}

TEST(JournalReader, ACutEndLeavesTheWindowWhole) {
  const Result r =
      ReadAll(absl::StrCat(Entry(1000000, "\"a\""), Entry(2000000, "\"b\""), "{\"MESS"), {"GPU"});
  ASSERT_TRUE(r.summary.ok()) << r.summary.status();
  EXPECT_TRUE(r.summary->unfinished);
  EXPECT_EQ(*r.summary->last->time, absl::FromUnixSeconds(2));
}

TEST(JournalReader, WhatCameBeforeAnErrorStands) {
  const Result r =
      ReadAll(Entry(1, "\"GPU\""), {"GPU"}, absl::DataLossError("journalctl: exited by signal 9"));
  ASSERT_TRUE(r.summary.ok()) << r.summary.status();
  EXPECT_EQ(r.summary->status.message(), "journalctl: exited by signal 9");
  EXPECT_EQ(r.found.size(), 1u);
}

TEST(JournalReader, RefusesANeedleThatJsonWritesOtherwise) {
  for (absl::string_view needle : {"msg=\"x\"", "a\\b", "caf\xc3\xa9", "a\tb"}) {
    EXPECT_FALSE(JournalReader::Create({needle}).ok()) << needle;
  }
}

}  // namespace
}  // namespace vgpu::journal
