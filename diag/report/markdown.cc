#include "diag/report/markdown.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/text.h"

namespace vgpu::report {
namespace {

// About ten lines, as in the text report.
constexpr size_t kLongestQuote = 800;

size_t LongestRunOfBackticks(absl::string_view text) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
bool IsWord(char c) { return IsLetter(c) || c == '_'; }

// What means something to Markdown, or to the sites that show it, as itself.
std::string Escaped(absl::string_view text, bool begins_line) {
  std::string out;
  const auto dollars = std::count(text.begin(), text.end(), '$');
  bool begins = begins_line;  // a line, with nothing but digits so far
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    const bool in_word = i > 0 && IsWord(text[i - 1]);
    bool escape = false;
    bool part = false;  // from what follows, by a comment that nobody sees
    switch (c) {
      case '\\':
      case '`':
      case '*':
      case '[':
      case ']':
      case '<':
      case '&':
      case '~':
        escape = true;
        break;
      case '$':  // mathematics, between two
        escape = dollars > 1;
        break;
      case '_':  // within a word it emphasises nothing (GitHub Flavored Markdown, 6.2)
        escape = !(i > 0 && IsLetter(text[i - 1]) && IsLetter(next));
        break;
      case ':':  // of an address, which would become a link
        escape = absl::StartsWith(text.substr(i), "://");
        break;
      case '.':  // of a list's number, and of an address
        escape = begins || absl::EndsWithIgnoreCase(text.substr(0, i), "www");
        break;
      case ')':
        escape = begins;
        break;
      case '>':
      case '-':
      case '+':
      case '=':
        escape = begins && i == 0;
        break;
      case '@':  // somebody
        part = !in_word && IsWord(next);
        break;
      case '#':  // another ticket
      case '!':
      case '%':
        escape = begins && i == 0;
        part = !in_word && IsDigit(next);
        break;
      default:
        break;
    }
    begins = begins && IsDigit(c);
    if (escape) out += '\\';
    out += c;
    if (part) out += "<!-- -->";
  }
  return out;
}

// Lines of Markdown.
class Document {
 public:
  void Heading(int level, absl::string_view text) {
    Gap();
    absl::StrAppend(&out_, std::string(static_cast<size_t>(level), '#'), " ", text, "\n\n");
  }

  void Paragraph(absl::string_view text) {
    Gap();
    absl::StrAppend(&out_, text, "\n\n");
  }

  void Point(absl::string_view marker, absl::string_view text) {
    absl::StrAppend(&out_, marker, text, "\n");
  }

  // A block of code, `indent` deep, so that it belongs to the point above.
  void Fence(size_t indent, absl::string_view language, const std::vector<std::string>& lines) {
    size_t longest = 0;
    for (const std::string& line : lines) longest = std::max(longest, LongestRunOfBackticks(line));
    const std::string fence(std::max<size_t>(3, longest + 1), '`');
    const std::string spaces(indent, ' ');
    absl::StrAppend(&out_, spaces, fence, language, "\n");
    for (const std::string& line : lines) absl::StrAppend(&out_, spaces, line, "\n");
    absl::StrAppend(&out_, spaces, fence, "\n");
  }

  // An empty line, unless the page is empty or one is there already.
  void Gap() {
    if (!out_.empty() && !absl::EndsWith(out_, "\n\n")) out_ += '\n';
  }

  std::string Take() && {
    absl::StripTrailingAsciiWhitespace(&out_);
    return std::move(out_) + "\n";
  }

