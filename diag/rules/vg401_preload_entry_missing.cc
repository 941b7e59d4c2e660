// VG401 preload-entry-missing: an entry of the preload list does not exist.
//
// The loader says so in one line and goes on (measured, glibc 2.36): the shim is not
// active, and nothing crashes of it. So this never explains a crash.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/common.h"
#include "diag/rules/rules.h"

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

// It was loaded, and deleted after that: this process has it.
bool LoadedAndDeleted(const facts::Facts& facts, const facts::PreloadEntry& entry) {
  if (!facts.process.present() || !facts.process->maps.present()) return false;
  for (const procfs::MappedFile& file : facts.process->maps->files) {
    if (file.marked_deleted && file.path == entry.file.path) return true;
  }
  return false;
}

}  // namespace

Judgement PreloadEntryMissing(const facts::Facts& facts) {
  const facts::PreloadList* list = facts.Preload();
  // A list that systemd has not read yet acts at the start after the reload.
  const bool of_disk = list == nullptr && facts.disk_preload;
  if (of_disk) list = &*facts.disk_preload;
  if (list == nullptr) return WithoutPreload(facts);
  std::vector<const facts::PreloadEntry*> missing;
  std::vector<const facts::PreloadEntry*> unseen;
  for (const facts::PreloadEntry& entry : list->entries) {
    // What the unit's own settings hide is there (VG210).
    const bool hidden = entry.sight.what == facts::Sight::What::kHidden;
    if (entry.file.found.absent() && !hidden) missing.push_back(&entry);
    if (entry.file.found.not_observed()) unseen.push_back(&entry);
  }
  if (missing.empty()) {
    if (unseen.empty()) {
      return Contradicted{
          absl::StrCat(list->entries.size(), " of ",
                       Count(list->entries.size(), "entry exists", "entries exist"))};
    }
    return CannotTell{absl::StrCat("the preload entry ", unseen.front()->text),
                      std::string(unseen.front()->file.found.why_not()),
                      absl::StrCat("sudo ls -l ", unseen.front()->text)};
  }

  Holds holds;
  bool needed = false;
  bool lacks_now = false;  // the process itself, not only its next start
  std::vector<std::string> names;
  for (const facts::PreloadEntry* entry : missing) {
    if (entry->shim && facts::NeededIn(*entry->shim, facts.ollama.era)) {
      needed = true;
      lacks_now = lacks_now || !LoadedAndDeleted(facts, *entry);
    }
    if (names.size() >= kMaxNamed) continue;
    names.push_back(entry->text);
    holds.evidence.push_back(
        {list->source, entry->line > 0 ? entry->line : list->line, entry->text,
         absl::StrCat("listed for preloading, and ", WhereItEnds(entry->file))});
  }
  const ollama::ServerStart* start = facts.ThisStart();
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  // Of a service that does not run, the last start.
  if (start == nullptr && log.present() && !log->starts.empty() && !facts.process.present()) {
    start = &log->starts.back();
  }
  bool said = false;
  if (start != nullptr) {
    for (const ollama::LogLine& line : start->loader_errors) {
      for (const std::string& name : names) {
        if (said || !absl::StrContains(line.text, name)) continue;
        holds.evidence.push_back(
            FromLog(*log, line, "the loader said so, passed it over and went on"));
        said = true;
      }
    }
  }
  // A process that was seen to have no list does not lack an entry of it: its next start will.
  const bool has_list = !of_disk && facts.process.present() &&
                        (facts.process_preload.has_value() || !facts.process->environ.present());
  const bool runs_without = has_list && lacks_now;
  holds.acts = runs_without ? Acts::kNow : Acts::kNextStart;
  std::vector<Evidence> effect = runs_without ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.confidence = !effect.empty() && said ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (needed) {
    holds.explains = {"VG704"};
  } else {
    for (const facts::PreloadEntry* entry : missing) {
      if (!entry->shim) continue;
      holds.evidence.back().meaning +=
          absl::StrCat("; nothing fails of it: ", facts::InfoOf(*entry->shim).why);
      break;
    }
  }
  holds.headline = absl::StrCat(
      absl::StrJoin(names, ", "),
      names.size() == 1 ? " is listed for preloading and does not exist: install it, or take it "
                          "out of the list."
                        : " are listed for preloading and do not exist: install them, or take "
                          "them out of the list.");
  for (const std::string& name : names) {
    holds.fix.push_back({absl::StrCat("sudo install -m 0755 ", host::Basename(name), " ", name),
                         "puts the file back, from the package or the machine that it came from",
                         "", absl::StrCat("sudo rm ", name)});
  }
  if (needed && facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
  } else if (facts.unit_judged) {
    std::vector<std::string> left;
    for (const facts::PreloadEntry& entry : list->entries) {
      if (!entry.file.found.absent()) left.push_back(entry.text);
    }
    for (FixStep& step : SetPreloadSteps(facts, "VG401", absl::StrJoin(left, ":"),
                                         "or take it out of the list: nothing needs it", "")) {
      holds.fix.push_back(std::move(step));
    }
  }
  holds.expect = {"no `cannot be preloaded` line at the next start"};
  if (needed) holds.expect.push_back(ExpectGpuLine(facts));
  return holds;
}

}  // namespace vgpu::rules
