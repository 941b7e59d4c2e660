// VG203 daemon-reload-needed: unit or drop-in on disk differs from what systemd loaded.
//
// NeedDaemonReload compares modification times, so that a file which `cp -p`, rsync or
// tar gave an old time is missed (measured, systemd 252): the contents are compared too.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

using host::Observed;

// The command of ExecStart on disk, where it is another than the loaded one.
const systemd::ExecCommand* OtherExecStart(const facts::Facts& facts) {
  if (!facts.unit.loaded.present() || facts.unit.on_disk.exec_start.empty()) return nullptr;
  Observed<std::vector<systemd::ShownExec>> shown = facts.unit.loaded->Exec("ExecStart");
  if (!shown.present() || shown->empty()) return nullptr;
  const systemd::ExecCommand& disk = facts.unit.on_disk.exec_start.front();
  if (!disk.unexpanded.empty()) return nullptr;
  return absl::StrJoin(disk.argv, " ") == shown->front().argv_text ? nullptr : &disk;
}

// A drop-in that is on disk and not among the loaded ones.
std::vector<std::string> UnknownDropIns(const facts::Facts& facts) {
  std::vector<std::string> unknown;
  if (!facts.unit.loaded.present()) return unknown;
  Observed<std::vector<std::string>> loaded = facts.unit.loaded->DropInPaths();
  // Without any drop-in the property is left out.
  if (!loaded.present() && !facts.unit.shown_whole) return unknown;
  for (const systemd::DropIn& drop_in : facts.unit.files.drop_ins) {
    const bool known = loaded.present() && std::find(loaded->begin(), loaded->end(),
                                                     drop_in.file.path) != loaded->end();
    if (!known) unknown.push_back(drop_in.file.path);
  }
  return unknown;
}

// The faults of what is loaded that the disk no longer has: a reload and a restart end
// them, so they are consequences of this one.
std::vector<std::string> Explained(const facts::Facts& facts, const std::vector<Difference>& lacks,
                                   bool other_exec) {
  std::vector<std::string> codes = {"VG704"};
  if (other_exec) {
    for (const char* code : {"VG207", "VG410", "VG307", "VG303"}) codes.push_back(code);
  }
  const bool other_list = std::any_of(lacks.begin(), lacks.end(),
                                      [](const Difference& d) { return d.name == "LD_PRELOAD"; });
  if (other_list) {
    const bool disk_is_sound =
        !facts.disk_preload ||
        std::all_of(facts.disk_preload->entries.begin(), facts.disk_preload->entries.end(),
                    [](const facts::PreloadEntry& entry) { return entry.file.found.present(); });
    if (disk_is_sound) codes.push_back("VG401");
  }
  return codes;
}

}  // namespace

