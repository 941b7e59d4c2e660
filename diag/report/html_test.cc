#include "diag/report/html.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(ToHtml, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".html"), ToHtml(report)));
}

TEST(ToHtml, ThePageLoadsAndRunsNothing) {
  for (const auto& [name, report] : Samples()) {
    const std::string html = ToHtml(report);
    EXPECT_TRUE(absl::StrContains(html, "content=\"default-src 'none'; style-src 'unsafe-inline'"));
    for (const char* part : {"<script", "<link", "<img", "src=", "@import", "url(h", "javascript:"})
      EXPECT_FALSE(absl::StrContains(html, part)) << name << " " << part;
  }
}

TEST(ToHtml, TextOfTheHostStaysText) {
  const std::string html =
      ToHtml(Hostile(R"(</style><script>x</script><a href="javascript:y" onclick='z'>&)"));
  EXPECT_FALSE(absl::StrContains(html, "<script"));
  EXPECT_FALSE(absl::StrContains(html, "<a href=\"javascript"));
  EXPECT_TRUE(absl::StrContains(
      html,
      "&lt;/style&gt;&lt;script&gt;x&lt;/script&gt;&lt;a href=&quot;javascript:y&quot; "
      "onclick=&#39;z&#39;&gt;&amp;"));
}

TEST(ToHtml, AnAddressIsACodeOfTheCatalogueOrNone) {
  const std::string html = ToHtml(Hostile("x\" onclick=\"y"));
  EXPECT_FALSE(absl::StrContains(html, "href=\"#x"));
  EXPECT_FALSE(absl::StrContains(html, "id=\"x"));
  EXPECT_TRUE(absl::StrContains(ToHtml(NotRestarted()), "href=\"#VG704\""));
  EXPECT_TRUE(absl::StrContains(ToHtml(NotRestarted()), "id=\"VG704\""));
}

TEST(ToHtml, SecretsAreRedacted) {
  EXPECT_FALSE(
      absl::StrContains(ToHtml(Hostile("HTTPS_PROXY=http://me:hunter2@proxy:3128")), "hunter2"));
}

TEST(SayDuration, HasTwoUnits) {
  EXPECT_EQ(SayDuration(absl::Milliseconds(310)), "0.31 s");
  EXPECT_EQ(SayDuration(absl::Seconds(3)), "3 s");
  EXPECT_EQ(SayDuration(absl::Seconds(42)), "42 s");
  EXPECT_EQ(SayDuration(absl::Seconds(1015)), "16 min 55 s");
  EXPECT_EQ(SayDuration(absl::Hours(2)), "2 h");
  EXPECT_EQ(SayDuration(absl::Hours(142)), "5 d 22 h");
  EXPECT_EQ(SayDuration(absl::InfiniteDuration()), "");
  EXPECT_EQ(SayDuration(-absl::Seconds(1)), "");
}

}  // namespace
}  // namespace vgpu::report
