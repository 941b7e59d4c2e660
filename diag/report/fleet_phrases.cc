#include "diag/report/fleet_phrases.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/catalogue.h"
#include "diag/rules/steps.h"

namespace vgpu::report {
namespace {

// As Ollama's installer and all distributions have it.
constexpr absl::string_view kUsualUnit = "ollama.service";

// Of each cause.
constexpr size_t kMostShared = 5;

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

// Each with how sure it is on them.
std::string CausesOf(const std::vector<const FleetHost*>& hosts) {
  const std::vector<std::string>& codes = hosts.front()->causes;
  std::vector<std::string> causes;
  for (size_t i = 0; i < codes.size(); ++i) {
    FleetCause cause = {.code = codes[i], .hosts = hosts.size()};
    for (const FleetHost* host : hosts) {
      cause.certain += host->confidence[i] == rules::Confidence::kCertain;
      cause.likely += host->confidence[i] == rules::Confidence::kLikely;
    }
    causes.push_back(absl::StrCat(Named(codes[i]), " (", Certainty(cause), ")"));
  }
  return absl::StrJoin(causes, ", ");
}

std::vector<FleetBlock> BlocksOf(const std::vector<const FleetHost*>& hosts) {
  std::vector<FleetBlock> blocks;
  std::map<absl::string_view, size_t> by_headline;
  for (const FleetHost* host : hosts) {
    const auto [block, added] = by_headline.try_emplace(host->alike, blocks.size());
    if (added) blocks.emplace_back();
    blocks[block->second].hosts.push_back(host);
  }
  return blocks;
}

bool SaysSomething(const FleetShared& shared, const Fleet& fleet) {
  if (shared.what == "unit") return shared.quote != kUsualUnit;
  if (shared.what != "era") return true;
  return std::none_of(fleet.shared.begin(), fleet.shared.end(), [&](const FleetShared& other) {
    return other.what == "ollama_version" && other.hosts >= shared.hosts;
  });
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

std::vector<FleetShared> SharedInShort(const Fleet& fleet) {
  std::vector<FleetShared> few;
  std::map<absl::string_view, size_t> of_cause;
  for (const FleetShared& shared : fleet.shared) {
    if (SaysSomething(shared, fleet) && ++of_cause[shared.code] <= kMostShared)
      few.push_back(shared);
  }
  return few;
}

std::string Certainty(const FleetCause& cause) {
  std::vector<std::string> parts;
  const std::pair<const char*, size_t> counts[] = {
      {ConfidenceName(rules::Confidence::kCertain), cause.certain},
      {ConfidenceName(rules::Confidence::kLikely), cause.likely},
      {ConfidenceName(rules::Confidence::kPossible), cause.hosts - cause.certain - cause.likely}};
  for (const auto& [word, count] : counts) {
    if (count == cause.hosts) return word;
    if (count > 0) parts.push_back(absl::StrCat(word, " on ", count));
  }
  return absl::StrJoin(parts, ", ");
}

std::string Repair(const FleetCause& cause, const Fleet& fleet) {
  for (const FleetHost& host : fleet.hosts) {
    if (std::find(host.causes.begin(), host.causes.end(), cause.code) == host.causes.end())
      continue;
    return absl::StrCat("vgpu-doctor fix ", cause.code, " --root ", rules::ShellQuoted(host.root));
  }
  return "";
}

std::vector<FleetGroup> Groups(const Fleet& fleet) {
  std::vector<FleetGroup> groups;
  for (const FleetHost& host : fleet.hosts) {
    const FleetHost* last = groups.empty() ? nullptr : groups.back().hosts.back();
    if (last == nullptr || last->causes != host.causes ||
        absl::string_view(VerdictOf(*last)) != VerdictOf(host)) {
      groups.emplace_back();
    }
    groups.back().hosts.push_back(&host);
  }
  for (FleetGroup& group : groups) {
    group.causes = CausesOf(group.hosts);
    group.blocks = BlocksOf(group.hosts);
    const FleetHost& first = *group.hosts.front();
    if (!first.causes.empty())
      group.repair = absl::StrCat("vgpu-doctor fix --root ", rules::ShellQuoted(first.root));
  }
  return groups;
}

std::string SayVerdict(const FleetHost& host) {
  if (host.verdict) return VerdictName(*host.verdict);
  return host.fault ? "vgpu-doctor failed" : "not readable";
}

}  // namespace vgpu::report
