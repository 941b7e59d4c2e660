#include "diag/report/text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/wrap.h"

namespace vgpu::report {
namespace {

// About ten lines. The JSON view keeps more (shown.h).
constexpr size_t kLongestQuote = 800;
constexpr int kNarrowest = 40;
// Of a line that goes on inside of a word.
constexpr absl::string_view kPieceLead = "|     ";
static_assert(kPieceLead.size() == 2 + kPieceIndent);

// SGR parameters (ECMA-48, 8.3.117). Yellow cannot be read on white.
constexpr char kRed[] = "1;31";
constexpr char kGreen[] = "1;32";
constexpr char kMagenta[] = "1;35";
constexpr char kBold[] = "1";
constexpr char kDim[] = "2";

std::string Spaces(size_t n) { return std::string(n, ' '); }

const char* VerdictColor(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return kGreen;
    case Verdict::kProblem:
      return kRed;
    case Verdict::kInconclusive:
      break;
  }
  return kMagenta;
}

// Lays out paragraphs. Indents are in columns.
class Page {
 public:
  explicit Page(const TextStyle& style)
      : width_(static_cast<size_t>(std::max(style.width, kNarrowest))), color_(style.color) {}

  // An empty line, unless the page is empty or one is there already.
  void Gap() {
    if (!out_.empty() && !absl::EndsWith(out_, "\n\n")) out_ += '\n';
  }

  void Heading(absl::string_view text) {
    Gap();
    absl::StrAppend(&out_, Painted(text, kBold), "\n");
  }

  // `lead`, then `text` that hangs beside it. The lead may be coloured, or all of it.
  void Prose(size_t indent, absl::string_view lead, absl::string_view text,
             absl::string_view lead_sgr = "", absl::string_view text_sgr = "") {
    const size_t hang = indent + Columns(lead);
    const size_t room = width_ > hang + kNarrowest / 4 ? width_ - hang : kNarrowest / 4;
    bool first = true;
    for (const absl::string_view line : Lines(text, room)) {
      absl::StrAppend(&out_, Spaces(first ? indent : hang), first ? Painted(lead, lead_sgr) : "",
                      Painted(line, text_sgr), "\n");
      first = false;
    }
  }

  // As it is, on one line.
  void Command(size_t indent, absl::string_view command) {
    absl::StrAppend(&out_, Spaces(indent), "$ ", command, "\n");
  }

  void MarkedCommand(size_t indent, absl::string_view lead, absl::string_view command) {
    absl::StrAppend(&out_, Spaces(indent), lead, "$ ", command, "\n");
  }

  void Quote(size_t indent, absl::string_view quote) {
    const size_t room = width_ > indent + 2 + kNarrowest / 4 ? width_ - indent - 2 : kNarrowest / 4;
    for (const absl::string_view line : Lines(quote, room)) {
      absl::string_view lead = "| ";
      for (const absl::string_view piece : Pieces(line, room)) {
        absl::StrAppend(&out_, Spaces(indent), lead, piece, "\n");
        lead = kPieceLead;
      }
    }
  }

  void Source(size_t indent, absl::string_view source) { Prose(indent, "", source, "", kDim); }

  std::string Take() && { return std::move(out_); }

 private:
  std::string Painted(absl::string_view text, absl::string_view sgr) const {
    if (!color_ || sgr.empty() || text.empty()) return std::string(text);
    return absl::StrCat("\x1b[", sgr, "m", text, "\x1b[0m");
  }

