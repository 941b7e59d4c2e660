#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "diag/report/fleet_phrases.h"
#include "diag/report/fleet_views.h"
#include "diag/report/markdown.h"
#include "diag/report/runbook.h"

namespace vgpu::report {
namespace {

// A bar ends a cell, also within code (GitHub Flavored Markdown, 4.10).
std::string Cell(absl::string_view markdown) {
  return absl::StrReplaceAll(markdown, {{"|", "\\|"}});
}

std::string Causes(const Fleet& fleet) {
  if (fleet.causes.empty()) return "";
  std::string out =
      "## Root causes\n\n| Hosts | Cause | Certainty | To repair it |\n"
      "| ---: | --- | --- | --- |\n";
  for (const FleetCause& cause : fleet.causes) {
    absl::StrAppend(&out, "| ", cause.hosts, " | **", Cell(MarkdownProse(cause.code)), "** ",
                    Cell(MarkdownProse(cause.title)), " | ", Certainty(cause), " | ",
                    Cell(MarkdownCode(Repair(cause, fleet))), " |\n");
  }
  return absl::StrCat(out, "\nAll of a cause: ", MarkdownCode(Runbook(fleet.causes.front().code)),
                      "\n\n");
}

std::string Latent(const std::vector<FleetCause>& causes) {
  if (causes.empty()) return "";
  std::string out =
      "## Latent, harmless until something restarts or changes\n\n| Hosts | Fault |\n"
      "| ---: | --- |\n";
  for (const FleetCause& cause : causes) {
    absl::StrAppend(&out, "| ", cause.hosts, " | **", Cell(MarkdownProse(cause.code)), "** ",
                    Cell(MarkdownProse(cause.title)), " |\n");
  }
  return out + "\n";
}

std::string Shared(const Fleet& fleet) {
  std::string out;
  for (const FleetShared& shared : SharedInShort(fleet)) {
    absl::StrAppend(&out, "- ", shared.hosts, " of ", shared.of,
                    shared.code.empty() ? "" : absl::StrCat(" with ", MarkdownProse(shared.code)),
                    ": ");
    if (shared.what != "evidence") {
      absl::StrAppend(&out, MarkdownProse(SharedValue(shared)), "\n");
      continue;
    }
    absl::StrAppend(&out, MarkdownProse(shared.meaning), shared.meaning.empty() ? "" : " (",
                    MarkdownCode(shared.source), shared.meaning.empty() ? "" : ")",
                    shared.quote.empty() ? "" : ": ", MarkdownCode(shared.quote), "\n");
  }
  return out.empty() ? "" : absl::StrCat("## What most of them share\n\n", out, "\n");
}

}  // namespace

std::string ToMarkdown(const Fleet& fleet) {
  std::string out =
      absl::StrCat("# ", MarkdownProse(Summary(fleet)), "\n\n", Causes(fleet), Latent(fleet.latent),
                   Shared(fleet),
                   "## Hosts, by root cause\n\n"
                   "| Host | Capture | Verdict | Causes | |\n| --- | --- | --- | --- | --- |\n");
  for (const FleetGroup& group : Groups(fleet)) {
    for (const FleetHost* host : group.hosts) {
      absl::StrAppend(&out, "| ", Cell(MarkdownProse(host->hostname)), " | ",
                      Cell(MarkdownCode(host->root)), " | ", SayVerdict(*host), " | ",
                      Cell(MarkdownProse(absl::StrJoin(host->causes, ", "))), " | ",
                      Cell(MarkdownProse(host->headline)), " |\n");
    }
  }
  return out;
}

}  // namespace vgpu::report
