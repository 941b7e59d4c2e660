#include "diag/report/text.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "diag/report/brief.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/wrap.h"
#include "re2/re2.h"

namespace vgpu::report {
namespace {

// About ten lines. The JSON view keeps more (shown.h).
constexpr size_t kLongestQuote = 800;
constexpr int kNarrowest = 40;
// Of a quote, in a short report below the root causes; and in all other places.
constexpr size_t kFewRows = 2;
constexpr size_t kAllRows = std::numeric_limits<size_t>::max();
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
      : width_(static_cast<size_t>(std::max(style.width, kNarrowest))),
        color_(style.color),
        utf8_(style.utf8) {}

  // An empty line, unless the page is empty or one is there already.
  void Gap() {
    if (!out_.empty() && !absl::EndsWith(out_, "\n\n")) out_ += '\n';
  }

  // `aside` stands beside it, in brackets.
  void Heading(absl::string_view text, absl::string_view aside = "") {
    Gap();
    absl::StrAppend(&out_, Painted(text, kBold), aside.empty() ? "" : " ",
                    aside.empty() ? "" : Painted(absl::StrCat("(", aside, ")"), kDim), "\n");
  }

  // `lead`, then `text` that hangs beside it. The lead may be coloured, or all of it.
  void Prose(size_t indent, absl::string_view lead, absl::string_view text,
             absl::string_view lead_sgr = "", absl::string_view text_sgr = "") {
    const size_t hang = indent + Columns(lead);
    const size_t room = RoomAt(hang);
    bool first = true;
    for (const absl::string_view line : Lines(text, room)) {
      absl::StrAppend(&out_, Spaces(first ? indent : hang), first ? Painted(lead, lead_sgr) : "",
                      Painted(line, text_sgr), "\n");
      first = false;
    }
  }

  // `text`, and where that stands: beside it if there is room, else, if it is needed, below.
  void ProseAndPlace(size_t indent, absl::string_view lead, absl::string_view text,
                     absl::string_view place, bool needed = true) {
    const size_t hang = indent + Columns(lead);
    if (text.empty() || place.empty()) {
      Prose(indent, lead, text.empty() ? place : text, "", text.empty() ? kDim : "");
    } else if (hang + Columns(text) + Columns(place) + 3 <= width_) {
      absl::StrAppend(&out_, Spaces(indent), lead, WithoutPeriod(text), " ",
                      Painted(absl::StrCat("(", place, ")"), kDim), "\n");
    } else {
      Prose(indent, lead, text);
      if (needed) Source(hang, place);
    }
  }

  // So that it can be copied.
  void Command(size_t indent, absl::string_view lead, absl::string_view command,
               absl::string_view sgr = "") {
    size_t hang = indent + Columns(lead) + 2;
    std::vector<absl::string_view> lines = CommandLines(command, RoomAt(hang));
    absl::StrAppend(&out_, Spaces(indent), Painted(lead, kDim));
    // Below the lead, where it does not fit beside that.
    if (!lead.empty() && Columns(lines.front()) > RoomAt(hang)) {
      absl::StripTrailingAsciiWhitespace(&out_);
      absl::StrAppend(&out_, "\n", Spaces(indent + 2));
      hang = indent + 4;
      lines = CommandLines(command, RoomAt(hang));
    }
    absl::StrAppend(&out_, "$ ");
    bool first = true;
    for (const absl::string_view line : lines) {
      // What goes on stands further right than what begins.
      absl::StrAppend(&out_, first ? "" : Spaces(hang + 2), Painted(line, sgr), "\n");
      first = false;
    }
  }