Judgement DaemonReloadNeeded(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::UnitFacts& unit = facts.unit;
  if (!unit.loaded.present()) {
    return CannotTell{absl::StrCat("what systemd has loaded for ", unit.name),
                      std::string(unit.loaded.why_not()),
                      absl::StrCat("systemctl show ", unit.name)};
  }
  Observed<bool> flag = unit.loaded->NeedDaemonReload();
  // systemd reads nothing of a masked unit, and its flag watches the link that masks.
  if (unit.load_state.value_or("") == "masked" && !flag.value_or(true)) {
    return Contradicted{"the unit is masked: systemd reads none of its drop-ins"};
  }
  Observed<std::vector<Difference>> differences = NotLoaded(facts);
  const systemd::ExecCommand* exec = OtherExecStart(facts);
  const std::vector<std::string> unknown = UnknownDropIns(facts);
  // What the disk has lost of the loader's variables cannot be why no GPU was found.
  const bool only_removed = exec == nullptr && differences.present() && !differences->empty() &&
                            std::all_of(differences->begin(), differences->end(), TakesNothingAway);
  bool content = (differences.present() && !differences->empty()) || exec != nullptr;
  // Nor can what the process has all the same: it was started with it, and systemd lost it since.
  const Observed<std::vector<Difference>> lacks = DiskLostByProcess(facts);
  const bool has_all =
      exec == nullptr && differences.present() && lacks.present() && lacks->empty();
  // The two cannot be compared, but systemd says that they differ: then what the disk
  // gives and the process lacks is what systemd has not loaded.
  Observed<std::vector<Difference>> lost = host::Absent{};
  if (flag.value_or(false) && !differences.present()) {
    lost = DiskLostByProcess(facts);
    // Nor that: a file that could not be read, or an environment.
    const bool blind =
        !unit.files.unseen.empty() || (!lost.present() && UnitDecidesDiscovery(facts));
    content =
        content || (blind && !NoGpuEvidence(facts).empty()) || (lost.present() && !lost->empty());
  }
  if (!flag.value_or(false) && !content && unknown.empty()) {
    if (flag.present() && differences.present()) {
      return Contradicted{"NeedDaemonReload=no, and the unit on disk says what systemd has loaded"};
    }
    return CannotTell{absl::StrCat("whether the disk and systemd agree on ", unit.name),
                      std::string(flag.present() ? differences.why_not() : flag.why_not()),
                      absl::StrCat("systemctl show -p NeedDaemonReload ", unit.name)};
  }

  Holds holds;
  if (flag.value_or(false)) {
    holds.evidence.push_back({unit.loaded.source, 0, "NeedDaemonReload=yes",
                              "systemd says that the files changed since it read them"});
  } else if (flag.present()) {
    holds.evidence.push_back(
        {unit.loaded.source, 0, "NeedDaemonReload=no",
         "systemd goes by file times and sees no change; the content differs"});
  }
  for (const std::string& path : unknown) {
    holds.evidence.push_back({path, 0, "", "this drop-in is on disk and is not loaded"});
  }
  if (differences.present()) {
    for (const Difference& difference : *differences) {
      if (difference.wanted.value.present()) {
        holds.evidence.push_back(FromVariable(difference.name, difference.wanted,
                                              difference.actual.present()
                                                  ? "the disk says this"
                                                  : "the disk says this, and systemd does not"));
      }
      if (difference.actual.present()) {
        holds.evidence.push_back({unit.loaded.source, 0,
                                  Assignment(difference.name, *difference.actual),
                                  "systemd has this loaded"});
      }
    }
  }
  if (lost.present()) AddLost(facts, *lost, holds);
  if (exec != nullptr) {
    holds.evidence.push_back({exec->place.file, exec->place.line,
                              absl::StrCat("ExecStart=", exec->raw), "the disk says this"});
    holds.evidence.push_back(
        {unit.loaded.source, 0, facts.program.command, "systemd has this ExecStart loaded"});
  }
  holds.fix = {ReloadStep("systemd reads the unit and its drop-ins again"),
               RestartStep(facts, "a process keeps the environment that it was started with")};
  holds.expect = {
      absl::StrCat("`systemctl show -p NeedDaemonReload ", unit.name, "` says NeedDaemonReload=no"),
      ExpectGpuLine(facts)};
  // Of a service that does not run, it waits for the next start; not where that fails.
  if (facts.process.absent() && !facts.DiesAtStart()) holds.acts = Acts::kNextStart;
  if (!content) {
    // Changed, but in nothing that decides discovery.
    holds.acts = Acts::kNextStart;
    holds.confidence = Confidence::kCertain;
    holds.headline = absl::StrCat(unit.name, " changed on disk since systemd read it: reload.");
    holds.fix = {ReloadStep("systemd reads the unit and its drop-ins again")};
    holds.expect.pop_back();  // nothing of it concerns the GPU
    return holds;
  }
  if (only_removed || has_all || facts.FoundGpu().value_or(false)) {
    // What runs has what works, or all there is: a reload and a restart would end that.
    holds.acts = Acts::kNextStart;
    holds.confidence = Confidence::kCertain;
    holds.headline = absl::StrCat(unit.name,
                                  " on disk is not what systemd has loaded: see that the "
                                  "disk says what is wanted before the next start.");
    holds.fix = {{absl::StrCat("systemctl cat ", unit.name),
                  "shows the files that systemd has loaded, as the disk has them now (not yet one "
                  "that was added): put back what is missing, then reload",
                  "", ""}};
    holds.expect.pop_back();
    return holds;
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (effect.empty()) effect = NoShimEvidence(facts);
  const bool seen = !effect.empty() && differences.present();
  const bool compared = differences.present() || (lost.present() && !lost->empty());
  holds.confidence = seen       ? Confidence::kCertain
                     : compared ? Confidence::kLikely
                                : Confidence::kPossible;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  const std::vector<Difference> which = differences.present() ? *differences : lost.value_or({});
  holds.explains = Explained(facts, which, exec != nullptr);
  const std::string what = !which.empty()    ? absl::StrCat(" (", Describe(which), ")")
                           : exec != nullptr ? " (ExecStart differs)"
                                             : "";
  holds.headline = absl::StrCat("systemd has not read the present configuration of ", unit.name,
                                what, ": reload it, then restart the service.");
  return holds;
}

}  // namespace vgpu::rules
