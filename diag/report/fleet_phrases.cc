#include "diag/report/fleet_phrases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

struct VerdictWords {
  const char* verdict;
  const char* in_summary;
};

constexpr VerdictWords kVerdicts[] = {
    {"problem", "with a problem"},  {"fault", "on which vgpu-doctor failed"},
    {"unreadable", "not readable"}, {"inconclusive", "inconclusive"},
    {"healthy", "healthy"},
};

std::string Named(const std::string& code) {
  const rules::CatalogueEntry* entry = rules::FindCode(code);
  return entry == nullptr ? code : absl::StrCat(code, " ", entry->id);
}

}  // namespace

std::string HostCount(size_t hosts) { return absl::StrCat(hosts, hosts == 1 ? " host" : " hosts"); }

std::string Summary(const Fleet& fleet) {
  std::vector<std::string> parts;
  for (const VerdictWords& words : kVerdicts) {
    const size_t count = fleet.Count(words.verdict);
    if (count > 0) parts.push_back(absl::StrCat(count, " ", words.in_summary));
  }
  return absl::StrCat(HostCount(fleet.hosts.size()), ": ", absl::StrJoin(parts, ", "));
}

std::string SharedValue(const FleetShared& shared) {
  if (shared.what == "ollama_version") return absl::StrCat("Ollama ", shared.quote);
  if (shared.what == "era") return absl::StrCat("discovery of era ", shared.quote);
  return shared.what == "unit" ? shared.quote : "";
}

FleetNames::FleetNames(const Fleet& fleet) {
  std::vector<absl::string_view> names;
  for (const FleetHost& host : fleet.hosts) names.push_back(NameOf(host));
  std::sort(names.begin(), names.end());
  for (size_t i = 1; i < names.size(); ++i) {
    if (names[i] == names[i - 1] && (twice_.empty() || twice_.back() != names[i]))
      twice_.emplace_back(names[i]);
  }
}

std::string FleetNames::Of(const FleetHost& host) const {
  const std::string name(NameOf(host));
  if (!std::binary_search(twice_.begin(), twice_.end(), name) || host.hostname.empty()) return name;
  return absl::StrCat(name, " (", host.root, ")");
}

std::vector<FleetGroup> Groups(const Fleet& fleet) {
  std::vector<FleetGroup> groups;
  for (const FleetHost& host : fleet.hosts) {
    const FleetHost* last = groups.empty() ? nullptr : groups.back().hosts.back();
    if (last == nullptr || last->causes != host.causes ||
        absl::string_view(VerdictOf(*last)) != VerdictOf(host)) {
      groups.push_back(
          {{}, absl::StrJoin(host.causes, ", ", [](std::string* out, const std::string& code) {
             absl::StrAppend(out, Named(code));
           })});
    }
    groups.back().hosts.push_back(&host);
  }
  return groups;
}

std::string SayVerdict(const FleetHost& host) {
  if (host.verdict) return VerdictName(*host.verdict);
  return host.fault ? "vgpu-doctor failed" : "not readable";
}

}  // namespace vgpu::report
