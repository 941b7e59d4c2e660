#include "diag/report/html.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "diag/report/brief.h"
#include "diag/report/chain_picture.h"
#include "diag/report/html_style.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/preload_list.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"
#include "diag/report/xml.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

// About forty lines: a page has room.
constexpr size_t kLongestQuote = 4096;

// An element that holds text. `tag` may bring its class: "p class=dim".
std::string Element(absl::string_view tag, absl::string_view text) {
  return absl::StrCat("<", tag, ">", XmlText(text), "</", tag.substr(0, tag.find(' ')), ">");
}

// Prose in which what stands between two backticks is code.
std::string Prose(absl::string_view text) {
  std::string html;
  size_t begin = 0;
  while (true) {
    const size_t open = text.find('`', begin);
    const size_t close = open == absl::string_view::npos ? open : text.find('`', open + 1);
    if (close == absl::string_view::npos) break;
    absl::StrAppend(&html, XmlText(text.substr(begin, open - begin)),
                    Element("code", text.substr(open + 1, close - open - 1)));
    begin = close + 1;
  }
  return absl::StrCat(html, XmlText(text.substr(begin)));
}

// A code of the catalogue, which may stand in an id; others may hold anything.
bool IsCode(absl::string_view code) { return rules::FindCode(code) != nullptr; }

std::string Link(absl::string_view code, const Report& report) {
  const std::string text = XmlText(Named(code, report));
  if (!IsCode(code) || FindItem(code, report) == nullptr) return text;
  return absl::StrCat("<a href=\"#", code, "\">", text, "</a>");
}

std::string Links(const std::vector<std::string>& codes, const Report& report) {
  return absl::StrJoin(codes, ", ", [&](std::string* out, const std::string& code) {
    absl::StrAppend(out, Link(code, report));
  });
}

std::string IdAttribute(absl::string_view code) {
  return IsCode(code) ? absl::StrCat(" id=\"", code, "\"") : "";
}

std::string CommandOrProse(absl::string_view text) {
  return IsCommand(text) ? Element("code", text) : Prose(text);
}

std::string Badge(absl::string_view color, absl::string_view text) {
  return Element(absl::StrCat("span class=\"badge ", color, "\""), text);
}

std::string PlaceAndQuote(const rules::Evidence& evidence) {
  std::string html;
  if (!evidence.source.empty())
    absl::StrAppend(&html, Element("div class=\"place\"", Place(evidence)));
  if (!evidence.quote.empty())
    absl::StrAppend(&html, Element("pre class=\"quote\"", evidence.quote));
  return html;
}

std::string Evidence(const std::vector<rules::Evidence>& evidence, Quoted* quoted) {
  if (evidence.empty()) return "";
  std::string html = "<ol>\n";
  for (const EvidenceGroup& group : GroupEvidence(evidence)) {
    absl::StrAppend(&html, "<li>", Prose(group.meaning()));
    if (!group.pieces.front()->source.empty())
      absl::StrAppend(&html, Element("div class=\"place\"", group.Place()));
    for (const rules::Evidence* piece : group.pieces) quoted->Add(*piece);
    for (const absl::string_view quote : group.Quotes())
      absl::StrAppend(&html, Element("pre class=\"quote\"", quote));
    html += "</li>\n";
  }
  return html + "</ol>\n";
}

std::string Repair(const std::vector<rules::FixStep>& fix) {
  std::string html;
  for (const rules::FixStep& step : fix) {
    html += "<div class=\"step\">";
    if (!step.command.empty())
      absl::StrAppend(&html, Element("pre class=\"command\"", step.command));
    std::string reasons;
    if (!step.why.empty()) absl::StrAppend(&reasons, "<dt>why</dt><dd>", Prose(step.why), "</dd>");
    if (!step.risk.empty())
      absl::StrAppend(&reasons, "<dt>risk</dt><dd>", Prose(step.risk), "</dd>");
    if (!step.undo.empty())
      absl::StrAppend(&reasons, "<dt>undo</dt><dd>", CommandOrProse(step.undo), "</dd>");
    if (!reasons.empty()) absl::StrAppend(&html, "<dl class=\"reasons\">", reasons, "</dl>");
    html += "</div>\n";
  }
  return html;
}

std::string Expectations(const std::vector<std::string>& expect) {
  if (expect.empty()) return "";
  std::string html = "<ul>\n";
  for (const std::string& line : expect) absl::StrAppend(&html, "<li>", Prose(line), "</li>\n");
  return html + "</ul>\n";
}

