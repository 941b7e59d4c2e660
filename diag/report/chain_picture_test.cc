#include "diag/report/chain_picture.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

size_t Count(const std::string& text, absl::string_view part) {
  size_t count = 0;
  for (size_t i = text.find(std::string(part)); i != std::string::npos;
       i = text.find(std::string(part), i + 1))
    ++count;
  return count;
}

Item Finding(std::string code, std::vector<std::string> explained_by) {
  return {.code = std::move(code), .title = "something", .explained_by = std::move(explained_by)};
}

TEST(ChainPicture, DrawsEachFindingAndEachDirectStep) {
  // VG207 explains VG410 and VG307, and VG410 explains VG307: two arrows say it all.
  const std::string svg = ChainPicture(CrashLoop());
  EXPECT_EQ(Count(svg, "<rect"), 3u);
  EXPECT_EQ(Count(svg, "class=\"arrow\""), 2u);
  EXPECT_TRUE(absl::StrContains(svg, "VG410 follows from VG207; VG307 follows from VG410"));
}

TEST(ChainPicture, NoPictureWhereNothingFollows) {
  EXPECT_EQ(ChainPicture(TwoCauses()), "");
  EXPECT_EQ(ChainPicture(SilentLog()), "");
}

TEST(ChainPicture, FindingsThatExplainEachOtherInACircleAreDrawnToo) {
  Report report;
  report.root_causes = {Finding("VG401", {})};
  report.consequences = {Finding("VG704", {"VG702", "VG401", "VG704"}),
                         Finding("VG702", {"VG704"})};
  const std::string svg = ChainPicture(report);
  EXPECT_EQ(Count(svg, "<rect"), 3u);
  EXPECT_LT(svg.size(), 10'000u);
}

TEST(ChainPicture, AHundredFindingsTakeNoTime) {
  Report report;
  report.root_causes = {Finding("VG000", {})};
  std::vector<std::string> all = {"VG000"};
  for (int i = 1; i < 100; ++i) {
    report.consequences.push_back(Finding(absl::StrCat("VG", 1000 + i), all));
    all.push_back(absl::StrCat("VG", 1000 + i));
  }
  EXPECT_EQ(Count(ChainPicture(report), "class=\"arrow\""), 99u);
}

TEST(ChainPicture, ALongTitleIsWrappedAndCut) {
  Report report = CrashLoop();
  report.root_causes[0].title = std::string(400, 'x');
  const std::string svg = ChainPicture(report);
  EXPECT_FALSE(absl::StrContains(svg, std::string(34, 'x')));
  EXPECT_TRUE(absl::StrContains(svg, "x\u2026</text>"));
}

TEST(ChainPicture, TextIsEscaped) {
  Report report = CrashLoop();
  report.root_causes[0].title = "<script>&";
  EXPECT_TRUE(absl::StrContains(ChainPicture(report), "&lt;script&gt;&amp;"));
}

}  // namespace
}  // namespace vgpu::report
