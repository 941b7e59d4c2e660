// VG706 discovered-before-change: discovery ran before a file or a device that it needs was
// there. It runs once, at the start; with no device found there is nothing to refresh
// (ollama/ollama, discover/runner.go), so a restart is needed.
//
// An environment, a library or a program that is older than the disk's is another cause
// (VG302, VG306, VG308); this one is about what the process never had.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/access.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Facts;
using facts::KernelEvent;

// A file came to its place when its inode last changed; an archive keeps an old mtime.
host::Observed<absl::Time> CameAt(const host::Resolved& file) {
  if (file.meta.ctime.present()) return file.meta.ctime;
  return file.meta.mtime;
}

// The process has it in memory; where that was not seen, it may.
bool MayBeMapped(const Facts& facts, const std::string& path) {
  if (!facts.process.present() || !facts.process->maps.present()) return true;
  const auto& files = facts.process->maps->files;
  return std::any_of(files.begin(), files.end(),
                     [&](const procfs::MappedFile& file) { return file.path == path; });
}

// The loader said at this start that it found no such file.
const ollama::LogLine* MissedAtStart(const ollama::ServerStart& start, const std::string& entry) {
  for (const ollama::LogLine& line : start.loader_errors) {
    if (absl::StrContains(line.text, absl::StrCat("'", entry, "'")) &&
        absl::StrContains(line.text, "cannot open shared object file")) {
      return &line;
    }
  }
  return nullptr;
}

// The loader refused the file at this start: it was there.
bool RefusedAtStart(const ollama::ServerStart& start, const std::string& entry) {
  return std::any_of(start.loader_errors.begin(), start.loader_errors.end(),
                     [&](const ollama::LogLine& line) {
                       return absl::StrContains(line.text, absl::StrCat("'", entry, "'")) &&
                              absl::StrContains(line.text, "cannot be preloaded") &&
                              !absl::StrContains(line.text, "cannot open shared object file");
                     });
}

// The process's user may not read it as it is now either: it did not come, it is closed.
bool IsClosed(const Facts& facts, const facts::PreloadEntry& entry) {
  const bool seen = facts.process.present() && facts.process->identity.present();
  if (!seen && !facts.unit.identity.present()) return false;
  const facts::Identity& who = seen ? *facts.process->identity : *facts.unit.identity;
  return facts::WhatStops(entry.file.way, who, facts::Want::kRead).present();
}

// What is started this soon after the kernel is started by the boot.
constexpr absl::Duration kAtBoot = absl::Minutes(5);

bool StartedAtBoot(const Facts& facts) {
  return facts.process.present() && facts.process->started_usec.present() &&
         absl::Microseconds(*facts.process->started_usec) <= kAtBoot;
}

// Units of one boot are started side by side unless one of them says otherwise (systemd.unit(5),
// After=). Which unit loads the driver differs; one that does not exist does no harm.
FixStep AfterTheDriverStep(const Facts& facts) {
  constexpr char kWhy[] = "at the next boot it then starts after what loads the driver";
  const std::string unit(absl::StripSuffix(facts.unit.name, ".service"));
  if (facts.installation.distribution.value_or("") == "nixos") {
    return {"sudoedit /etc/nixos/configuration.nix",
            absl::StrCat(kWhy, ": systemd.services.", unit,
                         ".after = [ \"nvidia-persistenced.service\" "
                         "\"systemd-modules-load.service\" ];"),
            "", "take it out again"};
  }
  // Not what `fix --apply` does: it mends the next boot, and nobody can see here that it does.
  return ForAPerson({WriteNewFileStep(
      absl::StrCat("/etc/systemd/system/", facts.unit.name, ".d/after-the-driver.conf"),
      "[Unit]\nAfter=nvidia-persistenced.service systemd-modules-load.service\n"
      "Wants=nvidia-persistenced.service\n",
      kWhy, "", " && sudo systemctl daemon-reload")})[0];
}

}  // namespace

