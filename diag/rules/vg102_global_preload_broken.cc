// VG102 global-preload-broken: the host's /etc/ld.so.preload has an entry that cannot be
// loaded, or that is no path.
//
// The loader passes such an entry over with one line on the standard error of every
// program; a file that is cut behind its headers kills every program (SIGBUS). Words that
// are no path are never quoted: a secret has been seen in this file.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

constexpr size_t kMaxNamed = 8;

struct Broken {
  const facts::PreloadEntry* entry;
  std::string why;
  bool kills = false;
};

// Why the loader cannot load it; empty where it can, or where that was not seen.
Broken Look(const facts::PreloadEntry& entry) {
  Broken broken{&entry, "", false};
  if (!entry.is_path) {
    broken.why = entry.text == "#" ? "the file knows no comments: this is an entry"
                                   : "it is no path: the loader looks for a library of this name";
  } else if (entry.file.found.absent()) {
    broken.why = entry.file.trace.links.empty()
                     ? "no such file"
                     : absl::StrCat("a link that ends at ", entry.file.trace.stopped_at,
                                    ", which is not there");
  } else if (entry.file.found.present() && entry.file.found->meta.type == host::FileType::kDir) {
    broken.why = "it is a directory";
  } else if (entry.file.found.present() && entry.file.found->meta.type == host::FileType::kFifo) {
    broken.why = "it is a FIFO: every program hangs when it opens it";
    broken.kills = true;
  } else if (entry.file.elf.present()) {
    const elf::ElfInfo& elf = *entry.file.elf;
    if (elf.error.present()) {
      broken.why = *elf.error;
      broken.kills = *elf.error == "truncated";
      if (broken.kills) broken.why = "the file is cut: programs die of SIGBUS when they load it";
    } else if (elf.pie.value_or(false)) {
      broken.why = "cannot dynamically load position-independent executable";
    } else if (elf.type.value_or("DYN") == "EXEC") {
      broken.why = "cannot dynamically load executable";
    }
  }
  return broken;
}

// The loader ended the service for want of a library that the entry needs.
void LookAtNeeds(const facts::Facts& facts, Broken& broken) {
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (facts.process.present() || !log.present() || log->starts.empty()) return;
  if (!broken.entry->file.elf.present() || !broken.entry->file.elf->needed.present()) return;
  for (const ollama::LogLine& line : log->starts.back().loader_errors) {
    if (!absl::StrContains(line.text, "error while loading shared libraries: ")) continue;
    for (const std::string& name : *broken.entry->file.elf->needed) {
      if (!absl::StrContains(line.text, absl::StrCat("libraries: ", name, ":"))) continue;
      broken.why = absl::StrCat("it needs ", name,
                                ", which the loader does not find: every "
                                "program ends with 127");
      broken.kills = true;
    }
  }
}

// The loader's line about an entry of this file. What it names may be a secret: only a path
// is quoted.
void AddLoaderLine(const facts::Facts& facts, const facts::PreloadEntry& entry, Holds& holds,
                   bool& said) {
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (!log.present()) return;
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr && !facts.process.present() && !log->starts.empty()) {
    start = &log->starts.back();
  }
  if (start == nullptr || !entry.is_path) return;
  for (const ollama::LogLine& line : start->loader_errors) {
    if (!absl::StrContains(line.text, "/etc/ld.so.preload") ||
        !absl::StrContains(line.text, entry.text)) {
      continue;
    }
    holds.evidence.push_back(FromLog(*log, line, "the loader says so to the service too"));
    said = true;
    return;
  }
}

}  // namespace

Judgement GlobalPreloadBroken(const facts::Facts& facts) {
  const host::Observed<facts::PreloadList>& file = facts.global_preload.host_file;
  if (file.not_observed()) {
    return CannotTell{"the host's /etc/ld.so.preload", std::string(file.why_not()),
                      "sudo cat /etc/ld.so.preload"};
  }
  if (file.absent()) return Contradicted{"the host has no /etc/ld.so.preload"};
  if (file->entries.empty()) return Contradicted{"the host's /etc/ld.so.preload is empty"};
  std::vector<Broken> found;
  const facts::PreloadEntry* unseen = nullptr;
  for (const facts::PreloadEntry& entry : file->entries) {
    Broken broken = Look(entry);
    if (broken.why.empty()) LookAtNeeds(facts, broken);
    if (!broken.why.empty()) {
      found.push_back(std::move(broken));
    } else if (entry.is_path && entry.file.found.not_observed()) {
      unseen = &entry;
    }
  }
  if (found.empty() && unseen != nullptr) {
    return CannotTell{absl::StrCat("the entry ", unseen->text, " of /etc/ld.so.preload"),
                      std::string(unseen->file.found.why_not()),
                      absl::StrCat("sudo ls -lL ", unseen->text)};
  }
  if (found.empty()) {
    return Contradicted{absl::StrCat("nothing is wrong with the ",
                                     Count(file->entries.size(), "entry", "entries"),
                                     " of /etc/ld.so.preload")};
  }

  // Whether the service reads this very file.
  const host::Observed<facts::PreloadList>& seen =
      facts.process.present() ? facts.process_preload_file : facts.unit_preload_file;
  const bool of_service = seen.present() && seen->kind == facts::PreloadKind::kHostFile;
  Holds holds;
  bool said = false;
  bool kills = false;
  bool lacks_shim = false;
  for (const Broken& broken : found) {
    kills = kills || broken.kills;
    lacks_shim = lacks_shim || (broken.entry->is_path && broken.entry->shim &&
                                facts::NeededIn(*broken.entry->shim, facts.ollama.era));
    if (holds.evidence.size() >= kMaxNamed) continue;
    holds.evidence.push_back({file->source, broken.entry->line, broken.entry->text, broken.why});
    if (!said) AddLoaderLine(facts, *broken.entry, holds, said);
  }
  const bool dies = kills && of_service && facts.DiesAtStart();
  // The service's own list may bring the shim all the same.
  const bool own_list = facts.process_preload || facts.unit_preload;
  const std::vector<Evidence> effect =
      lacks_shim && of_service && !own_list ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.acts = dies || !effect.empty() ? Acts::kNow : Acts::kNextStart;
  holds.confidence = said && !effect.empty() ? Confidence::kCertain : Confidence::kLikely;
  for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  if (dies) {
    holds.explains = {"VG301", "VG307", "VG404", "VG405"};
    holds.evidence.push_back(FromLog(*facts.log.journal, facts.log.journal->exits.back().line,
                                     "and the service dies at its start"));
  }
  if (!effect.empty()) holds.explains = {"VG704", "VG401", "VG402", "VG403"};
  holds.headline =
      absl::StrCat("/etc/ld.so.preload, which every program of the machine reads, has ",
                   Count(found.size(), "entry", "entries"), " that cannot be loaded: take ",
                   found.size() == 1 ? "it" : "them", " out.");
  std::vector<std::string> broken;
  for (const auto& each : found) broken.push_back(each.entry->text);
  holds.fix = RemoveGlobalPreloadSteps(
      broken, absl::StrCat("take out what stands on line ", found.front().entry->line,
                           found.size() == 1 ? "" : " and the other entries that are named here",
                           "; a secret that stood there is known to whoever could read the file: "
                           "replace it"));
  if (holds.acts == Acts::kNow && facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "the file is read once, at the start"));
  }
  holds.expect = {"`/bin/true` prints no line of ld.so"};
  if (!effect.empty()) holds.expect.push_back(ExpectGpuLine(facts));
  return holds;
}

}  // namespace vgpu::rules
