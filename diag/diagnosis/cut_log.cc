#include "diag/diagnosis/cut_log.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace vgpu::diagnosis {
namespace {

// What says that the log does not show discovery.
constexpr char kNotInLog[] = "VG705";

constexpr char kAskForMore[] = "the same command without --since";

}  // namespace

void NameTheCut(const facts::Facts& facts, absl::Time since, report::Report& report) {
  const bool before = facts.process.present() && facts.process->started.present() &&
                      *facts.process->started < since;
  const ollama::ServerStart* start = facts.ThisStart();
  if (!before || (start != nullptr && start->Result() != nullptr)) return;
  const std::string started =
      absl::StrCat("process ", facts.process->pid, " was started at ",
                   absl::FormatTime("%Y-%m-%d %H:%M:%S", *facts.process->started, facts.time_zone));
  const std::string why =
      absl::StrCat(started, ", and discovery runs at the start: --since leaves that out");
  bool blamed = false;
  for (auto* items : {&report.root_causes, &report.consequences, &report.latent, &report.notes}) {
    for (report::Item& item : *items) {
      if (item.code != kNotInLog) continue;
      item.evidence = {{"--since", 0, "", why}};
      item.fix.clear();
      blamed = true;
    }
  }
  if (blamed && report.verdict == report::Verdict::kInconclusive) {
    report.headline = absl::StrCat(
        "Nothing is known to be wrong, and what discovery found is before the time that --since "
        "names: ask without it.");
  }
  for (report::NotSeen& item : report.not_observed) {
    if (item.what == "what discovery found") item.why = why, item.how = kAskForMore;
  }
}

}  // namespace vgpu::diagnosis