Judgement DiscoveredBeforeChange(const Facts& facts) {
  if (auto none = WithoutLostGpu(facts)) return *none;
  const ollama::ServerStart& start = *facts.ThisStart();
  if (start.LostLater() != nullptr) return Contradicted{"discovery found the GPU, and it was lost"};
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  const host::Observed<absl::Time>& result = start.Result()->line.time;
  const bool by_process = !result.present() && facts.process.present();
  const host::Observed<absl::Time>& when = by_process ? facts.process->started : result;
  Holds holds;
  bool missed = false;
  bool raced = false;  // at boot, with what brings the device
  size_t timed = 0;    // things whose time is known
  auto add = [&](const std::string& path, const host::Resolved& file, bool in_server,
                 absl::string_view what) {
    const host::Observed<absl::Time> came = CameAt(file);
    if (!came.present() || !when.present()) return;
    ++timed;
    // What the process has mapped was there when it started, whatever its times say now.
    if (*came <= *when + absl::Seconds(1)) return;
    if (in_server && MayBeMapped(facts, file.path)) return;
    if (holds.evidence.size() >= 8) return;
    holds.evidence.push_back({path, 0, absl::StrCat("there since ", TimeText(facts, *came)),
                              absl::StrCat(what, ": it came after discovery")});
  };
  if (facts.process_preload) {
    for (const facts::PreloadEntry& entry : facts.process_preload->entries) {
      if (!entry.shim || !entry.file.found.present()) continue;
      if (!facts::NeededIn(*entry.shim, facts.ollama.era)) continue;
      if (RefusedAtStart(start, entry.text) || IsClosed(facts, entry)) continue;
      const ollama::LogLine* line = MissedAtStart(start, entry.text);
      // The loader has the same words for a file that it may not read: only one that came
      // later was not there.
      const host::Observed<absl::Time> came = CameAt(*entry.file.found);
      const bool later =
          came.present() && facts.process->started.present() && *came > *facts.process->started;
      if (line != nullptr && later && holds.evidence.size() < 8) {
        missed = true;
        holds.evidence.push_back(
            FromLog(log, *line, "at this start the file was not there; it is now"));
      }
      add(entry.text, *entry.file.found, /*in_server=*/true, "a shim on the list of the process");
    }
  }
  if (facts.ollama.era != ollama::Era::kA && facts.ollama.library_dir.present()) {
    // One backend that was there in time is enough for discovery to find a device.
    bool one_in_time = false;
    for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
      if (!variant.cuda_backend.present()) continue;
      const host::Observed<absl::Time> came = CameAt(*variant.cuda_backend);
      one_in_time = one_in_time || !came.present() || !when.present() || *came <= *when;
      if (came.present() && when.present()) ++timed;
    }
    for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
      if (one_in_time || !variant.cuda_backend.present()) continue;
      add(absl::StrCat(variant.path, "/libggml-cuda.so"), *variant.cuda_backend,
          /*in_server=*/false, "the CUDA backend");
    }
  }
  // What is found by path, the shims and NVIDIA's driver: the files that the children of discovery
  // get now.
  for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      const loader::Object& object = answer.Get();
      if (!answer.step.running || !object.file.present() || !object.doubts.empty()) continue;
      if (CameByPreload(*answer.step.load, answer.object)) continue;
      const facts::Maker maker = MakerOf(facts, object);
      const bool driver = layer == facts::Shim::kCuda && maker == facts::Maker::kNvidia &&
                          facts.devices.IsPhysical();
      if (maker != facts::Maker::kShim && !driver) continue;
      // A link that came later makes the name; so does the file behind it.
      add(object.place.path, *object.file, /*in_server=*/facts.ollama.era == ollama::Era::kA,
          absl::StrCat("what ", ProcessText(*answer.step.process), " gets for ", answer.name));
    }
  }
  // The shims did not take their configuration at this start (802, of them alone), and it is one
  // that they take now.
  const ollama::CudaError* error = DecidingError(facts);
  if (error != nullptr && error->words.code == 802 && facts.devices.IsVirtual() &&
      facts.devices.configured.present()) {
    ++timed;
    holds.evidence.push_back(
        FromLog(log, error->line,
                absl::StrCat("the shims did not take their configuration then; ",
                             facts.devices.config_source, " is one that they take now")));
  }
  if (facts.kernel_log.present() && when.present()) {
    for (KernelEvent::Kind kind :
         {KernelEvent::Kind::kDeviceAdded, KernelEvent::Kind::kDriverLoaded}) {
      // The first of its kind: a driver that is loaded again was there before.
      const auto& events = facts.kernel_log->events;
      const auto first = std::find_if(events.begin(), events.end(),
                                      [&](const KernelEvent& event) { return event.kind == kind; });
      if (first == events.end() || !first->time.present()) continue;
      ++timed;
      // A log that begins later does not show that it is the first.
      const bool whole = facts.kernel_log->first.present() && *facts.kernel_log->first <= *when;
      if (!whole || *first->time <= *when + absl::Seconds(1)) continue;
      raced = raced || (StartedAtBoot(facts) && *first->time <= *when + kAtBoot);
      holds.evidence.push_back(
          {facts.kernel_log.source, static_cast<int>(first->number), first->text,
           kind == KernelEvent::Kind::kDeviceAdded ? "the device came after discovery"
                                                   : "its driver was loaded after discovery"});
    }
  }
  if (holds.evidence.empty()) {
    if (timed == 0) {
      return CannotTell{"when the files and the device came that discovery needs",
                        facts.only_a_log ? std::string(facts::kOnlyALog)
                                         : "no time of theirs was observed, or none of discovery",
                        "find /usr /opt -name 'libvgpu-*.so' -exec ls -lc --full-time {} +"};
    }
    return Contradicted{absl::StrCat("what has a time is older than discovery (",
                                     when.present() ? TimeText(facts, *when) : std::string("?"),
                                     ")")};
  }
  for (Evidence& evidence : ResultEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  holds.confidence = missed ? Confidence::kCertain : Confidence::kLikely;
  holds.explains = {"VG704", "VG707"};
  holds.headline =
      absl::StrCat(DiscoveryOf(facts), " ran before what it needs was there: restart the service.");
  if (facts.unit_judged) {
    holds.fix.push_back(
        RestartStep(facts, "discovery runs once, at the start, and everything is there now"));
    if (raced) holds.fix.push_back(AfterTheDriverStep(facts));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
