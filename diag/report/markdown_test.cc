#include "diag/report/markdown.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace vgpu::report {
namespace {

TEST(ToMarkdown, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".md"), ToMarkdown(report, {})));
}

TEST(MarkdownProse, OrdinaryTextStaysReadable) {
  const std::string text =
      "LD_PRELOAD=/usr/lib64/libvgpu-exec.so is set by v0.12.4 (0000:00:05.0), and 4 of 5 exist.";
  EXPECT_EQ(MarkdownProse(text), text);
}

TEST(MarkdownProse, WhatWouldBeMarkupIsCode) {
  EXPECT_EQ(MarkdownProse("[x](http://evil)"), "`[x](http://evil)`");
  EXPECT_EQ(MarkdownProse("![x](y)"), "`![x](y)`");
  EXPECT_EQ(MarkdownProse("see [a b](http://evil)."), "see `[a` `b](http://evil)`.");
  EXPECT_EQ(MarkdownProse("<img src=x onerror=y>&lt;"), "`<img` src=x `onerror=y>&lt`;");
  EXPECT_EQ(MarkdownProse("see www.evil.test"), "see `www.evil.test`");
  EXPECT_EQ(MarkdownProse("ask http://127.0.0.1:11434/api, twice"),
            "ask `http://127.0.0.1:11434/api`, twice");
  EXPECT_EQ(MarkdownProse("a < b & c"), R"(a \< b \& c)");
  EXPECT_EQ(MarkdownProse("$a and $b"), "`$a` and `$b`");
}

TEST(MarkdownProse, NobodyIsMentionedAndNoTicketReferredTo) {
  EXPECT_EQ(MarkdownProse("ask @all"), "ask `@all`");
  EXPECT_EQ(MarkdownProse("of (user@1000.service)"), "of (`user@1000.service`)");
  EXPECT_EQ(MarkdownProse("of #12 and !7"), "of `#12` and `!7`");
}

TEST(MarkdownProse, ALineBeginsNoBlock) {
  EXPECT_EQ(MarkdownProse("# heading"), R"(\# heading)");
  EXPECT_EQ(MarkdownProse("    code"), "code");
  EXPECT_EQ(MarkdownProse("> quote"), R"(\> quote)");
  EXPECT_EQ(MarkdownProse("- point"), R"(\- point)");
  EXPECT_EQ(MarkdownProse("---"), R"(\---)");
  EXPECT_EQ(MarkdownProse("12. point"), R"(12\. point)");
  EXPECT_EQ(MarkdownProse("3) point"), R"(3\) point)");
  EXPECT_EQ(MarkdownProse("__bold__ and *this*"), "`__bold__` and `*this*`");
}

TEST(MarkdownProse, WhatStandsBetweenBackticksIsCode) {
  EXPECT_EQ(MarkdownProse("`systemctl show *` says *"), R"(`systemctl show *` says \*)");
  EXPECT_EQ(MarkdownProse("a ` b"), R"(a \` b)");
  EXPECT_EQ(MarkdownProse("a `` b"), R"(a \`\` b)");
  // Two spans beside each other would be one.
  EXPECT_EQ(MarkdownProse("`a`b*c d*e"), R"(`a`b\*c `d*e`)");
}

TEST(MarkdownCode, AFenceIsLongerThanWhatItHolds) {
  EXPECT_EQ(MarkdownCode("a`b"), "``a`b``");
  EXPECT_EQ(MarkdownCode("`a`"), "`` `a` ``");
  EXPECT_EQ(MarkdownCode(" a "), "`  a  `");
  EXPECT_EQ(MarkdownCode(""), "");
}

TEST(ToMarkdown, AFenceInAQuoteDoesNotEndTheQuote) {
  const std::string text = ToMarkdown(Hostile("``` x\n```\n# heading"), {});
  EXPECT_TRUE(absl::StrContains(text, "````text\n"));
  EXPECT_FALSE(absl::StrContains(text, "\n# heading"));
}

TEST(ToMarkdown, ReasonsOfWhatWasRuledOutAreFoldedAway) {
  const std::string text = ToMarkdown(NotRestarted(), {});
  const size_t fold = text.find("<details><summary>2 causes</summary>\n\n- VG203 ");
  ASSERT_NE(fold, std::string::npos) << text;
  EXPECT_TRUE(absl::StrContains(text.substr(fold), "entries exist\n\n</details>\n"));
  EXPECT_FALSE(absl::StrContains(ToMarkdown(NotRestarted(), {.verbose = true}), "<details>"));
}

TEST(ToMarkdown, TextOfAHostFoldsNothing) {
  const std::string text = ToMarkdown(Hostile("x </details> y"), {});
  size_t ends = 0;
  bool fenced = false;  // what stands there is shown as it is
  for (const absl::string_view row : absl::StrSplit(text, '\n')) {
    std::string line(row);
    if (absl::StrContains(line, "```")) fenced = !fenced;
    ends += line == "</details>";
    RE2::GlobalReplace(&line, "`[^`]*`", "");
    EXPECT_TRUE(fenced || !absl::StrContains(line, " </details>")) << line;
  }
  EXPECT_EQ(ends, 2u);
}

TEST(ToMarkdown, SecretsAreRedacted) {
  const std::string text = ToMarkdown(Hostile("HTTPS_PROXY=http://me:hunter2@proxy:3128"), {});
  EXPECT_FALSE(absl::StrContains(text, "hunter2"));
}

TEST(ToMarkdown, AMegabyteInEveryFieldIsBounded) {
  EXPECT_LT(ToMarkdown(Hostile(std::string(1 << 17, '*')), {}).size(), 1'000'000u);
}

}  // namespace
}  // namespace vgpu::report