std::string Folded(absl::string_view summary, absl::string_view content) {
  return absl::StrCat("<details>\n<summary>", summary, "</summary>\n", content, "</details>\n");
}

std::string Section(absl::string_view heading, absl::string_view content) {
  return content.empty()
             ? ""
             : absl::StrCat("<section>\n", Element("h2", heading), "\n", content, "</section>\n");
}

std::string Header(const Report& report) {
  const std::string verdict = VerdictName(report.verdict);
  std::string html = absl::StrCat("<header class=\"", verdict, "\">\n",
                                  Element("div class=\"verdict\"", absl::AsciiStrToUpper(verdict)),
                                  "\n<h1>", Prose(report.headline), "</h1>\n");
  html += "<dl>";
  for (const auto& [label, text] : WhoWasJudged(report))
    absl::StrAppend(&html, Element("dt", label), Element("dd", text));
  return html + "</dl>\n</header>\n";
}

std::string Chain(const Report& report) {
  const std::string picture = ChainPicture(report);
  return picture.empty() ? "" : absl::StrCat("<figure tabindex=\"0\">\n", picture, "</figure>\n");
}

// In the order of the text report: what to do, and then why.
std::string RootCause(const Item& cause, const Report& report, absl::string_view heading,
                      Quoted* quoted) {
  std::string html =
      absl::StrCat("<section", IdAttribute(cause.code), ">\n", Element("h2", heading),
                   "\n<p><strong>", XmlText(cause.code), "</strong> ", Prose(cause.title), " ",
                   Badge("bad", ConfidenceName(cause.confidence)), "</p>\n");
  if (!cause.fix.empty()) absl::StrAppend(&html, "<h3>To repair it</h3>\n", Repair(cause.fix));
  if (!cause.expect.empty())
    absl::StrAppend(&html, "<h3>It worked when you see</h3>\n", Expectations(cause.expect));
  if (!cause.evidence.empty())
    absl::StrAppend(&html, "<h3>Evidence</h3>\n", Evidence(cause.evidence, quoted));
  if (!cause.explains.empty())
    absl::StrAppend(&html, "<h3>Explains</h3>\n<p>", Links(cause.explains, report), "</p>\n");
  absl::StrAppend(&html, "<p class=\"dim\">All of it: ", Element("code", Runbook(cause.code)),
                  "</p>\n");
  return html + "</section>\n";
}

// What stands above already is named by its place.
std::string Consequences(const Report& report, Quoted* quoted) {
  std::string html;
  for (const Item& item : report.consequences) {
    absl::StrAppend(&html, "<div", IdAttribute(item.code), ">\n<h3>", XmlText(item.code), " ",
                    Prose(item.title), "</h3>\n");
    if (!item.explained_by.empty()) {
      absl::StrAppend(&html, "<p class=\"dim\">because of ", Links(item.explained_by, report),
                      "</p>\n");
    }
    std::vector<std::string> above;
    for (const rules::Evidence& piece : item.evidence) {
      if (quoted->Add(piece)) {
        html += PlaceAndQuote(piece);
      } else if (std::string place = Place(piece);
                 std::find(above.begin(), above.end(), place) == above.end()) {
        above.push_back(std::move(place));
      }
    }
    if (!above.empty()) {
      const std::string places =
          absl::StrJoin(above, ", ", [](std::string* out, const std::string& place) {
            absl::StrAppend(out, Element("span class=\"place\"", place));
          });
      absl::StrAppend(&html, "<p class=\"above\">", places, " <span class=\"dim\">",
                      above.size() == 1 ? "stands" : "stand", " above</span></p>\n");
    }
    html += "</div>\n";
  }
  return html;
}

// Latent faults, and notes.
std::string Others(const std::vector<Item>& items, bool with_confidence, Quoted* quoted) {
  std::string html;
  for (const Item& item : items) {
    absl::StrAppend(
        &html, "<div", IdAttribute(item.code), ">\n<h3>", XmlText(item.code), " ",
        Prose(item.title),
        with_confidence ? absl::StrCat(" ", Badge("warn", ConfidenceName(item.confidence))) : "",
        "</h3>\n", Evidence(item.evidence, quoted), Repair(item.fix));
    if (!item.expect.empty())
      absl::StrAppend(&html, "<p>It worked when you see:</p>\n", Expectations(item.expect));
    html += "</div>\n";
  }
  return html;
}

