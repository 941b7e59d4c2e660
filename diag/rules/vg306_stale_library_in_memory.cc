// VG306 stale-library-in-memory: a mapped shim or backend was replaced on disk after the
// process started. What it has in memory is what it goes on with; what the disk has, it meets
// at the next start.
//
// Where discovery works, that is a risk: the new file was never tried. Where discovery found
// no GPU with the old file, the new one may be the repair that waits for a restart. A write
// into the same file (`cp new live.so`) changes the memory of what runs, and can end it with
// SIGBUS (measured, Linux 6.18); its times alone are no proof of that.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

using facts::Freshness;
using facts::MappedLibrary;

constexpr size_t kMaxEvidence = 6;

// Nobody knows of a file that was written to and one that was only touched: both times must
// say so, and discovery must have failed.
bool Overwritten(const MappedLibrary& library, const facts::Facts& facts) {
  if (!library.freshness.present() || *library.freshness != Freshness::kOverwritten) return false;
  if (!library.on_disk.present() || !facts.process->started.present()) return false;
  const host::Observed<absl::Time>& changed = library.on_disk->meta.ctime;
  return changed.present() && *changed > *facts.process->started + absl::Seconds(2);
}

Evidence InMemory(const MappedLibrary& library) {
  return {absl::StrCat("/proc/", library.pid, "/maps"), 0,
          absl::StrCat(library.mapped.shown_path(), " (inode ", library.mapped.inode, ")"),
          "what the process has in memory"};
}

Evidence OnDisk(const facts::Facts& facts, const MappedLibrary& library) {
  const host::FileMeta& meta = library.on_disk->meta;
  const host::Observed<absl::Time>& time = meta.ctime.present() ? meta.ctime : meta.mtime;
  return {library.mapped.path, 0,
          absl::StrCat(meta.id.present() ? absl::StrCat("inode ", meta.id->ino) : "another file",
                       time.present() ? absl::StrCat(", of ", TimeText(facts, *time)) : ""),
          *library.freshness == Freshness::kReplaced ? "what the disk has there now"
                                                     : "written to while the process has it"};
}

}  // namespace

Judgement StaleLibraryInMemory(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (!facts.process.present()) {
    return CannotTell{"what the process has in memory", std::string(facts.process.why_not()),
                      HowToSeeProcess(facts)};
  }
  const facts::ProcessFacts& process = *facts.process;
  if (!process.maps.present()) {
    return CannotTell{absl::StrCat("loaded libraries of process ", process.pid),
                      std::string(process.maps.why_not()), HowToSeeProcess(facts)};
  }
  const bool found_gpu = facts.FoundGpu().value_or(false);
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  std::vector<const MappedLibrary*> stale;
  size_t same = 0;
  size_t removed = 0;
  for (const MappedLibrary& library : facts.mapped) {
    if (!library.freshness.present()) continue;
    same += *library.freshness == Freshness::kSame;
    removed += *library.freshness == Freshness::kRemoved;
    if (*library.freshness == Freshness::kReplaced ||
        (!effect.empty() && Overwritten(library, facts))) {
      stale.push_back(&library);
    }
  }
  if (stale.empty()) {
    if (facts.mapped.empty()) {
      return Contradicted{"no shim and no backend is mapped in the process"};
    }
    if (removed > 0) {
      return Contradicted{
          absl::StrCat(Count(removed, "file that is mapped was removed, and nothing took its place",
                             "files that are mapped were removed, and nothing took their place"))};
    }
    if (same == 0) {
      return CannotTell{"whether what is mapped is what the disk has now",
                        std::string(facts.mapped.front().freshness.why_not()),
                        absl::StrCat("sudo grep deleted /proc/", process.pid, "/maps")};
    }
    return Contradicted{absl::StrCat(Count(same, "mapped library is", "mapped libraries are"),
                                     " the file that the disk has")};
  }
  Holds holds;
  const bool replaced = *stale.front()->freshness == Freshness::kReplaced;
  for (const MappedLibrary* library : stale) {
    if (holds.evidence.size() + 2 > kMaxEvidence) break;
    holds.evidence.push_back(InMemory(*library));
    holds.evidence.push_back(OnDisk(facts, *library));
  }
  if (process.started.present()) {
    holds.evidence.push_back({process.started.source, 0,
                              absl::StrCat("started ", TimeText(facts, *process.started)),
                              "when the process was started"});
  }
  // With the file on disk nothing was tried yet: it may repair what the old one could not do.
  holds.acts = effect.empty() ? Acts::kNextStart : Acts::kNow;
  holds.confidence = replaced ? Confidence::kLikely : Confidence::kPossible;
  for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  if (!effect.empty()) {
    holds.explains = {"VG701", "VG702", "VG703", "VG704", "VG707", "VG801", "VG803"};
  }
  holds.headline = absl::StrCat(
      "Process ", process.pid, " still has an older ", host::Basename(stale.front()->mapped.path),
      " in memory than the disk has",
      found_gpu ? ": it works, and the next start uses the new file." : ": restart the service.");
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "only a new process loads what the disk has now"));
  }
  holds.expect = {"no `(deleted)` beside a shim in /proc/PID/maps of the new process",
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