  // At most so many rows; how many it has.
  size_t Quote(size_t indent, absl::string_view quote, size_t most) {
    const size_t room = RoomAt(indent + 2);
    std::vector<std::string> rows;
    for (const absl::string_view line : Lines(quote, room)) {
      absl::string_view lead = "| ";
      for (const absl::string_view piece : Pieces(line, room)) {
        rows.push_back(absl::StrCat(lead, piece));
        lead = kPieceLead;
      }
    }
    // The row that says so would be as long as the one that it stands for.
    const bool cut = rows.size() > most && rows.size() - most > 1;
    if (cut) rows.resize(most);
    for (const std::string& row : rows) absl::StrAppend(&out_, Spaces(indent), row, "\n");
    if (cut) absl::StrAppend(&out_, Spaces(indent), utf8_ ? "| …\n" : "| ...\n");
    return rows.size();
  }

  void Source(size_t indent, absl::string_view source) { Prose(indent, "", source, "", kDim); }

  std::string Take() && { return std::move(out_); }

 private:
  std::string Painted(absl::string_view text, absl::string_view sgr) const {
    if (!color_ || sgr.empty() || text.empty()) return std::string(text);
    return absl::StrCat("\x1b[", sgr, "m", text, "\x1b[0m");
  }

  // Columns of a line that begins there.
  size_t RoomAt(size_t indent) const {
    return width_ > indent + kNarrowest / 4 ? width_ - indent : kNarrowest / 4;
  }

  const size_t width_;
  const bool color_;
  const bool utf8_;
  std::string out_;
};

std::vector<const Event*> Pointers(const std::vector<Event>& events) {
  std::vector<const Event*> pointers;
  for (const Event& event : events) pointers.push_back(&event);
  return pointers;
}

// Takes from the end of each time what all have, the distance from UTC, and returns it: "-05:00".
std::string TakeZone(std::vector<std::string>* times) {
  static const LazyRE2 kZone = {R"([0-9](Z|[-+][0-9:]{5})$)"};
  std::string zone;
  for (const std::string& time : *times) {
    std::string own;
    if (!RE2::PartialMatch(time, *kZone, &own) || (!zone.empty() && own != zone)) return "";
    zone = own;
  }
  for (std::string& time : *times) time.resize(time.size() - zone.size());
  return zone;
}

// Lays out one report. What is not `verbose` leaves out what stands above already, and what
// brief.h says.
class Layout {
 public:
  Layout(const Report& report, const TextStyle& style)
      : report_(report), style_(style), page_(style) {}

  std::string Whole() && {
    Top();
    RootCauses();
    Consequences();
    Lesser("Latent faults, harmless until something restarts or changes", report_.latent, true);
    Lesser("Notes", report_.notes, false);
    WhatWorks();
    RuledOutCauses();
    NotObserved();
    Skipped();
    Timeline();
    Footer();
    return std::move(page_).Take();
  }

 private:
  void Top() {
    page_.Prose(0, absl::StrCat(absl::AsciiStrToUpper(VerdictName(report_.verdict)), "  "),
                report_.headline, VerdictColor(report_.verdict));
  }

  void RootCauses() {
    const size_t count = report_.root_causes.size();
    if (const std::string of_all = OfSeveralCauses(report_); !of_all.empty()) {
      page_.Gap();
      page_.Prose(0, "", of_all);
    }
    for (size_t i = 0; i < count; ++i) {
      RootCause(
          report_.root_causes[i],
          count == 1 ? "Root cause  " : absl::StrCat("Root cause ", i + 1, " of ", count, "  "));
    }
  }

  void RootCause(const Item& cause, absl::string_view lead) {
    page_.Gap();
    page_.Prose(
        0, lead,
        absl::StrCat(cause.code, " ", cause.title, " (", ConfidenceName(cause.confidence), ")"),
        kBold);
    if (!cause.fix.empty()) {
      page_.Heading("To repair it");
      Repair(2, cause.fix);
    }
    if (!cause.expect.empty()) {
      page_.Heading("It worked when you see");
      Expectations(2, cause.expect);
    }
    if (!cause.evidence.empty()) {
      page_.Heading("Evidence");
      NumberedEvidence(2, cause.evidence);
    }
    if (const std::vector<std::string> explains = Explained(cause); !explains.empty()) {
      page_.Heading("Explains");
      page_.Prose(2, "",
                  absl::StrJoin(explains, ", ", [this](std::string* out, const std::string& code) {
                    absl::StrAppend(out, Named(code, report_));
                  }));
    }
  }

