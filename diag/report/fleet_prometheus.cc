#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/report/exposition.h"
#include "diag/report/fleet_views.h"
#include "diag/report/visible.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

std::string Label(const std::string& text) { return VisibleQuote(text, kLongestLabel); }

}  // namespace

std::string ToPrometheus(const Fleet& fleet) {
  Exposition text;
  text.Metric("vgpu_doctor_hosts", "How many hosts came to each verdict.");
  for (const char* verdict : {"healthy", "problem", "inconclusive", "unreadable", "fault"})
    text.Series({{"verdict", verdict}}, absl::StrCat(fleet.Count(verdict)));

  // The labels that tell hosts apart: a name may be there twice, a place is not.
  const auto labels = [](const FleetHost& host) {
    return Exposition::Labels{{"host", Label(std::string(NameOf(host)))},
                              {"root", Label(host.root)},
                              {"unit", Label(host.unit)}};
  };
  text.Metric("vgpu_doctor_verdict", "1 for what vgpu-doctor check came to of a host.");
  for (const FleetHost& host : fleet.hosts) {
    Exposition::Labels series = labels(host);
    series.emplace_back("verdict", VerdictOf(host));
    text.Series(series, "1");
  }
  text.Metric("vgpu_doctor_finding", "1 for each root cause and latent fault of a host.");
  for (const FleetHost& host : fleet.hosts) {
    for (const auto& [list, codes] :
         {std::make_pair("root_causes", &host.causes), std::make_pair("latent", &host.latent)}) {
      for (const std::string& code : *codes) {
        const rules::CatalogueEntry* entry = rules::FindCode(code);
        Exposition::Labels series = labels(host);
        series.emplace_back("list", list);
        series.emplace_back("code", code);
        series.emplace_back("id", entry == nullptr ? "" : std::string(entry->id));
        text.Series(series, "1");
      }
    }
  }
  return std::move(text).Take();
}

}  // namespace vgpu::report
