#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/report/fleet_phrases.h"
#include "diag/report/fleet_views.h"
#include "diag/report/html_style.h"
#include "diag/report/runbook.h"
#include "diag/report/version.h"
#include "diag/report/xml.h"

namespace vgpu::report {
namespace {

// Beside the style of one host's report.
constexpr char kTableStyle[] = R"(
main { max-width: 75rem; }
h1:last-child { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--dim); font-size: .85rem; font-weight: 600; white-space: nowrap; }
td.count { text-align: right; font-variant-numeric: tabular-nums; }
td.code, td.command { white-space: nowrap; }
td.host { min-width: 9rem; }
tr { break-inside: avoid; }
@media (max-width: 45rem) {
  thead { display: none; }
  tr { display: block; padding: .35rem 0; border-bottom: 1px solid var(--line); }
  td { display: inline-block; padding: .1rem .75rem .1rem 0; border: 0; }
  td.wide { display: block; }
}
)";

// An element that holds text; `tag` may bring its class.
std::string Element(absl::string_view tag, absl::string_view text) {
  return absl::StrCat("<", tag, ">", XmlText(text), "</", tag.substr(0, tag.find(' ')), ">");
}

std::string Section(absl::string_view heading, absl::string_view content) {
  return content.empty()
             ? ""
             : absl::StrCat("<section>\n", Element("h2", heading), "\n", content, "</section>\n");
}

const char* ClassOf(absl::string_view verdict) {
  if (verdict == "healthy") return "good";
  return verdict == "inconclusive" ? "warn" : "bad";
}

std::string Table(absl::string_view head, absl::string_view rows) {
  return rows.empty() ? ""
                      : absl::StrCat("<table>\n<thead><tr>", head, "</tr></thead>\n<tbody>\n", rows,
                                     "</tbody>\n</table>\n");
}

std::string Causes(const Fleet& fleet) {
  std::string rows;
  for (const FleetCause& cause : fleet.causes) {
    absl::StrAppend(&rows, "<tr>", Element("td class=\"count\"", absl::StrCat(cause.hosts)),
                    Element("td class=\"code\"", cause.code), "<td class=\"wide\">",
                    XmlText(cause.title), Element("pre class=\"command\"", Repair(cause, fleet)),
                    "</td>", Element("td", Certainty(cause)), "<td class=\"command\">",
                    Element("code", Runbook(cause.code)), "</td></tr>\n");
  }
  return Table(
      "<th>hosts</th><th>code</th><th>cause, and its repair on one of them</th>"
      "<th>certainty</th><th>all of it</th>",
      rows);
}

std::string Latent(const std::vector<FleetCause>& causes) {
  std::string rows;
  for (const FleetCause& cause : causes) {
    absl::StrAppend(&rows, "<tr>", Element("td class=\"count\"", absl::StrCat(cause.hosts)),
                    Element("td class=\"code\"", cause.code),
                    Element("td class=\"wide\"", cause.title), "<td class=\"command\">",
                    Element("code", Runbook(cause.code)), "</td></tr>\n");
  }
  return Table("<th>hosts</th><th>code</th><th>fault</th><th>all of it</th>", rows);
}

std::string Shared(const Fleet& fleet) {
  std::string items;
  for (const FleetShared& shared : SharedInShort(fleet)) {
    absl::StrAppend(&items, "<li>", shared.hosts, " of ", shared.of,
                    shared.code.empty() ? "" : absl::StrCat(" with ", XmlText(shared.code)), ": ");
    if (shared.what != "evidence") {
      absl::StrAppend(&items, XmlText(SharedValue(shared)), "</li>\n");
      continue;
    }
    absl::StrAppend(&items, XmlText(shared.meaning), Element("div class=\"place\"", shared.source),
                    shared.quote.empty() ? "" : Element("pre class=\"quote\"", shared.quote),
                    "</li>\n");
  }
  return items.empty() ? "" : absl::StrCat("<ul>\n", items, "</ul>\n");
}

std::string Hosts(const Fleet& fleet) {
  std::string rows;
  for (const FleetGroup& group : Groups(fleet)) {
    for (const FleetHost* host : group.hosts) {
      absl::StrAppend(&rows, "<tr><td class=\"host\">", XmlText(host->hostname),
                      Element("div class=\"place\"", host->root), "</td><td>",
                      Element(absl::StrCat("span class=\"badge ", ClassOf(VerdictOf(*host)), "\""),
                              SayVerdict(*host)),
                      "</td>", Element("td", group.causes),
                      Element("td class=\"wide\"", host->headline), "</tr>\n");
    }
  }
  return Table("<th>host</th><th>verdict</th><th>root causes</th><th>what to do</th>", rows);
}

}  // namespace

std::string ToHtml(const Fleet& fleet) {
  const char* mood = fleet.Count("healthy") == fleet.hosts.size() ? "healthy"
                     : fleet.causes.empty()                       ? "inconclusive"
                                                                  : "problem";
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n",
      Element("title", Summary(fleet)), "\n<style>", kStyle, kTableStyle,
      "</style>\n</head>\n<body>\n<main>\n<header class=\"", mood, "\">\n",
      Element("h1", Summary(fleet)), "\n</header>\n", Section("Root causes", Causes(fleet)),
      Section("Latent faults, harmless until something restarts or changes", Latent(fleet.latent)),
      Section("What most of them share", Shared(fleet)),
      Section("Hosts, by root cause", Hosts(fleet)), "<footer>vgpu-doctor ", kToolVersion,
      "</footer>\n</main>\n</body>\n</html>\n");
}

}  // namespace vgpu::report