// What a finding says of an entry of the preload list is as grave as its list.
absl::string_view Gravity(const Item& item, const Report& report) {
  for (const Item& note : report.notes) {
    if (&note == &item) return "dim";
  }
  for (const Item& latent : report.latent) {
    if (&latent == &item) return "warn";
  }
  return "bad";
}

std::string EntryOf(const PreloadEntry& entry, const Report& report) {
  const absl::string_view gravity = !entry.findings.empty()
                                        ? Gravity(*entry.findings.front(), report)
                                    : entry.loaded ? "good"
                                                   : "dim";
  std::string html =
      absl::StrCat("<li class=\"", gravity, "-entry\">", Element("code", entry.path), "<br>");
  for (const Item* item : entry.findings) {
    absl::StrAppend(&html, "<span class=\"", Gravity(*item, report), "\">",
                    Link(item->code, report), "</span>: ", Prose(item->title), "<br>");
  }
  if (entry.loaded) {
    html += "<span class=\"good\">in the memory of the process</span>";
  } else if (entry.findings.empty()) {
    html += "<span class=\"dim\">no finding names it</span>";
  }
  return html + "</li>\n";
}

std::string LoadersChoices(const Report& report) {
  const PreloadList list = FindPreloadList(report);
  std::string html;
  if (!list.entries.empty()) {
    absl::StrAppend(&html, "<p>The preload list, in the order in which the loader takes it. ",
                    "<span class=\"place\">", XmlText(list.source),
                    "</span></p>\n<ol class=\"way\">\n");
    for (const PreloadEntry& entry : list.entries) html += EntryOf(entry, report);
    html += "</ol>\n";
  }
  if (!list.beside.empty()) {
    html +=
        "<h3>Libraries beside the list, which the evidence names</h3>\n"
        "<ol class=\"way beside\">\n";
    for (const PreloadEntry& entry : list.beside) html += EntryOf(entry, report);
    html += "</ol>\n";
  }
  return html;
}

// What shows it is folded away, unless that it works is the answer.
std::string WhatWorks(const Report& report) {
  if (report.working.empty()) return "";
  const bool open = report.verdict == Verdict::kHealthy;
  std::string html = open ? "<ul>\n" : "<ul class=\"folds\">\n";
  for (const Working& working : report.working) {
    std::string shown;
    for (const rules::Evidence& piece : working.evidence) shown += PlaceAndQuote(piece);
    absl::StrAppend(&html, "<li>",
                    open || shown.empty() ? absl::StrCat(Prose(working.what), shown)
                                          : Folded(Prose(working.what), shown),
                    "</li>\n");
  }
  return html + "</ul>\n";
}

// The longer the gap, the longer the line to the next event: by its logarithm.
int GapClass(absl::Duration gap) {
  if (gap >= absl::Hours(24)) return 4;
  if (gap >= absl::Hours(1)) return 3;
  if (gap >= absl::Minutes(1)) return 2;
  return gap >= absl::Seconds(1) ? 1 : 0;
}

std::string Timeline(const Report& report) {
  if (report.timeline.empty()) return "";
  std::string html = "<ol class=\"way time\">\n";
  for (size_t i = 0; i < report.timeline.size(); ++i) {
    const Event& event = report.timeline[i];
    const absl::Duration gap = i + 1 < report.timeline.size()
                                   ? report.timeline[i + 1].time - event.time
                                   : absl::ZeroDuration();
    const std::string time = Rfc3339(event.time, report.time_zone);
    absl::StrAppend(&html, "<li class=\"gap", GapClass(gap), "\"><time datetime=\"", time, "\">",
                    time, "</time> ", Prose(event.event));
    if (!event.source.empty())
      absl::StrAppend(&html, " ", Element("span class=\"place\"", event.source));
    if (const std::string later = SayDuration(gap); !later.empty() && GapClass(gap) > 0)
      absl::StrAppend(&html, "<span class=\"later\">", later, " later</span>");
    html += "</li>\n";
  }
  return html + "</ol>\n";
}

