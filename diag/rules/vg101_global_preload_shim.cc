// VG101 global-preload-shim: the host's /etc/ld.so.preload loads a shim into every program.
//
// A fault of that shim then stops every dynamic program of the machine, set-uid ones and
// the login too (measured: a missing dependency ends each with 127, a crashing constructor
// with 139). The same list belongs into the unit alone.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

constexpr size_t kMaxNamed = 8;

void AddMapped(const facts::Fact<std::vector<std::string>>& maps, const std::string& whose,
               Holds& holds) {
  if (!maps.present() || maps->empty()) return;
  holds.evidence.push_back(
      {maps.source, 0, maps->front(), absl::StrCat(whose, " has it in memory")});
}

// Programs die in it: the kernel names the library, and the service is one of them.
void AddCrash(const facts::Facts& facts, Holds& holds) {
  const host::Observed<facts::PreloadList>& seen = facts.unit_preload_file;
  const bool of_service = seen.present() && seen->kind == facts::PreloadKind::kHostFile;
  if (!of_service || facts.unit_preload || !facts.DiesAtStart() || !facts.kernel_log.present()) {
    return;
  }
  for (const facts::KernelEvent& event : facts.kernel_log->events) {
    std::optional<facts::ShimName> shim = facts::ShimOf(event.object);
    if (event.kind != facts::KernelEvent::Kind::kCrash || !shim) continue;
    if (!holds.is_cause) {
      holds.evidence.push_back({facts.kernel_log.source, static_cast<int>(event.number), event.text,
                                "a program died in it"});
    }
    holds.is_cause = true;
  }
  if (!holds.is_cause) return;
  if (facts.log.journal.present() && !facts.log.journal->exits.empty()) {
    holds.evidence.push_back(FromLog(*facts.log.journal, facts.log.journal->exits.back().line,
                                     "and so does the service"));
  }
  holds.acts = Acts::kNow;
  holds.explains = {"VG301", "VG307"};
}

}  // namespace

Judgement GlobalPreloadShim(const facts::Facts& facts) {
  const host::Observed<facts::PreloadList>& file = facts.global_preload.host_file;
  if (file.not_observed()) {
    return CannotTell{"the host's /etc/ld.so.preload", std::string(file.why_not()),
                      "sudo cat /etc/ld.so.preload"};
  }
  if (file.absent()) return Contradicted{"the host has no /etc/ld.so.preload"};
  if (file->entries.empty()) return Contradicted{"the host's /etc/ld.so.preload is empty"};
  std::vector<const facts::PreloadEntry*> shims;
  for (const facts::PreloadEntry& entry : file->entries) {
    if (entry.shim && entry.is_path) shims.push_back(&entry);
  }
  if (shims.empty()) {
    return Contradicted{absl::StrCat("/etc/ld.so.preload lists no shim in its ",
                                     Count(file->entries.size(), "entry", "entries"))};
  }
  Holds holds;
  std::vector<std::string> paths;
  for (const facts::PreloadEntry* shim : shims) {
    if (paths.size() == kMaxNamed) break;
    paths.push_back(shim->text);
    holds.evidence.push_back(
        {file->source, shim->line, shim->text, "every program of the machine loads this"});
  }
  AddMapped(facts.global_preload.init_shims, "PID 1", holds);
  AddMapped(facts.global_preload.sshd_shims, "sshd", holds);
  holds.confidence =
      holds.evidence.size() > paths.size() ? Confidence::kCertain : Confidence::kLikely;
  holds.acts = Acts::kNextStart;
  AddCrash(facts, holds);
  holds.headline = absl::StrCat("/etc/ld.so.preload loads ", paths.front(),
                                " into every program of the machine: one fault of it locks "
                                "everybody out. Preload it in the unit alone.");
  if (facts.unit_judged && !facts.unit_preload) {
    for (FixStep& step : LastDropInSteps(
             facts, "VG101",
             {absl::StrCat("Environment=\"LD_PRELOAD=", absl::StrJoin(paths, ":"), "\"")},
             "the service gets the shims of its own, before the file loses them", "")) {
      holds.fix.push_back(std::move(step));
    }
  }
  for (FixStep& step :
       RemoveGlobalPreloadSteps(paths, "take the lines of the shims out, and leave the others")) {
    holds.fix.push_back(std::move(step));
  }
  holds.expect = {"`grep libvgpu /etc/ld.so.preload` prints nothing",
                  "after the next boot, `sudo grep libvgpu /proc/1/maps` prints nothing"};
  return holds;
}

}  // namespace vgpu::rules