 private:
  std::string out_;
};

// Below a point whose text begins `indent` columns in.
void Quote(const rules::Evidence& evidence, size_t indent, Document* page) {
  if (!evidence.quote.empty()) page->Fence(indent, "text", {evidence.quote});
}

// "What it means (`/where/it/stands:1`)", or the place alone.
std::string MeaningAndPlace(const rules::Evidence& evidence) {
  if (evidence.meaning.empty()) return MarkdownCode(Place(evidence));
  if (evidence.source.empty()) return MarkdownProse(evidence.meaning);
  return absl::StrCat(MarkdownProse(WithoutPeriod(evidence.meaning)), " (",
                      MarkdownCode(Place(evidence)), ")");
}

void Evidence(const std::vector<rules::Evidence>& evidence, Document* page) {
  for (size_t i = 0; i < evidence.size(); ++i) {
    const std::string marker = absl::StrCat(i + 1, ". ");
    const rules::Evidence& piece = evidence[i];
    page->Point(marker, MeaningAndPlace(piece));
    Quote(piece, marker.size(), page);
  }
}

// A command, or what a person does.
std::string CommandOrProse(absl::string_view text) {
  return IsCommand(text) ? MarkdownCode(text) : MarkdownProse(text);
}

// The commands together, so that they can be taken in one go; then each one's reasons.
void Repair(const std::vector<rules::FixStep>& fix, size_t indent, Document* page) {
  std::vector<std::string> commands;
  for (const rules::FixStep& step : fix) {
    if (!step.command.empty()) commands.push_back(step.command);
  }
  if (!commands.empty()) page->Fence(indent, "sh", commands);
  if (indent == 0) page->Gap();
  for (const rules::FixStep& step : fix) {
    if (step.why.empty() && step.risk.empty() && step.undo.empty()) continue;
    size_t deep = indent;
    if (commands.size() > 1 && !step.command.empty()) {
      page->Point(absl::StrCat(std::string(deep, ' '), "- "), MarkdownCode(step.command));
      deep += 2;
    }
    const std::string marker = absl::StrCat(std::string(deep, ' '), "- ");
    if (!step.why.empty()) page->Point(marker, absl::StrCat("Why: ", MarkdownProse(step.why)));
    if (!step.risk.empty()) page->Point(marker, absl::StrCat("Risk: ", MarkdownProse(step.risk)));
    if (!step.undo.empty())
      page->Point(marker, absl::StrCat("To undo: ", CommandOrProse(step.undo)));
  }
}

void Expectations(const std::vector<std::string>& expect, size_t indent, Document* page) {
  for (const std::string& line : expect)
    page->Point(absl::StrCat(std::string(indent, ' '), "- "), MarkdownProse(line));
}

void RootCause(const Item& cause, const Report& report, absl::string_view heading, Document* page) {
  page->Heading(2, heading);
  page->Paragraph(absl::StrCat("**", MarkdownProse(cause.code), " ", MarkdownProse(cause.title),
                               "** (", ConfidenceName(cause.confidence), ")"));
  page->Heading(3, "Evidence");
  Evidence(cause.evidence, page);
  if (!cause.explains.empty()) {
    page->Heading(3, "What it explains");
    for (const std::string& code : cause.explains) {
      const Item* item = FindItem(code, report);
      page->Point("- ", item == nullptr
                            ? MarkdownProse(code)
                            : absl::StrCat(MarkdownProse(code), ": ", MarkdownProse(item->title)));
    }
  }
  if (!cause.fix.empty()) {
    page->Heading(3, "The solution");
    Repair(cause.fix, 0, page);
  }
  if (!cause.expect.empty()) {
    page->Heading(3, "Expected result after the fix");
    Expectations(cause.expect, 0, page);
  }
  page->Paragraph(absl::StrCat("All of it: ", MarkdownCode(Runbook(cause.code))));
}

// Items below the root causes: a point each.
void Others(absl::string_view heading, const std::vector<Item>& items, bool with_confidence,
            Document* page) {
  if (items.empty()) return;
  page->Heading(2, heading);
  for (const Item& item : items) {
    std::string after;
    if (with_confidence) after = absl::StrCat(" (", ConfidenceName(item.confidence), ")");
    if (!item.explained_by.empty()) {
      after =
          absl::StrCat(" (because of ", MarkdownProse(absl::StrJoin(item.explained_by, ", ")), ")");
    }
    page->Point("- ", absl::StrCat("**", MarkdownProse(item.code), "** ", MarkdownProse(item.title),
                                   after));
    for (const rules::Evidence& piece : item.evidence) {
      page->Point("  - ",
                  item.explained_by.empty() ? MeaningAndPlace(piece) : MarkdownCode(Place(piece)));
      Quote(piece, 4, page);
    }
    if (!item.explained_by.empty()) continue;  // it needs no repair of its own
    if (!item.fix.empty()) page->Point("  - ", "To repair it:");
    Repair(item.fix, 4, page);
    if (!item.expect.empty()) page->Point("  - ", "It worked when you see:");
    Expectations(item.expect, 4, page);
  }
}

void WhatWorks(const Report& report, Document* page) {
  if (report.working.empty()) return;
  page->Heading(2, "What works");
  for (const Working& working : report.working) {
    std::string where;
    for (const rules::Evidence& piece : working.evidence) {
      absl::StrAppend(&where, where.empty() ? "" : ", ", MarkdownCode(Place(piece)),
                      piece.quote.empty() ? "" : ": ", MarkdownCode(piece.quote));
    }
    page->Point("- ", absl::StrCat("\u2713 ", MarkdownProse(working.what),
                                   where.empty() ? "" : absl::StrCat(" (", where, ")")));
  }
}

void WhatWasRuledOut(const Report& report, bool all, Document* page) {
  if (report.ruled_out.empty()) return;
  page->Heading(2, "Ruled out");
  const RuledOutGroups ruled_out = GroupRuledOut(report, all);
  for (const RuledOutGroup& group : ruled_out.groups) {
    page->Point("- ",
                absl::StrCat(MarkdownProse(group.causes.front()->code), " ",
                             MarkdownProse(group.Names()), ": ", MarkdownProse(group.because)));
  }
  if (!ruled_out.others.empty()) page->Point("- ", MarkdownProse(ruled_out.SayOthers()));
}

void WhatWasNotSeen(const Report& report, Document* page) {
  if (report.not_observed.empty()) return;
  page->Heading(2, "Not observed");
  for (const NotSeenGroup& group : GroupNotSeen(report)) {
    page->Point("- ", absl::StrCat(MarkdownProse(group.what), group.why.empty() ? "" : ": ",
                                   MarkdownProse(group.why)));
    if (!group.how.empty())
      page->Point("  - ", absl::StrCat("To see it: ", CommandOrProse(group.how)));
  }
}

void Timeline(const Report& report, bool whole, Document* page) {
  if (report.timeline.empty()) return;
  page->Heading(2, "Time line");
  const size_t left_out = whole || report.timeline.size() <= kShortTimeline
                              ? 0
                              : report.timeline.size() - kShortTimeline;
  if (left_out > 0) page->Point("- ", absl::StrCat("(", left_out, " earlier, left out)"));
  for (size_t i = left_out; i < report.timeline.size(); ++i) {
    const Event& event = report.timeline[i];
    page->Point("- ", absl::StrCat("**", Rfc3339(event.time, report.time_zone), "** ",
                                   MarkdownProse(event.event), event.source.empty() ? "" : " (",
                                   MarkdownProse(event.source), event.source.empty() ? "" : ")"));
  }
}

}  // namespace

