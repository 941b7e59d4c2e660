#include "diag/logfmt/needle_set.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace vgpu::logfmt {
namespace {

using Path = NeedleSet::Path;

// The text up to the end of the line in which the first needle stands, found naively;
// everything where there is none.
size_t FirstMatchingLine(const std::string& text, const std::vector<absl::string_view>& needles) {
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const absl::string_view line = absl::string_view(text).substr(start, end - start);
    for (absl::string_view needle : needles) {
      if (absl::StrContains(line, needle)) return start;
    }
    start = end + 1;
  }
  return std::string::npos;
}

class NeedleSetOn : public ::testing::TestWithParam<Path> {
 protected:
  void SetUp() override {
    if (!NeedleSet::Supported(GetParam())) GTEST_SKIP() << "this processor lacks the path";
  }
  NeedleSet Make(const std::vector<absl::string_view>& needles) {
    absl::StatusOr<NeedleSet> set = NeedleSet::Create(needles, GetParam());
    EXPECT_TRUE(set.ok()) << set.status();
    return *std::move(set);
  }
};

TEST_P(NeedleSetOn, FindsANeedleAtEveryPlace) {
  const NeedleSet set = Make({"inference compute", "CUDA error", "xy", "z"});
  for (size_t size = 0; size < 150; ++size) {
    std::string text(size, '.');
    EXPECT_FALSE(set.Find(text).has_value());
    for (size_t at = 0; at + 10 <= size; ++at) {
      std::string with = text;
      with.replace(at, 10, "CUDA error");
      const auto match = set.Find(with);
      ASSERT_TRUE(match.has_value()) << size << " " << at;
      EXPECT_EQ(match->position, at);
      EXPECT_EQ(match->needle, 1u);
    }
    if (size == 0) continue;
    text.back() = 'z';
    ASSERT_TRUE(set.Find(text).has_value()) << size;
    EXPECT_EQ(set.Find(text)->position, size - 1);
  }
}

TEST_P(NeedleSetOn, NulAndHighBytesAreBytes) {
  const NeedleSet set = Make({absl::string_view("a\0b", 3), "\xff\xfe"});
  const std::string filler(40, '\0');
  EXPECT_FALSE(set.Find(filler).has_value());
  EXPECT_EQ(set.Find(filler + std::string("a\0b", 3) + filler)->position, 40u);
  EXPECT_EQ(set.Find(filler + "\xff\xfe" + filler)->needle, 1u);
}

// Random texts over a small alphabet, so that windows and near misses abound.
TEST_P(NeedleSetOn, AgreesWithANaiveSearchOnRandomTexts) {
  std::mt19937 random(20260226);
  size_t found = 0;
  for (int round = 0; round < 3000; ++round) {
    const size_t letters = 2 + random() % 6;
    const auto letter = [&] { return static_cast<char>('a' + random() % letters); };
    std::vector<std::string> storage(1 + random() % 64);
    for (std::string& needle : storage) {
      needle.resize(1 + random() % 12);
      for (char& c : needle) c = letter();
      if (round % 2 == 0) needle += "#";  // else almost every text matches at once
    }
    const std::vector<absl::string_view> needles(storage.begin(), storage.end());
    const NeedleSet set = Make(needles);
    std::string text(random() % 400, 'a');
    for (char& c : text) {
      c = random() % 16 == 0 ? '\n' : letter();
      if (random() % 64 == 0) c = '#';
    }
    const size_t line = FirstMatchingLine(text, needles);
    const auto match = set.Find(text);
    ASSERT_EQ(match.has_value(), line != std::string::npos) << text;
    if (!match.has_value()) continue;
    ++found;
    ASSERT_EQ(text.compare(match->position, needles[match->needle].size(),
                           std::string(needles[match->needle])),
              0);
    EXPECT_GE(match->position, line);
    EXPECT_EQ(text.substr(line, match->position - line).find('\n'), std::string::npos);
  }
  EXPECT_GT(found, 500u);
}

INSTANTIATE_TEST_SUITE_P(Paths, NeedleSetOn,
                         ::testing::Values(Path::kBest, Path::kPortable, Path::kSsse3,
                                           Path::kAvx2));

TEST(NeedleSet, WithoutNeedlesNothingIsFound) {
  EXPECT_FALSE(NeedleSet::Create({})->Find("anything at all").has_value());
}

TEST(NeedleSet, RefusesNeedlesThatCannotStandInALine) {
  EXPECT_FALSE(NeedleSet::Create({"a", ""}).ok());
  EXPECT_FALSE(NeedleSet::Create({"a\nb"}).ok());
  EXPECT_FALSE(NeedleSet::Create({std::string(300, 'x')}).ok());
  EXPECT_FALSE(NeedleSet::Create(std::vector<absl::string_view>(97, "x")).ok());
}

TEST(NeedleSet, OneNeedleInsideAnotherIsFound) {
  const absl::StatusOr<NeedleSet> set = NeedleSet::Create({"loaded CUDA backend", "CUDA"});
  EXPECT_EQ(set->Find("xx CUDA")->needle, 1u);
  EXPECT_TRUE(set->Find("loaded CUDA backend").has_value());
}

}  // namespace
}  // namespace vgpu::logfmt
