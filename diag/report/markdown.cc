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
#include "diag/report/brief.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"

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
// `formula`: two dollars stand in the paragraph.
std::string Escaped(absl::string_view text, bool begins_line, bool formula) {
  std::string out;
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
        escape = formula;
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

  // What stands until EndFold() is shown when a reader asks for it, where a site can do that.
  void Fold(absl::string_view summary) {
    absl::StrAppend(&out_, "<details><summary>", summary, "</summary>\n\n");
  }

  void EndFold() { out_ += "\n</details>\n"; }

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

// What it means and where it stands: "the process does not have it (`/proc/1/environ`)".
std::string MeaningAndPlace(absl::string_view meaning, absl::string_view place) {
  if (meaning.empty()) return MarkdownCode(place);
  if (place.empty()) return MarkdownProse(meaning);
  return absl::StrCat(MarkdownProse(WithoutPeriod(meaning)), " (", MarkdownCode(place), ")");
}

// Below a point whose text begins `indent` columns in.
void Quote(absl::string_view quote, size_t indent, Document* page) {
  if (!quote.empty()) page->Fence(indent, "text", {std::string(quote)});
}

void Quotes(const EvidenceGroup& group, size_t indent, Quoted* quoted, Document* page) {
  for (const rules::Evidence* piece : group.pieces) quoted->Add(*piece);
  for (const absl::string_view quote : group.Quotes()) Quote(quote, indent, page);
}

void Evidence(const std::vector<rules::Evidence>& evidence, Quoted* quoted, Document* page) {
  int number = 0;
  for (const EvidenceGroup& group : GroupEvidence(evidence)) {
    const std::string marker = absl::StrCat(++number, ". ");
    page->Point(marker, MeaningAndPlace(group.meaning(), group.Place()));
    Quotes(group, marker.size(), quoted, page);
  }
}

// A command, or what a person does.
std::string CommandOrProse(absl::string_view text) {
  return IsCommand(text) ? MarkdownCode(text) : MarkdownProse(text);
}

// A step below the other, each with its reasons: some are two ways to one end.
void Repair(const std::vector<rules::FixStep>& fix, size_t indent, Document* page) {
  const std::string marker = absl::StrCat(std::string(indent, ' '), "- ");
  for (const rules::FixStep& step : fix) {
    // After a list it would stand below its last point.
    if (indent == 0) page->Gap();
    if (!step.command.empty()) page->Fence(indent, "sh", {step.command});
    if (indent == 0) page->Gap();
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

void RootCause(const Item& cause, const Report& report, absl::string_view heading, Quoted* quoted,
               Document* page) {
  page->Heading(2, heading);
  page->Paragraph(absl::StrCat("**", MarkdownProse(cause.code), " ", MarkdownProse(cause.title),
                               "** (", ConfidenceName(cause.confidence), "; ",
                               MarkdownCode(Runbook(cause.code)), ")"));
  page->Heading(3, "Evidence");
  Evidence(cause.evidence, quoted, page);
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
}

// One that a root cause explains: a point.
void Consequence(const Item& item, bool verbose, Quoted* quoted, Document* page) {
  page->Point("- ", absl::StrCat("**", MarkdownProse(item.code), "** ", MarkdownProse(item.title),
                                 " (because of ",
                                 MarkdownProse(absl::StrJoin(item.explained_by, ", ")), ")"));
  for (const rules::Evidence& piece : item.evidence) {
    if (quoted->Add(piece) || verbose) {
      page->Point("  - ", MarkdownCode(Place(piece)));
      Quote(piece.quote, 4, page);
    }
    if (!verbose) break;
  }
}

// Another one below the root causes: a point.
void Lesser(const Item& item, bool with_confidence, Quoted* quoted, Document* page) {
  page->Point("- ", absl::StrCat("**", MarkdownProse(item.code), "** ", MarkdownProse(item.title),
                                 with_confidence ? " (" : "",
                                 with_confidence ? ConfidenceName(item.confidence) : "",
                                 with_confidence ? ")" : ""));
  for (const EvidenceGroup& group : GroupEvidence(item.evidence)) {
    page->Point("  - ", MeaningAndPlace(group.meaning(), group.Place()));
    Quotes(group, 4, quoted, page);
  }
  if (!item.fix.empty()) page->Point("  - ", "To repair it:");
  Repair(item.fix, 4, page);
  if (!item.expect.empty()) page->Point("  - ", "It worked when you see:");
  Expectations(item.expect, 4, page);
}

void Others(absl::string_view heading, const std::vector<Item>& items, bool with_confidence,
            bool verbose, Quoted* quoted, Document* page) {
  if (items.empty()) return;
  page->Heading(2, heading);
  for (const Item& item : items) {
    if (item.explained_by.empty()) {
      Lesser(item, with_confidence, quoted, page);
    } else {
      Consequence(item, verbose, quoted, page);  // it needs no repair of its own
    }
  }
}

// Quotes stand there where what works is the answer.
void WhatWorks(const Report& report, bool verbose, Document* page) {
  if (report.working.empty()) return;
  page->Heading(2, "What works");
  const bool quotes = verbose || report.verdict == Verdict::kHealthy;
  for (const Working& working : report.working) {
    std::string where;
    for (const rules::Evidence& piece : working.evidence) {
      absl::StrAppend(&where, where.empty() ? " (" : ", ", MarkdownCode(Place(piece)));
    }
    page->Point("- ", absl::StrCat("\u2713 ", MarkdownProse(working.what), where,
                                   where.empty() ? "" : ")"));
    for (const rules::Evidence& piece : working.evidence) {
      if (quotes) Quote(piece.quote, 2, page);
    }
  }
}

void WhatWasRuledOut(const Report& report, bool verbose, Document* page) {
  if (report.ruled_out.empty()) return;
  page->Heading(2, "Ruled out");
  if (!verbose) page->Fold(absl::StrCat(report.ruled_out.size(), " causes"));
  for (const RuledOutGroup& group : GroupRuledOut(report)) {
    page->Point("- ",
                absl::StrCat(MarkdownProse(group.causes.front()->code), " ",
                             MarkdownProse(group.Names()), ": ", MarkdownProse(group.because)));
  }
  if (!verbose) page->EndFold();
}

void WhatWasNotSeen(const Report& report, bool verbose, Document* page) {
  if (report.not_observed.empty()) return;
  page->Heading(2, "Not observed");
  // Where nothing is known to be wrong, this is the answer.
  const bool fold = !verbose && report.verdict != Verdict::kInconclusive;
  const std::vector<NotSeenGroup> groups = GroupNotSeen(report);
  if (fold) page->Fold(groups.size() == 1 ? "1 thing" : absl::StrCat(groups.size(), " things"));
  for (const NotSeenGroup& group : groups) {
    page->Point("- ", absl::StrCat(MarkdownProse(group.what), group.why.empty() ? "" : ": ",
                                   MarkdownProse(group.why)));
    if (group.how.empty()) continue;
    std::string ways;
    for (const Way& way : Ways(group.how)) {
      absl::StrAppend(&ways,
                      way.lead.empty() ? MarkdownProse(absl::StrCat("To see it", OnItsHost(report)))
                                       : absl::StrCat(", ", way.lead),
                      ": ", CommandOrProse(way.text));
    }
    page->Point("  - ", ways);
  }
  if (fold) page->EndFold();
}

void Timeline(const Report& report, bool whole, Document* page) {
  if (report.timeline.empty()) return;
  page->Heading(2, "Time line");
  const auto point = [&](const Event& event) {
    page->Point("- ", absl::StrCat("**", Rfc3339(event.time, report.time_zone), "** ",
                                   MarkdownProse(event.event), event.source.empty() ? "" : " (",
                                   MarkdownProse(event.source), event.source.empty() ? "" : ")"));
  };
  if (whole) {
    for (const Event& event : report.timeline) point(event);
    return;
  }
  const std::vector<const Event*> near = EventsNearRootCauses(report);
  for (const Event* event : near) point(*event);
  if (near.size() < report.timeline.size()) page->Point("- ", "more: `--timeline` shows all");
}

// Its last bracket is its own, as in "f(x)".
bool Opened(absl::string_view word) {
  return std::count(word.begin(), word.end(), '(') >= std::count(word.begin(), word.end(), ')');
}

// A word that Markdown, or a site that shows it, would take for markup is shown as code: so it can
// be read, and copied, where no Markdown is shown either. `alone`: no code stands beside the text.
std::string Words(absl::string_view text, bool begins_line, bool alone_before, bool alone_after) {
  std::string out;
  const bool formula = std::count(text.begin(), text.end(), '$') > 1;
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ' ';
    absl::string_view core = words[i];
    const size_t lead = std::min(core.find_first_not_of("(\""), core.size());
    core.remove_prefix(lead);
    while (!core.empty() && absl::StrContains(".,;:)\"", core.back())) {
      if (core.back() == ')' && Opened(core)) break;
      core.remove_suffix(1);
    }
    const bool beside = (i == 0 && !alone_before) || (i + 1 == words.size() && !alone_after);
    const bool says_something = std::any_of(core.begin(), core.end(), IsLetter);
    const bool markup = Escaped(core, false, formula) != core || absl::StrContains(core, "@");
    if (markup && says_something && !beside) {
      absl::StrAppend(&out, words[i].substr(0, lead), MarkdownCode(core),
                      words[i].substr(lead + core.size()));
    } else {
      out += Escaped(words[i], begins_line && i == 0, formula);
    }
  }
  return out;
}

}  // namespace

std::string MarkdownProse(absl::string_view visible) {
  visible = absl::StripLeadingAsciiWhitespace(visible);  // it would make a block of code
  const std::vector<absl::string_view> parts = absl::StrSplit(visible, '`');
  if (parts.size() % 2 == 0) return Words(visible, true, true, true);
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool code = i % 2 == 1;
    absl::StrAppend(&out, !code ? Words(parts[i], i == 0, i == 0, i + 1 == parts.size())
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
  page.Heading(1, MarkdownProse(Title(shown)));
  page.Paragraph(absl::StrCat("**", MarkdownProse(shown.headline), "**"));
  for (const auto& [label, text] : WhoWasJudged(shown))
    page.Point("- ", absl::StrCat("**", label, "**: ", MarkdownProse(text)));
  const bool verbose = style.verbose;
  Quoted quoted;
  if (const std::string of_all = OfSeveralCauses(shown); !of_all.empty()) page.Paragraph(of_all);
  const size_t count = shown.root_causes.size();
  for (size_t i = 0; i < count; ++i) {
    RootCause(shown.root_causes[i], shown,
              count == 1 ? "Root cause" : absl::StrCat("Root cause ", i + 1, " of ", count),
              &quoted, &page);
  }
  Others("Consequences, which need no repair of their own", shown.consequences, false, verbose,
         &quoted, &page);
  Others("Latent faults, harmless until something restarts or changes", shown.latent, true, verbose,
         &quoted, &page);
  Others("Notes", shown.notes, false, verbose, &quoted, &page);
  WhatWorks(shown, verbose, &page);
  WhatWasRuledOut(shown, verbose, &page);
  WhatWasNotSeen(shown, verbose, &page);
  if (!shown.skipped.empty()) {
    page.Heading(2, "Not judged, as asked for");
    page.Paragraph(MarkdownProse(absl::StrJoin(shown.skipped, ", ")));
  }
  Timeline(shown, verbose || style.whole_timeline, &page);
  return std::move(page).Take();
}

}  // namespace vgpu::report
