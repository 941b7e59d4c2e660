#include "diag/report/prometheus.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/report/exposition.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"

namespace vgpu::report {
namespace {

std::string ValueOr(const host::Observed<std::string>& observed, absl::string_view other) {
  return observed.present() ? *observed : std::string(other);
}

}  // namespace

std::string ToPrometheus(const Report& report) {
  const Report shown = Shown(report, {.other_bytes = kLongestLabel});
  const std::string unit = shown.subject.unit;
  Exposition text;

  text.Metric("vgpu_doctor_info", "Which host, service and version were judged, and by which.");
  text.Series({{"unit", unit},
               {"host", ValueOr(shown.host.hostname, "")},
               {"source", shown.host.source},
               {"ollama_version", ValueOr(shown.subject.ollama_version, "")},
               {"era", shown.subject.era},
               {"version", kToolVersion}},
              "1");

  text.Metric("vgpu_doctor_verdict", "1 for the verdict that vgpu-doctor check came to.");
  for (const Verdict verdict : {Verdict::kHealthy, Verdict::kProblem, Verdict::kInconclusive}) {
    text.Series({{"unit", unit}, {"verdict", VerdictName(verdict)}},
                shown.verdict == verdict ? "1" : "0");
  }

  const std::pair<absl::string_view, const std::vector<Item>*> lists[] = {
      {"root_causes", &shown.root_causes},
      {"consequences", &shown.consequences},
      {"latent", &shown.latent},
      {"notes", &shown.notes}};
  text.Metric("vgpu_doctor_findings", "How many findings stand in each list of the report.");
  for (const auto& [list, items] : lists)
    text.Series({{"unit", unit}, {"list", std::string(list)}}, absl::StrCat(items->size()));

  text.Metric("vgpu_doctor_finding", "1 for each finding, by its code.");
  for (const auto& [list, items] : lists) {
    for (const Item& item : *items) {
      text.Series({{"unit", unit},
                   {"list", std::string(list)},
                   {"code", item.code},
                   {"id", item.id},
                   {"confidence", ConfidenceName(item.confidence)}},
                  "1");
    }
  }

  text.Metric("vgpu_doctor_not_observed", "How many things could not be seen.");
  text.Series({{"unit", unit}}, absl::StrCat(shown.not_observed.size()));

  if (shown.host.observed_at.present()) {
    text.Metric("vgpu_doctor_observed_timestamp_seconds", "When the host was looked at.");
    text.Series({{"unit", unit}}, absl::StrCat(absl::ToUnixSeconds(*shown.host.observed_at)));
  }
  return std::move(text).Take();
}

}  // namespace vgpu::report
