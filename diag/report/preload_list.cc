#include "diag/report/preload_list.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "diag/report/phrases.h"

namespace vgpu::report {
namespace {

constexpr absl::string_view kVariable = "LD_PRELOAD=";
// Those of the loader and of Ollama's libraries: their evidence names what was found where.
constexpr int kLoader = 4;
constexpr int kLibraries = 5;
// More than anybody preloads.
constexpr size_t kMostEntries = 32;

// Paths that a quote names alone. A list is one word, and names none.
std::vector<absl::string_view> Paths(absl::string_view quote) {
  std::vector<absl::string_view> paths;
  for (const absl::string_view word :
       absl::StrSplit(quote, absl::ByAnyChar(" '\""), absl::SkipEmpty())) {
    if (absl::StartsWith(word, "/") && !absl::StrContains(word, ":")) paths.push_back(word);
  }
  return paths;
}

bool Names(const rules::Evidence& evidence, absl::string_view path) {
  const std::vector<absl::string_view> paths = Paths(evidence.quote);
  return evidence.source == path || std::find(paths.begin(), paths.end(), path) != paths.end();
}

// The value of LD_PRELOAD in a quote of an environment or of a unit; empty where there is none.
absl::string_view ListIn(absl::string_view quote) {
  const size_t begin = quote.find(kVariable);
  if (begin == absl::string_view::npos) return "";
  if (begin > 0 && !absl::StrContains(" =\"'", quote[begin - 1])) return "";
  absl::string_view value = quote.substr(begin + kVariable.size());
  return value.substr(0, value.find_first_of(" \"'"));
}

// Calls `visit(item, evidence)`; of what works there is no item.
template <typename Visit>
void ForEachEvidence(const Report& shown, const Visit& visit) {
  for (const auto* items : {&shown.root_causes, &shown.consequences, &shown.latent, &shown.notes}) {
    for (const Item& item : *items) {
      for (const rules::Evidence& evidence : item.evidence) visit(&item, evidence);
    }
  }
  for (const Working& working : shown.working) {
    for (const rules::Evidence& evidence : working.evidence) visit(nullptr, evidence);
  }
}

PreloadEntry Entry(const Report& shown, absl::string_view path) {
  PreloadEntry entry = {.path = std::string(path)};
  ForEachEvidence(shown, [&](const Item* item, const rules::Evidence& evidence) {
    if (!Names(evidence, path)) return;
    if (item == nullptr) {
      entry.loaded = entry.loaded || absl::EndsWith(evidence.source, "/maps");
    } else if (std::find(entry.findings.begin(), entry.findings.end(), item) ==
               entry.findings.end()) {
      entry.findings.push_back(item);
    }
  });
  return entry;
}

}  // namespace

PreloadList FindPreloadList(const Report& shown) {
  PreloadList list;
  ForEachEvidence(shown, [&](const Item*, const rules::Evidence& evidence) {
    const absl::string_view value = ListIn(evidence.quote);
    if (!list.source.empty() || !absl::StrContains(value, "/")) return;
    list.source = Place(evidence);
    for (const absl::string_view path : absl::StrSplit(value, ':', absl::SkipEmpty())) {
      if (list.entries.size() < kMostEntries) list.entries.push_back(Entry(shown, path));
    }
  });
  std::set<absl::string_view> known;
  for (const PreloadEntry& entry : list.entries) known.insert(entry.path);
  ForEachEvidence(shown, [&](const Item* item, const rules::Evidence& evidence) {
    if (item == nullptr) return;
    const int layer = LayerOf(item->code);
    if (layer != kLoader && layer != kLibraries) return;
    for (const absl::string_view path : Paths(evidence.quote)) {
      if (!absl::StrContains(path, ".so") || list.beside.size() == kMostEntries) continue;
      if (known.insert(path).second) list.beside.push_back(Entry(shown, path));
    }
  });
  return list;
}

}  // namespace vgpu::report
