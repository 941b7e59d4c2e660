#include "diag/report/fleet_views.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

// Two hosts of each sample, one without a name, and what could not be judged.
Fleet Sample() {
  FleetCollector collector;
  for (const auto& [name, report] : Samples()) {
    Report own = report;
    own.host.hostname = absl::StrCat("gpu-", name.size());
    collector.Add(absl::StrCat("captures/", name, ".tar.zst"), own);
  }
  collector.Add("captures/again.tar.zst", NotRestarted());
  collector.Add("captures/copy-of-again.tar.zst", NotRestarted());
  Report nameless = SilentLog();
  nameless.host.hostname = host::NotObserved{"the manifest does not say"};
  collector.Add("/mnt/disk", nameless);
  collector.AddUnreadable("captures/cut.tar.zst",
                          "is not a directory, and as an archive: it ends in the middle of a file");
  return std::move(collector).Finish();
}

TEST(FleetViews, LookAsReviewed) {
  EXPECT_TRUE(MatchesGolden("fleet.txt", ToText(Sample(), {})));
  EXPECT_TRUE(MatchesGolden("fleet.md", ToMarkdown(Sample())));
  EXPECT_TRUE(MatchesGolden("fleet.html", ToHtml(Sample())));
  EXPECT_TRUE(MatchesGolden("fleet.prom", ToPrometheus(Sample())));
  EXPECT_TRUE(MatchesGolden("fleet.json", ToJson(Sample())));
}

TEST(FleetViews, HostsOfWhichTheSameIsSaidStandBelowIt) {
  FleetCollector collector;
  for (int i = 1; i <= 3; ++i) {
    Report report = NotRestarted();
    report.subject.pid = 100 + i;
    report.headline = absl::StrCat("Process ", 100 + i, " is old: restart it.");
    collector.Add(absl::StrCat("my captures/", i), report);
  }
  const std::string text = ToText(std::move(collector).Finish(), {});
  EXPECT_TRUE(absl::StrContains(text,
                                "PROBLEM  VG302 service-started-before-config (certain), 3 hosts\n"
                                "  Process PID is old: restart it.\n"
                                "    test10  my captures/1\n"
                                "    test10  my captures/2\n"
                                "    test10  my captures/3\n"
                                "  $ vgpu-doctor fix --root 'my captures/1'\n"))
      << text;
  // It goes without saying.
  EXPECT_FALSE(absl::StrContains(text, "3 of 3  ollama.service"));
  EXPECT_FALSE(absl::StrContains(text, "era B"));
}

// However long it is, and wherever a blank stands in it: it is copied from here.
TEST(FleetViews, APathIsNeverBroken) {
  for (size_t length = 1; length <= 120; ++length) {
    const std::string judged = absl::StrCat("/", std::string(length, 'a'), " b c/host");
    const std::string unreadable = absl::StrCat("/", std::string(length, 'x'), " y z.tar.zst");
    FleetCollector collector;
    collector.Add(judged, NotRestarted());
    collector.AddUnreadable(unreadable, "it ends in the middle of a file");
    const std::string text = ToText(std::move(collector).Finish(), {});
    EXPECT_TRUE(absl::StrContains(text, absl::StrCat("\n    test10  ", judged, "\n"))) << text;
    EXPECT_TRUE(absl::StrContains(
        text, absl::StrCat("\n  ", unreadable, "\n    it ends in the middle of a file\n")))
        << text;
  }
}

TEST(FleetViews, ACauseIsAsSureAsItIsOnEachHost) {
  FleetCollector collector;
  collector.Add("a", NotRestarted());
  Report other = NotRestarted();
  other.root_causes[0].confidence = rules::Confidence::kPossible;
  collector.Add("b", other);
  EXPECT_TRUE(
      absl::StrContains(ToText(std::move(collector).Finish(), {}), "certain on 1, possible on 1"));
}

TEST(FleetViews, ColourAddsEscapesAndNothingElse) {
  std::string colored = ToText(Sample(), {.color = true});
  std::string plain;
  for (size_t i = 0; i < colored.size(); ++i) {
    if (colored[i] == '\x1b') {
      i = colored.find('m', i);
      continue;
    }
    plain += colored[i];
  }
  EXPECT_NE(plain, colored);
  EXPECT_EQ(plain, ToText(Sample(), {}));
}

TEST(FleetViews, AsciiIsAscii) {
  FleetCollector collector;
  collector.Add("caf\u00e9", Hostile("caf\u00e9 \u2013 x"));
  for (const char c : ToText(std::move(collector).Finish(), {.utf8 = false}))
    EXPECT_EQ(c & 0x80, 0);
}

TEST(FleetViews, NoLineEndsInASpace) {
  for (const int width : {40, 60, 80, 100}) {
    for (const absl::string_view line : absl::StrSplit(ToText(Sample(), {.width = width}), '\n'))
      EXPECT_FALSE(absl::EndsWith(line, " ")) << line;
  }
}

TEST(FleetViews, TheTableOfMarkdownKeepsItsColumns) {
  FleetCollector collector;
  collector.Add("a|b", Hostile("x | y `|` [z](http://evil)"));
  size_t rows = 0;
  const std::string markdown = ToMarkdown(std::move(collector).Finish());
  for (const absl::string_view line : absl::StrSplit(markdown, '\n')) {
    if (!absl::StartsWith(line, "|") || !absl::StrContains(line, "problem")) continue;
    ++rows;
    size_t bars = 0;
    for (size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    EXPECT_EQ(bars, 6u) << line;
  }
  EXPECT_EQ(rows, 1u);
}

TEST(FleetViews, NothingOfAHostIsMarkupOfThePage) {
  FleetCollector collector;
  for (int i = 0; i < 2; ++i) collector.Add("<b>", Hostile("</td><script>x</script>"));
  collector.AddUnreadable("\" onload=x", "<img src=x>");
  const std::string page = ToHtml(std::move(collector).Finish());
  for (const char* bad : {"<script", "<b>", "<img", "</td></td>"})
    EXPECT_FALSE(absl::StrContains(page, bad)) << bad;
}

TEST(FleetViews, EverySeriesStandsOnce) {
  // One host that was named twice.
  FleetCollector collector;
  for (int i = 0; i < 2; ++i) collector.Add("a", NotRestarted());
  const std::string text = ToPrometheus(std::move(collector).Finish());
  const std::string series = "vgpu_doctor_verdict{host=\"test10\",root=\"a\"";
  const size_t first = text.find(series);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find(series, first + 1), std::string::npos);
}

}  // namespace
}  // namespace vgpu::report