  const size_t width_;
  const bool color_;
  std::string out_;
};

// Source and quote of a piece of evidence, without its meaning.
void SourceAndQuote(size_t indent, const rules::Evidence& evidence, Page* page) {
  if (!evidence.source.empty()) page->Source(indent, Place(evidence));
  if (!evidence.quote.empty()) page->Quote(indent, evidence.quote);
}

void NumberedEvidence(size_t indent, const std::vector<rules::Evidence>& evidence, Page* page) {
  const size_t digits = absl::StrCat(evidence.size()).size();
  for (size_t i = 0; i < evidence.size(); ++i) {
    const std::string number = absl::StrCat(i + 1);
    const std::string lead = absl::StrCat(Spaces(digits - number.size()), number, ". ");
    const rules::Evidence& piece = evidence[i];
    if (piece.meaning.empty()) {
      page->Prose(indent, lead, Place(piece), "", kDim);
      if (!piece.quote.empty()) page->Quote(indent + lead.size(), piece.quote);
    } else {
      page->Prose(indent, lead, piece.meaning);
      SourceAndQuote(indent + lead.size(), piece, page);
    }
  }
}

void Repair(size_t indent, const std::vector<rules::FixStep>& fix, Page* page) {
  for (const rules::FixStep& step : fix) {
    if (!step.command.empty()) page->Command(indent, step.command);
    if (!step.why.empty()) page->Prose(indent + 4, "why:  ", step.why);
    if (!step.risk.empty()) page->Prose(indent + 4, "risk: ", step.risk);
    if (IsCommand(step.undo)) {
      page->MarkedCommand(indent + 4, "undo: ", step.undo);
    } else if (!step.undo.empty()) {
      page->Prose(indent + 4, "undo: ", step.undo);
    }
  }
}

void Expectations(size_t indent, const std::vector<std::string>& expect, Page* page) {
  for (const std::string& line : expect) page->Prose(indent, "- ", line);
}

void Top(const Report& report, Page* page) {
  const std::string verdict = absl::AsciiStrToUpper(VerdictName(report.verdict));
  page->Prose(0, absl::StrCat(verdict, "  "), report.headline, VerdictColor(report.verdict));
  if (report.root_causes.empty() || report.root_causes[0].fix.empty()) return;
  page->Gap();
  for (const rules::FixStep& step : report.root_causes[0].fix) {
    if (!step.command.empty()) page->Command(4, step.command);
  }
  page->Prose(4, "", "(why, at what risk, and how to undo it: below)", "", kDim);
}

void RootCause(const Item& cause, const Report& report, Page* page) {
  page->Prose(2, absl::StrCat(cause.code, "  "),
              absl::StrCat(cause.title, " (", ConfidenceName(cause.confidence), ")"));
  page->Gap();
  NumberedEvidence(2, cause.evidence, page);
  if (!cause.explains.empty()) {
    page->Gap();
    const std::string list =
        absl::StrJoin(cause.explains, ", ", [&](std::string* out, const std::string& code) {
          absl::StrAppend(out, Named(code, report));
        });
    page->Prose(2, "Explains: ", list);
  }
  if (!cause.fix.empty()) {
    page->Gap();
    page->Prose(2, "", "To repair it:");
    Repair(4, cause.fix, page);
  }
  if (!cause.expect.empty()) {
    page->Gap();
    page->Prose(2, "", "It worked when you see:");
    Expectations(4, cause.expect, page);
  }
  page->Gap();
  page->Prose(2, "All of it: ", Runbook(cause.code));
}

void RootCauses(const Report& report, Page* page) {
  const size_t count = report.root_causes.size();
  for (size_t i = 0; i < count; ++i) {
    page->Heading(count == 1 ? "Root cause" : absl::StrCat("Root cause ", i + 1, " of ", count));
    RootCause(report.root_causes[i], report, page);
  }
}

// An item that stands below the root causes.
void Lesser(const Item& item, absl::string_view after_title, Page* page) {
  const std::string lead = absl::StrCat(item.code, "  ");
  const size_t hang = 2 + lead.size();
  page->Prose(2, lead, absl::StrCat(item.title, after_title));
  for (const rules::Evidence& evidence : item.evidence) {
    if (!evidence.meaning.empty()) page->Prose(hang, "", evidence.meaning);
    SourceAndQuote(hang, evidence, page);
  }
  Repair(hang, item.fix, page);
  if (!item.expect.empty()) {
    page->Prose(hang, "", "It worked when you see:");
    Expectations(hang, item.expect, page);
  }
}

void Consequences(const Report& report, Page* page) {
  if (report.consequences.empty()) return;
  page->Heading("Consequences, which need no repair of their own");
  for (const Item& item : report.consequences) {
    const std::string lead = absl::StrCat(item.code, "  ");
    const std::string because =
        item.explained_by.empty()
            ? ""
            : absl::StrCat(" (because of ", absl::StrJoin(item.explained_by, ", "), ")");
    page->Prose(2, lead, absl::StrCat(item.title, because));
    for (const rules::Evidence& evidence : item.evidence)
      SourceAndQuote(2 + lead.size(), evidence, page);
  }
}

void LatentFaults(const Report& report, Page* page) {
  if (report.latent.empty()) return;
  page->Heading("Latent faults, harmless until something restarts or changes");
  for (const Item& item : report.latent)
    Lesser(item, absl::StrCat(" (", ConfidenceName(item.confidence), ")"), page);
}

void Notes(const Report& report, Page* page) {
  if (report.notes.empty()) return;
  page->Heading("Notes");
  for (const Item& item : report.notes) Lesser(item, "", page);
}

void WhatWorks(const Report& report, Page* page) {
  if (report.working.empty()) return;
  page->Heading("What works");
  for (const Working& working : report.working) {
    page->Prose(2, "- ", working.what);
    for (const rules::Evidence& evidence : working.evidence) SourceAndQuote(4, evidence, page);
  }
}

void RuledOutCauses(const Report& report, bool all, Page* page) {
  if (report.ruled_out.empty()) return;
  page->Heading("Ruled out");
  const RuledOutGroups ruled_out = GroupRuledOut(report, all);
  for (const RuledOutGroup& group : ruled_out.groups) {
    page->Prose(2, absl::StrCat(group.causes.front()->code, "  "),
                absl::StrCat(group.Names(), ": ", group.because));
  }
  if (!ruled_out.others.empty()) page->Prose(2, "", ruled_out.SayOthers());
}

void NotObserved(const Report& report, Page* page) {
  if (report.not_observed.empty()) return;
  page->Heading("Not observed");
  for (const NotSeenGroup& group : GroupNotSeen(report)) {
    page->Prose(2, "- ", absl::StrCat(group.what, group.why.empty() ? "" : " - ", group.why));
    if (group.how.empty()) continue;
    if (IsCommand(group.how)) {
      page->MarkedCommand(4, "to see it: ", group.how);
    } else {
      page->Prose(4, "", absl::StrCat("to see it: ", group.how));
    }
  }
}

void Skipped(const Report& report, Page* page) {
  if (report.skipped.empty()) return;
  page->Heading("Not judged, as asked for");
  page->Prose(2, "", absl::StrJoin(report.skipped, ", "));
}

void Timeline(const Report& report, bool whole, Page* page) {
  if (report.timeline.empty()) return;
  page->Heading("Time line");
  const size_t left_out = whole || report.timeline.size() <= kShortTimeline
                              ? 0
                              : report.timeline.size() - kShortTimeline;
  if (left_out > 0) {
    page->Prose(2, "",
                absl::StrCat("(", left_out, " earlier ", left_out == 1 ? "event" : "events",
                             ": --timeline shows all)"));
  }
  std::vector<std::string> times;
  size_t widest = 0;
  for (const Event& event : report.timeline) {
    times.push_back(Rfc3339(event.time, report.time_zone));
    widest = std::max(widest, times.back().size());
  }
  for (size_t i = left_out; i < times.size(); ++i) {
    const Event& event = report.timeline[i];
    const std::string source = event.source.empty() ? "" : absl::StrCat(" (", event.source, ")");
    page->Prose(2, absl::StrCat(times[i], Spaces(widest - times[i].size() + 2)),
                absl::StrCat(event.event, source));
  }
}

// What tells more of the codes that stand below the root causes.
void Runbooks(const Report& report, Page* page) {
  if (report.consequences.empty() && report.latent.empty() && report.notes.empty()) return;
  page->Prose(0, "Codes    ", "vgpu-doctor explain CODE tells all of one");
}

void Footer(const Report& report, Page* page) {
  page->Gap();
  for (const auto& [label, text] : WhoWasJudged(report))
    page->Prose(0, absl::StrCat(label, Spaces(9 - label.size())), text);
  Runbooks(report, page);
}

}  // namespace

std::string ToText(const Report& report, const TextStyle& style) {
  const Report shown =
      Shown(report, {.quote_bytes = kLongestQuote, .other_bytes = 4096, .ascii = !style.utf8});
  Page page(style);
  Top(shown, &page);
  RootCauses(shown, &page);
  Consequences(shown, &page);
  LatentFaults(shown, &page);
  Notes(shown, &page);
  WhatWorks(shown, &page);
  RuledOutCauses(shown, style.all_ruled_out, &page);
  NotObserved(shown, &page);
  Skipped(shown, &page);
  Timeline(shown, style.whole_timeline, &page);
  Footer(shown, &page);
  return std::move(page).Take();
}

}  // namespace vgpu::report