  // In a short report without those that say so themselves, below.
  std::vector<std::string> Explained(const Item& cause) const {
    std::vector<std::string> codes;
    for (const std::string& code : cause.explains) {
      const bool says_so = std::any_of(
          report_.consequences.begin(), report_.consequences.end(), [&](const Item& item) {
            const auto& by = item.explained_by;
            return item.code == code && std::find(by.begin(), by.end(), cause.code) != by.end();
          });
      if (style_.verbose || !says_so) codes.push_back(code);
    }
    return codes;
  }

  void NumberedEvidence(size_t indent, const std::vector<rules::Evidence>& evidence) {
    const std::vector<EvidenceGroup> groups = GroupEvidence(evidence);
    const size_t digits = absl::StrCat(groups.size()).size();
    for (size_t i = 0; i < groups.size(); ++i) {
      const std::string number = absl::StrCat(i + 1);
      const std::string lead = absl::StrCat(Spaces(digits - number.size()), number, ". ");
      page_.ProseAndPlace(indent, lead, groups[i].meaning(), groups[i].Place());
      Quotes(indent + lead.size(), groups[i], kAllRows);
    }
  }

  void Quotes(size_t indent, const EvidenceGroup& group, size_t rows) {
    for (const rules::Evidence* piece : group.pieces) quoted_.Add(*piece);
    bool between = false;
    for (const absl::string_view quote : group.Quotes()) {
      // Where one of them ends could not be seen.
      if (between) page_.Prose(indent, "", "and", "", kDim);
      between = page_.Quote(indent, quote, rows) > 1;
    }
  }

  // What was said above of a step is not said again. `brief`: without risks and the way back.
  void Repair(size_t indent, const std::vector<rules::FixStep>& fix, bool brief = false) {
    for (const rules::FixStep& step : fix) {
      if (!step.command.empty()) page_.Command(indent, "", step.command, kBold);
      const auto say = [&](absl::string_view lead, const std::string& text) {
        if (text.empty()) return;
        if (!said_.insert({step.command, text}).second && !style_.verbose) return;
        if (IsCommand(text)) {
          page_.Command(indent + 2, lead, text);
        } else {
          page_.Prose(indent + 2, lead, text, kDim);
        }
      };
      say("why:  ", step.why);
      if (brief) continue;
      say("risk: ", step.risk);
      say("undo: ", step.undo);
    }
  }

  void Expectations(size_t indent, const std::vector<std::string>& expect) {
    for (const std::string& line : expect) page_.Prose(indent, "- ", line);
  }

  void Consequences() {
    if (report_.consequences.empty()) return;
    page_.Heading("Consequences, which need no repair of their own");
    for (const Item& item : report_.consequences) {
      const std::string lead = absl::StrCat(item.code, "  ");
      const std::string because =
          item.explained_by.empty()
              ? ""
              : absl::StrCat(" (because of ", absl::StrJoin(item.explained_by, ", "), ")");
      page_.Prose(2, lead, absl::StrCat(item.title, because));
      for (const rules::Evidence& evidence : item.evidence) {
        const bool is_new = quoted_.Add(evidence);
        if (style_.verbose || is_new) SourceAndQuote(2 + lead.size(), evidence);
        if (!style_.verbose) break;
      }
    }
  }

  // Without its meaning.
  void SourceAndQuote(size_t indent, const rules::Evidence& evidence) {
    if (!evidence.source.empty()) page_.Source(indent, Place(evidence));
    if (!evidence.quote.empty()) page_.Quote(indent, evidence.quote, Rows());
  }

