#include "diag/logfmt/line_scanner.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/logfmt/memory_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::logfmt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Found {
  std::string text;
  uint64_t number = 0;
  bool cut = false;
  friend bool operator==(const Found&, const Found&) = default;
};

struct Result {
  ScanSummary summary;
  std::vector<Found> found;
};

Result Scan(absl::string_view text, const std::vector<absl::string_view>& needles,
            const ScanOptions& options = {}, size_t piece = absl::string_view::npos,
            absl::Status end = absl::OkStatus()) {
  const absl::StatusOr<NeedleSet> set = NeedleSet::Create(needles);
  MemorySource source(text, piece, end);
  Result result;
  result.summary = ScanLines(source, *set, options, [&](const Line& line) {
    result.found.push_back({std::string(line.text), line.number, line.cut});
  });
  return result;
}

TEST(LineScanner, ReportsTheLinesThatHoldANeedleWithTheirNumbers) {
  const Result r = Scan("one\ntwo GPU\n\nGPU and GPU\nfive\n", {"GPU"});
  EXPECT_THAT(r.found, ElementsAre(Found{"two GPU", 2}, Found{"GPU and GPU", 4}));
  EXPECT_EQ(r.summary.lines, 5u);
  EXPECT_EQ(r.summary.bytes, 30u);
  EXPECT_EQ(r.summary.matched, 2u);
  EXPECT_EQ(r.summary.first, "one");
  EXPECT_EQ(r.summary.last, "five");
  EXPECT_FALSE(r.summary.unfinished);
}

TEST(LineScanner, AnEmptyStreamHasNoLines) {
  const Result r = Scan("", {"GPU"});
  EXPECT_THAT(r.found, IsEmpty());
  EXPECT_EQ(r.summary.lines, 0u);
}

TEST(LineScanner, TheTextBehindTheLastNewlineIsALineButNotTheWindowsEnd) {
  const Result r = Scan("a\nb\nc GPU", {"GPU"});
  EXPECT_THAT(r.found, ElementsAre(Found{"c GPU", 3}));
  EXPECT_EQ(r.summary.lines, 3u);
  EXPECT_EQ(r.summary.last, "b");
  EXPECT_TRUE(r.summary.unfinished);
  EXPECT_EQ(Scan("lonely", {"GPU"}).summary.last, "lonely");
}

TEST(LineScanner, NulAndCarriageReturnAreBytesOfTheLine) {
  const std::string text("a\0GPU\r\nb\n", 9);
  const Result r = Scan(text, {"GPU"});
  EXPECT_THAT(r.found, ElementsAre(Found{std::string("a\0GPU\r", 6), 1}));
}

TEST(LineScanner, AnOverlongLineIsCutAndCountedAndLeavesTheOthersAlone) {
  const std::string text = absl::StrCat("GPU one\n", "GPU ", std::string(100, 'x'), "\n",
                                        std::string(100, 'x'), " GPU\n", "GPU four\n");
  for (size_t piece : {size_t{1}, size_t{7}, size_t{64}, text.size()}) {
    const Result r = Scan(text, {"GPU"}, {.max_line = 16}, piece);
    EXPECT_THAT(r.found, ElementsAre(Found{"GPU one", 1}, Found{"GPU xxxxxxxxxxxx", 2, true},
                                     Found{"GPU four", 4}))
        << piece;
    EXPECT_EQ(r.summary.overlong, 2u);
    EXPECT_EQ(r.summary.lines, 4u);
    EXPECT_EQ(r.summary.last, "GPU four");
  }
}

TEST(LineScanner, ALineAsLongAsTheLimitIsWhole) {
  const Result r = Scan("12345GPU\n123456GPU\n", {"GPU"}, {.max_line = 8});
  EXPECT_THAT(r.found, ElementsAre(Found{"12345GPU", 1}));
  EXPECT_EQ(r.summary.overlong, 1u);
}

TEST(LineScanner, TenMegabytesInOneLineAreDropped) {
  const std::string text = absl::StrCat("GPU ", std::string(10 << 20, 'x'), "\nGPU\n");
  const Result r = Scan(text, {"GPU"});
  ASSERT_EQ(r.found.size(), 2u);
  EXPECT_EQ(r.found[0].text.size(), size_t{1} << 20);
  EXPECT_TRUE(r.found[0].cut);
  EXPECT_EQ(r.found[1], (Found{"GPU", 2}));
  EXPECT_EQ(r.summary.bytes, text.size());
}

TEST(LineScanner, WhatCameBeforeAnErrorStands) {
  const Result r =
      Scan("GPU 1\nGPU 2\nGPU", {"GPU"}, {}, 5, absl::DataLossError("journal.jsonl: I/O error"));
  EXPECT_EQ(r.summary.status.message(), "journal.jsonl: I/O error");
  EXPECT_THAT(r.found, ElementsAre(Found{"GPU 1", 1}, Found{"GPU 2", 2}, Found{"GPU", 3}));
}

// Any cut into blocks, any limit: the same lines as a loop over the text.
TEST(LineScanner, AgreesWithANaiveLoop) {
  std::mt19937 random(7);
  const std::vector<absl::string_view> needles = {"ab", "cab", "#"};
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 300, ' ');
    for (char& c : text) c = "abcd.........\n\n\0#"[random() % (round % 2 ? 17 : 14)];
    const size_t max_line = 1 + random() % 40;
    std::vector<Found> expected;
    uint64_t number = 0;
    uint64_t overlong = 0;
    for (size_t start = 0; start < text.size();) {
      const size_t end = std::min(text.find('\n', start), text.size());
      const std::string line = text.substr(start, end - start);
      const std::string kept = line.substr(0, max_line);
      ++number;
      overlong += kept != line;
      for (absl::string_view needle : needles) {
        if (!absl::StrContains(kept, needle)) continue;
        expected.push_back({kept, number, kept != line});
        break;
      }
      start = end + 1;
    }
    const Result r = Scan(text, needles, {.max_line = max_line}, 1 + random() % 64);
    ASSERT_EQ(r.found, expected) << text;
    ASSERT_EQ(r.summary.lines, number);
    ASSERT_EQ(r.summary.overlong, overlong);
    ASSERT_EQ(r.summary.matched, expected.size());
  }
}

TEST(LineScanner, LinesThatCrossBlocksAreWhole) {
  std::string text;
  std::vector<Found> expected;
  for (uint64_t i = 1; text.size() < 3 * kBlockSize; ++i) {
    std::string line = absl::StrCat(i, i % 100 == 0 ? " GPU " : " --- ", std::string(i % 977, 'x'));
    if (i % 100 == 0) expected.push_back({line, i});
    absl::StrAppend(&text, line, "\n");
  }
  EXPECT_EQ(Scan(text, {"GPU"}).found, expected);
  EXPECT_EQ(Scan(text, {"GPU"}, {}, 65536).found, expected);
}

}  // namespace
}  // namespace vgpu::logfmt