std::string MarkdownProse(absl::string_view visible) {
  visible = absl::StripLeadingAsciiWhitespace(visible);  // it would make a block of code
  const std::vector<absl::string_view> parts = absl::StrSplit(visible, '`');
  if (parts.size() % 2 == 0) return Escaped(visible, true);
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool code = i % 2 == 1;
    absl::StrAppend(&out, !code              ? Escaped(parts[i], i == 0)
                          : parts[i].empty() ? "\\`\\`"
                                             : MarkdownCode(parts[i]));
  }
  return out;
}

std::string MarkdownCode(absl::string_view visible) {
  if (visible.empty()) return "";
  const std::string ticks(LongestRunOfBackticks(visible) + 1, '`');
  // One space on either side is taken away again (CommonMark 6.1).
  const bool padded = visible.front() == '`' || visible.back() == '`' ||
                      (visible.front() == ' ' && visible.back() == ' ');
  const absl::string_view space = padded ? " " : "";
  return absl::StrCat(ticks, space, visible, space, ticks);
}

std::string ToMarkdown(const Report& report, const MarkdownStyle& style) {
  const Report shown = Shown(report, {.quote_bytes = kLongestQuote});
  Document page;
  page.Heading(1, absl::StrCat(absl::AsciiStrToUpper(VerdictName(shown.verdict)), ": ",
                               MarkdownProse(shown.headline)));
  for (const auto& [label, text] : WhoWasJudged(shown))
    page.Point("- ", absl::StrCat("**", label, "**: ", MarkdownProse(text)));
  const size_t count = shown.root_causes.size();
  for (size_t i = 0; i < count; ++i) {
    RootCause(shown.root_causes[i], shown,
              count == 1 ? "Root cause" : absl::StrCat("Root cause ", i + 1, " of ", count), &page);
  }
  Others("Consequences, which need no repair of their own", shown.consequences, false, &page);
  Others("Latent faults, harmless until something restarts or changes", shown.latent, true, &page);
  Others("Notes", shown.notes, false, &page);
  WhatWorks(shown, &page);
  WhatWasRuledOut(shown, style.all_ruled_out, &page);
  WhatWasNotSeen(shown, &page);
  if (!shown.skipped.empty()) {
    page.Heading(2, "Not judged, as asked for");
    page.Paragraph(MarkdownProse(absl::StrJoin(shown.skipped, ", ")));
  }
  Timeline(shown, style.whole_timeline, &page);
  return std::move(page).Take();
}

}  // namespace vgpu::report