  static bool HasMore(const std::vector<rules::FixStep>& fix) {
    return std::any_of(fix.begin(), fix.end(), [](const rules::FixStep& step) {
      return !step.risk.empty() || !step.undo.empty();
    });
  }

  size_t Rows() const { return style_.verbose ? kAllRows : kFewRows; }

  // Items that stand below the root causes.
  void Lesser(absl::string_view heading, const std::vector<Item>& items, bool with_confidence) {
    if (items.empty()) return;
    page_.Heading(heading);
    for (const Item& item : items) {
      const std::string lead = absl::StrCat(item.code, "  ");
      const size_t hang = 2 + lead.size();
      page_.Prose(2, lead,
                  absl::StrCat(item.title, with_confidence ? " (" : "",
                               with_confidence ? ConfidenceName(item.confidence) : "",
                               with_confidence ? ")" : ""));
      for (const EvidenceGroup& group : GroupEvidence(item.evidence)) {
        page_.ProseAndPlace(hang, "", group.meaning(), group.Place());
        Quotes(hang, group, Rows());
      }
      // Beside a root cause they can wait.
      const bool brief = !style_.verbose && !report_.root_causes.empty();
      Repair(hang, item.fix, brief);
      if (brief && HasMore(item.fix))
        page_.Prose(hang, "", "(at what risk, and how to undo it: --verbose)", "", kDim);
      if (item.expect.empty()) continue;
      page_.Prose(hang, "", "It worked when you see:");
      Expectations(hang, item.expect);
    }
  }

  // Quotes stand there where what works is the answer.
  void WhatWorks() {
    if (report_.working.empty()) return;
    page_.Heading("What works");
    const bool quotes = style_.verbose || report_.verdict == Verdict::kHealthy;
    for (const Working& working : report_.working) {
      std::string places;
      for (const rules::Evidence& evidence : working.evidence) {
        absl::StrAppend(&places, places.empty() ? "" : "; ", Place(evidence));
      }
      page_.ProseAndPlace(2, "- ", working.what, places, /*needed=*/quotes);
      for (const rules::Evidence& evidence : working.evidence) {
        if (quotes && !evidence.quote.empty()) page_.Quote(4, evidence.quote, kAllRows);
      }
    }
  }

  void RuledOutCauses() {
    if (report_.ruled_out.empty()) return;
    if (style_.verbose) {
      page_.Heading("Ruled out");
      for (const RuledOutGroup& group : GroupRuledOut(report_)) {
        page_.Prose(2, absl::StrCat(group.causes.front()->code, "  "),
                    absl::StrCat(group.Names(), ": ", group.because));
      }
      return;
    }
    page_.Heading(absl::StrCat("Ruled out: ", report_.ruled_out.size(),
                               report_.ruled_out.size() == 1 ? " cause" : " causes"),
                  "--verbose says why");
    for (const RuledOutLayer& layer : RuledOutByLayer(report_))
      page_.Prose(2, absl::StrCat(layer.title, ": "), layer.codes);
  }

  void NotObserved() {
    if (report_.not_observed.empty()) return;
    // Where nothing is known to be wrong, this is the answer.
    if (!style_.verbose && report_.verdict != Verdict::kInconclusive) return NotObservedInBrief();
    page_.Heading("Not observed");
    WhereItIsSeen();
    for (const NotSeenGroup& group : GroupNotSeen(report_)) {
      page_.Prose(2, "- ", absl::StrCat(group.what, group.why.empty() ? "" : " - ", group.why));
      if (group.how.empty()) continue;
      for (const Way& way : Ways(group.how)) {
        if (!way.lead.empty() && !style_.verbose) break;
        const std::string lead = absl::StrCat(way.lead.empty() ? "to see it" : way.lead, ": ");
        if (IsCommand(way.text)) {
          page_.Command(4, lead, way.text);
        } else {
          page_.Prose(4, "", absl::StrCat(lead, way.text));
        }
      }
    }
  }

