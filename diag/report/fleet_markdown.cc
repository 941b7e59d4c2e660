#include <string>

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

std::string Causes(absl::string_view heading, const std::vector<FleetCause>& causes) {
  if (causes.empty()) return "";
  std::string out = absl::StrCat("## ", heading, "\n\n| Hosts | Cause | |\n| ---: | --- | --- |\n");
  for (const FleetCause& cause : causes) {
    absl::StrAppend(&out, "| ", cause.hosts, " | **", Cell(MarkdownProse(cause.code)), "** ",
                    Cell(MarkdownProse(cause.title)), " | ",
                    Cell(MarkdownCode(Runbook(cause.code))), " |\n");
  }
  return out + "\n";
}

std::string Shared(const Fleet& fleet) {
  if (fleet.shared.empty()) return "";
  std::string out = "## What most of them share\n\n";
  for (const FleetShared& shared : fleet.shared) {
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
  return out + "\n";
}

}  // namespace

std::string ToMarkdown(const Fleet& fleet) {
  std::string out =
      absl::StrCat("# ", MarkdownProse(Summary(fleet)), "\n\n", Causes("Root causes", fleet.causes),
                   Causes("Latent faults", fleet.latent), Shared(fleet),
                   "## Hosts, by root cause\n\n"
                   "| Host | Verdict | Causes | |\n| --- | --- | --- | --- |\n");
  const FleetNames names(fleet);
  for (const FleetHost& host : fleet.hosts) {
    absl::StrAppend(&out, "| ", Cell(MarkdownProse(names.Of(host))), " | ", SayVerdict(host), " | ",
                    Cell(MarkdownProse(absl::StrJoin(host.causes, ", "))), " | ",
                    Cell(MarkdownProse(host.headline)), " |\n");
  }
  return out;
}

}  // namespace vgpu::report
