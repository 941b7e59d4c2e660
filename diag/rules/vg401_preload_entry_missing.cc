// VG401 preload-entry-missing: an entry of the preload list does not exist.
//
// The loader says so in one line and goes on (measured, glibc 2.36): the shim is not
// active, and nothing crashes of it. So this never explains a crash.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/facts/shims.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

// A list may have thousands of entries; so many are named.
constexpr size_t kMaxNamed = 8;

std::string WhereItEnds(const facts::FileFacts& file) {
  if (file.trace.loop) return "its links lead in a circle";
  if (!file.trace.links.empty()) {
    return absl::StrCat("it is a link that ends at ", file.trace.stopped_at,
                        ", which is not there");
  }
  return "no such file";
}

std::string Headline(const std::vector<std::string>& names) {
  return absl::StrCat(absl::StrJoin(names, ", "),
                      names.size() == 1
                          ? " is listed for preloading and does not exist: install it, or take it "
                            "out of the list."
                          : " are listed for preloading and do not exist: install them, or take "
                            "them out of the list.");
}

// The list with its missing shims where they are installed, and without what nothing needs.
// Nothing where a shim that discovery needs is not installed at all.
std::optional<std::vector<std::string>> ListThatWorks(const facts::Facts& facts,
                                                      const facts::PreloadList& list,
                                                      const std::vector<Faulty>& missing) {
  std::vector<std::string> entries;
  for (const facts::PreloadEntry& entry : list.entries) {
    std::string text = entry.text;
    const bool gone = std::any_of(missing.begin(), missing.end(), [&](const Faulty& fault) {
      return fault.entry->text == entry.text;
    });
    if (gone) {
      const facts::FileFacts* installed = entry.shim ? InstalledShim(facts, *entry.shim) : nullptr;
      if (installed == nullptr) {
        if (entry.shim && facts::NeededIn(*entry.shim, facts.ollama.era)) return std::nullopt;
        continue;
      }
      text = installed->path;
    }
    if (std::find(entries.begin(), entries.end(), text) == entries.end()) entries.push_back(text);
  }
  return entries;
}

Holds Missing(const facts::Facts& facts, const ActingList& acting,
              const std::vector<Faulty>& missing) {
  Holds holds = PassedOver(facts, acting, missing, "install it, or take it out of the list");
  const bool needed = !holds.explains.empty();
  std::vector<std::string> names;
  for (size_t i = 0; i < missing.size() && i < kMaxNamed; ++i) {
    const std::string& name = missing[i].entry->text;
    names.push_back(name);
    if (!missing[i].entry->is_path) continue;
    const std::string quoted = ShellQuoted(name);
    holds.fix.push_back(
        {absl::StrCat("sudo install -D -m 0755 ", ShellQuoted(host::Basename(name)), " ", quoted),
         "puts the file back, from the package or the machine that it came from", "",
         absl::StrCat("sudo rm ", quoted)});
  }
  holds.headline = Headline(names);
  if (!facts.unit_judged) return holds;
  const std::optional<std::vector<std::string>> list = ListThatWorks(facts, *acting.list, missing);
  if (!list) {
    holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
    return holds;
  }
  // Where every one of them is installed elsewhere, the list is what is wrong.
  const bool elsewhere = std::all_of(missing.begin(), missing.end(), [&](const Faulty& fault) {
    return fault.entry->shim && InstalledShim(facts, *fault.entry->shim) != nullptr;
  });
  if (elsewhere) holds.fix.clear();
  for (FixStep& step : holds.fix) step = OneWay(std::move(step));
  for (FixStep& step : SetListSteps(facts, *acting.list, "VG401", *list,
                                    elsewhere ? "names the shims where they are"
                                    : needed  ? "or let the list name the shims where they are"
                                              : "or take it out of the list: nothing needs it")) {
    holds.fix.push_back(std::move(step));
  }
  return holds;
}

// What the loader says of an entry that it could not open, of the log's last start (glibc 2.36,
// elf/rtld.c). The words are the same without the file and without the right to read it.
std::vector<std::pair<std::string, Evidence>> PassedOverByTheLog(const facts::Facts& facts) {
  std::vector<std::pair<std::string, Evidence>> entries;
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (!log.present() || log->starts.empty()) return entries;
  static const RE2& words = *new RE2(
      R"(object '([^']+)' from \S+ cannot be preloaded \(cannot open shared object file\))");
  for (const ollama::LogLine& line : log->starts.back().loader_errors) {
    std::string name;
    if (!RE2::PartialMatch(line.text, words, &name) || entries.size() >= kMaxNamed) continue;
    const bool known = std::any_of(entries.begin(), entries.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    if (known) continue;
    entries.emplace_back(name,
                         FromLog(*log, line, "the loader could not open it, and passed it over"));
  }
  return entries;
}

// With nothing but a log: no list and no file was seen.
Judgement OfTheLog(const facts::Facts& facts) {
  Holds holds;
  holds.confidence = Confidence::kLikely;
  std::vector<std::string> names, shims;
  for (auto& [name, evidence] : PassedOverByTheLog(facts)) {
    names.push_back(name);
    holds.evidence.push_back(std::move(evidence));
    const std::optional<facts::ShimName> shim = facts::ShimOf(name);
    if (shim && facts::NeededIn(shim->shim, facts.ollama.era)) shims.push_back(name);
  }
  if (names.empty()) return WithoutPreload(facts);
  if (!shims.empty()) {
    for (Evidence& effect : NoGpuEvidence(facts)) holds.evidence.push_back(std::move(effect));
    holds.explains = {"VG704"};
  }
  holds.headline =
      absl::StrCat(absl::StrJoin(names, ", "), names.size() == 1 ? " is" : " are",
                   " listed for preloading, and the loader could not open ",
                   names.size() == 1 ? "it" : "them", ": look on the host whether ",
                   names.size() == 1 ? "it is" : "they are", " there and may be read.");
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(ShellQuoted(name));
  holds.fix.push_back({absl::StrCat("namei -l ", absl::StrJoin(quoted, " ")),
                       "shows what is not there, or which directory the service may not enter "
                       "(VG402); put the files there, or correct the list"});
  holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
  holds.expect = {"no `cannot be preloaded` line at the next start"};
  if (!shims.empty()) holds.expect.push_back(ExpectGpuLine(facts));
  return holds;
}

}  // namespace

Judgement PreloadEntryMissing(const facts::Facts& facts) {
  if (facts.only_a_log) return OfTheLog(facts);
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t entries = 0;
  const facts::PreloadEntry* unseen = nullptr;
  for (const ActingList& acting : lists) {
    std::vector<Faulty> missing;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      ++entries;
      // What the unit's own settings hide is there (VG210).
      const bool hidden = entry.sight.what == facts::Sight::What::kHidden;
      if (entry.file.found.absent() && !hidden)
        missing.push_back({&entry, WhereItEnds(entry.file)});
      if (entry.file.found.not_observed() && unseen == nullptr) unseen = &entry;
    }
    if (!missing.empty()) return Missing(facts, acting, missing);
  }
  if (unseen != nullptr) {
    return CannotTell{absl::StrCat("the preload entry ", unseen->text),
                      std::string(unseen->file.found.why_not()),
                      absl::StrCat("sudo ls -l ", ShellQuoted(unseen->text))};
  }
  return Contradicted{
      absl::StrCat(entries, " of ", Count(entries, "entry exists", "entries exist"))};
}

}  // namespace vgpu::rules