  void WhereItIsSeen() {
    const std::string on = OnItsHost(report_);
    if (!on.empty())
      page_.Prose(2, "", absl::StrCat("To be seen", on, ", and not where this is read:"));
  }

  void NotObservedInBrief() {
    page_.Heading("Not observed", "--verbose says why, and how it is seen");
    WhereItIsSeen();
    // Of a log alone the first says how much it proves, and what settles the rest.
    const size_t said = report_.host.source == "log" ? 1 : 0;
    if (said > 0) {
      const NotSeen& beyond = report_.not_observed.front();
      page_.Prose(2, "- ", absl::StrCat(beyond.what, ": ", beyond.why));
      if (IsCommand(beyond.how)) {
        page_.Command(4, "to see it: ", beyond.how);
      } else if (!beyond.how.empty()) {
        page_.Prose(4, "", absl::StrCat("to see it: ", beyond.how));
      }
    }
    const NotSeenInBrief brief = BriefNotSeen(report_, said);
    for (const NotSeenGroup& group : brief.by_doctor) {
      page_.Prose(2, "- ", absl::StrCat(group.what, ", which this looks at:"));
      page_.Command(4, "", group.how);
    }
    if (!brief.others.empty()) page_.Prose(2, "- ", brief.others);
  }

  void Skipped() {
    if (report_.skipped.empty()) return;
    page_.Heading("Not judged, as asked for");
    page_.Prose(2, "", absl::StrJoin(report_.skipped, ", "));
  }

  void Timeline() {
    if (report_.timeline.empty()) return;
    const bool whole = style_.verbose || style_.whole_timeline;
    const std::vector<const Event*> events =
        whole ? Pointers(report_.timeline) : EventsNearRootCauses(report_);
    // How many is not known here: the whole one has what was not looked at for this.
    const bool more = events.size() < report_.timeline.size();
    std::vector<std::string> times;
    for (const Event* event : events) times.push_back(Rfc3339(event->time, report_.time_zone));
    const std::string zone = TakeZone(&times);
    page_.Heading(absl::StrCat("Time line", zone.empty() ? "" : " in the zone ", zone),
                  more ? "more: --timeline shows all" : "");
    size_t widest = 0;
    for (std::string& time : times) {
      absl::StrReplaceAll({{"T", " "}}, &time);
      widest = std::max(widest, time.size());
    }
    for (size_t i = 0; i < events.size(); ++i) {
      const Event& event = *events[i];
      const std::string lead = absl::StrCat(times[i], Spaces(widest - times[i].size() + 2));
      if (whole) {
        page_.Prose(
            2, lead,
            absl::StrCat(event.event,
                         event.source.empty() ? "" : absl::StrCat(" (", event.source, ")")));
      } else {
        page_.ProseAndPlace(2, lead, event.event, event.source, /*needed=*/false);
      }
    }
  }

  void Footer() {
    page_.Gap();
    for (const auto& [label, text] : style_.verbose ? WhoWasJudged(report_) : InBrief(report_))
      page_.Prose(0, absl::StrCat(label, Spaces(9 - label.size())), text);
    for (const auto* items : {&report_.root_causes, &report_.latent, &report_.notes}) {
      if (items->empty()) continue;
      page_.Prose(0, "More     ",
                  absl::StrCat(Runbook(items->front().code), " (or any other code)"));
      break;
    }
  }

  const Report& report_;
  const TextStyle& style_;
  Page page_;
  Quoted quoted_;
  std::set<std::pair<std::string, std::string>> said_;  // of a command
};

}  // namespace

std::string ToText(const Report& report, const TextStyle& style) {
  const Report shown =
      Shown(report, {.quote_bytes = kLongestQuote, .other_bytes = 4096, .ascii = !style.utf8});
  return Layout(shown, style).Whole();
}

}  // namespace vgpu::report