std::string NotObserved(const Report& report) {
  if (report.not_observed.empty()) return "";
  std::string html = "<ul>\n";
  for (const NotSeenGroup& group : GroupNotSeen(report)) {
    absl::StrAppend(&html, "<li>", Prose(group.what),
                    group.why.empty() ? "" : absl::StrCat(": ", Prose(group.why)));
    if (!group.how.empty()) {
      for (const Way& way : Ways(group.how)) {
        absl::StrAppend(&html, "<br><span class=\"dim\">",
                        way.lead.empty() ? absl::StrCat("To see it", XmlText(OnItsHost(report)))
                                         : std::string(way.lead),
                        ":</span> ", CommandOrProse(way.text));
      }
    }
    html += "</li>\n";
  }
  html += "</ul>\n";
  // Where nothing is known to be wrong, it is the answer.
  if (report.verdict == Verdict::kInconclusive) return html;
  const size_t count = report.not_observed.size();
  return Folded(absl::StrCat(count, count == 1 ? " thing" : " things", " that could not be seen"),
                html);
}

std::string RuledOutCauses(const Report& report) {
  if (report.ruled_out.empty()) return "";
  const size_t count = report.ruled_out.size();
  std::string html = "<ul>\n";
  for (const RuledOutGroup& group : GroupRuledOut(report)) {
    absl::StrAppend(&html, "<li><strong>", XmlText(group.causes.front()->code), "</strong> ",
                    XmlText(group.Names()), ": ", Prose(group.because), "</li>\n");
  }
  return Folded(
      absl::StrCat(count, count == 1 ? " cause" : " causes", " that evidence contradicts"),
      html + "</ul>\n");
}

}  // namespace

std::string SayDuration(absl::Duration duration) {
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return "";
  if (duration < absl::Seconds(10)) {
    // "0.3 s", and "3 s".
    return absl::StrFormat("%.2g s", absl::ToDoubleSeconds(duration));
  }
  const int64_t seconds = absl::ToInt64Seconds(duration);
  static constexpr struct {
    int64_t seconds;
    int64_t next;
    const char* name;
    const char* next_name;
  } kUnits[] = {{86400, 3600, "d", "h"}, {3600, 60, "h", "min"}, {60, 1, "min", "s"}};
  for (const auto& unit : kUnits) {
    if (seconds < unit.seconds) continue;
    const int64_t rest = seconds % unit.seconds / unit.next;
    const std::string text = absl::StrCat(seconds / unit.seconds, " ", unit.name);
    return rest == 0 ? text : absl::StrCat(text, " ", rest, " ", unit.next_name);
  }
  return absl::StrCat(seconds, " s");
}

std::string ToHtml(const Report& report) {
  const Report shown = Shown(report, {.quote_bytes = kLongestQuote});
  const std::string host = shown.host.hostname.present() ? *shown.host.hostname : "vgpu-doctor";
  std::string html = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n",
      Element("title", absl::StrCat(Title(shown), " (", host, ")")), "\n<style>", kStyle,
      "</style>\n</head>\n<body>\n<main>\n", Header(shown));
  Quoted quoted;
  if (const std::string of_all = OfSeveralCauses(shown); !of_all.empty()) {
    absl::StrAppend(&html, Element("p", of_all), "\n");
  }
  const size_t count = shown.root_causes.size();
  for (size_t i = 0; i < count; ++i) {
    html += RootCause(shown.root_causes[i], shown,
                      count == 1 ? "Root cause" : absl::StrCat("Root cause ", i + 1, " of ", count),
                      &quoted);
  }
  html += Section("From cause to symptom", Chain(shown));
  // One after the other: what is quoted above is not quoted again.
  html += Section("Consequences, which need no repair of their own", Consequences(shown, &quoted));
  html += Section("Latent faults, harmless until something restarts or changes",
                  Others(shown.latent, true, &quoted));
  html += Section("Notes", Others(shown.notes, false, &quoted));
  const std::string works = Section("What works", WhatWorks(shown));
  const bool healthy = shown.verdict == Verdict::kHealthy;  // and that is why
  absl::StrAppend(&html, healthy ? works : "",
                  Section("What the loader is told to load", LoadersChoices(shown)),
                  Section("Time line", Timeline(shown)), healthy ? "" : works,
                  Section("Not observed", NotObserved(shown)),
                  Section("Ruled out", RuledOutCauses(shown)));
  if (!shown.skipped.empty()) {
    absl::StrAppend(&html, Section("Not judged, as asked for",
                                   Element("p", absl::StrJoin(shown.skipped, ", "))));
  }
  return absl::StrCat(html, "<footer>vgpu-doctor ", kToolVersion, "</footer>\n",
                      "</main>\n</body>\n</html>\n");
}

}  // namespace vgpu::report
