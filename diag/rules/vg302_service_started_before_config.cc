// VG302 service-started-before-config: systemd has the right configuration, and the
// running process was started before it had it.
//
// Content decides first: a variable that the loaded unit gives and the process lacks.
// Time tells the reason: the process is older than the last load of the units, or than
// the drop-in.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/ollama/variables.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/wrapper.h"

namespace vgpu::rules {
namespace {

// What only the process has, in a process that systemd started itself: its unit gave
// that once. (What the manager gives every service says nothing about the unit.)
std::vector<Difference> LeftOver(const facts::Facts& facts) {
  std::vector<Difference> extra;
  const facts::UnitFacts& unit = facts.unit;
  if (!unit.loaded_environment.present() || !facts.process->environ.present()) return extra;
  if (!unit.manager.present() || !FindWrapper(facts).absent()) return extra;
  if (!unit.unread_environment_files.empty()) return extra;  // they may give it
  if (!facts.StartedBeforeReload().value_or(false)) return extra;
  const auto of_manager = unit.manager->Environment();
  for (const procfs::Environ::Entry& entry : facts.process->environ->entries()) {
    if (!ollama::DecidesDiscovery(entry.name)) continue;
    if (unit.loaded_environment->count(entry.name) > 0) continue;
    if (of_manager.present() && of_manager->count(entry.name) > 0) continue;
    Difference difference{
        entry.name, {host::Absent{}, unit.loaded_environment.source, 0}, std::string(entry.value)};
    if (!TakesNothingAway(difference)) extra.push_back(std::move(difference));
  }
  return extra;
}

// The preload list, where the environment of the process could not be read and its maps
// show that it has no shim of those that the list names and that are there.
std::optional<Difference> NotMapped(const facts::Facts& facts) {
  if (!facts.process.present() || facts.process->environ.present()) return std::nullopt;
  const facts::UnitFacts& unit = facts.unit;
  const bool differs = unit.loaded.present() && unit.loaded->NeedDaemonReload().value_or(false);
  if (!unit.loaded_environment.present() && differs) return std::nullopt;  // VG203
  const facts::Environment& given =
      unit.loaded_environment.present() ? *unit.loaded_environment : unit.disk_environment;
  auto list = given.find("LD_PRELOAD");
  if (list == given.end() || !facts.unit_preload || !NoShimMapped(facts).value_or(false)) {
    return std::nullopt;
  }
  const auto& entries = facts.unit_preload->entries;
  const bool shims_exist = std::any_of(
      entries.begin(), entries.end(),
      [](const facts::PreloadEntry& entry) { return entry.shim && entry.file.found.present(); });
  const bool secure =
      facts.process->auxv.present() && facts.process->auxv->Secure().value_or(false);
  Difference difference{"LD_PRELOAD", list->second, host::NotObserved{"not read"}};
  // A program that the kernel started in secure mode has no shim either: only time tells.
  if (!shims_exist || secure || !OlderThanUnit(facts, difference).value_or(false)) {
    return std::nullopt;
  }
  return difference;
}

// Neither environment nor maps could be read: times alone. A variable whose file was
// written after the start of the process, and loaded after that, cannot be in it, unless
// the file said the same before. So it counts only where discovery found no GPU.
std::optional<Difference> ByTimeAlone(const facts::Facts& facts) {
  if (!facts.process.present() || facts.process->environ.present()) return std::nullopt;
  if (!NoShimMapped(facts).not_observed() || NoGpuEvidence(facts).empty()) return std::nullopt;
  if (!facts.unit.loaded_environment.present()) return std::nullopt;
  for (const auto& [name, variable] : *facts.unit.loaded_environment) {
    if (!ollama::DecidesDiscovery(name) || !variable.value.present()) continue;
    const host::Observed<absl::Time> written = WrittenAt(facts, name);
    const host::Observed<absl::Time>& started = facts.process->started;
    if (written.present() && started.present() && *written > *started + absl::Seconds(1) &&
        facts.StartedBeforeReload().value_or(false)) {
      return Difference{name, variable, host::NotObserved{"not read"}};
    }
  }
  return std::nullopt;
}

// The binds of the unit, none of which the process has: it was started before they were in
// its unit. (A target may be a link, and one that is missing may have failed: so all of
// them, or it says nothing.)
std::vector<const systemd::MountSetting*> LostBinds(const facts::Facts& facts) {
  std::vector<const systemd::MountSetting*> lost;
  const facts::ProcessFacts& process = *facts.process;
  if (!process.mounts.present() || !process.mounts->whole() || facts.UnitRunsContainer()) {
    return lost;
  }
  const bool differs =
      facts.unit.loaded.present() && facts.unit.loaded->NeedDaemonReload().value_or(true);
  if (differs || !facts.StartedBeforeReload().value_or(false)) return lost;
  for (const systemd::MountSetting& setting : facts.unit.mounts.settings) {
    if (setting.kind != systemd::MountSetting::Kind::kBind || setting.implied) continue;
    for (const procfs::Mount& mount : process.mounts->mounts()) {
      if (mount.mount_point == setting.target) return {};
    }
    lost.push_back(&setting);
  }
  return lost;
}

Holds BindsCameLater(const facts::Facts& facts,
                     const std::vector<const systemd::MountSetting*>& lost) {
  constexpr size_t kMaxNamed = 6;
  Holds holds;
  for (const systemd::MountSetting* bind : lost) {
    if (holds.evidence.size() == kMaxNamed) break;
    holds.evidence.push_back({bind->place.file, bind->place.line, bind->written,
                              absl::StrCat("the process has no mount at ", bind->target, " (",
                                           facts.process->mounts.source, ")")});
  }
  if (facts.unit.reloaded_at.present()) {
    holds.evidence.push_back(
        {facts.unit.manager.source, 0,
         absl::StrCat("UnitsLoadTimestamp=", TimeText(facts, *facts.unit.reloaded_at)),
         "systemd loaded its units after the process was started"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat("Process ", facts.process->pid, " of ", facts.unit.name,
                                " is older than the binds of its unit: restart the service.");
  holds.fix = {RestartStep(facts, "a service's mounts are made when it starts")};
  holds.expect = {absl::StrCat(lost.front()->target, " stands in /proc/PID/mountinfo"),
                  ExpectGpuLine(facts)};
  return holds;
}

// The list of the running process has a faulty entry, and the one that its next start gets
// has none: the restart repairs that too.
bool RestartRepairsPreload(const facts::Facts& facts, const std::vector<Difference>& lost) {
  const bool differs = std::any_of(lost.begin(), lost.end(), [](const Difference& difference) {
    return difference.name == "LD_PRELOAD";
  });
  if (!differs || !facts.unit_preload) return false;
  const auto& entries = facts.unit_preload->entries;
  return std::all_of(entries.begin(), entries.end(),
                     [](const facts::PreloadEntry& entry) { return entry.file.found.present(); });
}

}  // namespace

Judgement ServiceStartedBeforeConfig(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  host::Observed<std::vector<Difference>> compared = LostByProcess(facts);
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (!compared.present()) {
    if (std::optional<Difference> preload = NotMapped(facts)) {
      compared = std::vector<Difference>{*std::move(preload)};
    } else if (std::optional<Difference> younger = ByTimeAlone(facts)) {
      compared = std::vector<Difference>{*std::move(younger)};
    } else {
      return CannotTell{WhatToCompare(facts), std::string(compared.why_not()),
                        HowToSeeProcess(facts)};
    }
  }
  std::vector<Difference> lost = *compared;
  for (Difference& extra : LeftOver(facts)) lost.push_back(std::move(extra));
  if (lost.empty()) {
    if (const auto binds = LostBinds(facts); !binds.empty()) return BindsCameLater(facts, binds);
    return Contradicted{
        absl::StrCat("process ", facts.process->pid, " has every variable that its unit gives")};
  }
  const Difference& first = lost.front();
  host::Observed<bool> older = OlderThanUnit(facts, first);
  const host::Observed<absl::Time>& started = facts.process->started;
  if (older.present() && !*older) {
    return Contradicted{
        facts.StartedBeforeReload().value_or(true)
            ? "the configuration is older than the process, and a wrapper changes it"
            : absl::StrCat("process ", facts.process->pid,
                           " was started after systemd loaded the unit as it is")};
  }
  // Times do not tell. A program that systemd executes itself, and that is Ollama, gets
  // what the unit gives; so it was started when the unit gave something else.
  if (!older.present() && !FindWrapper(facts).absent()) {
    return CannotTell{"whether the process is older than its configuration",
                      std::string(older.why_not()),
                      absl::StrCat("systemctl show -p ExecMainStartTimestamp ", facts.unit.name,
                                   "; systemctl show -p UnitsLoadTimestamp")};
  }

  Holds holds;
  AddLost(facts, lost, holds);
  if (started.present()) {
    holds.evidence.push_back({facts.process->started.source, 0,
                              absl::StrCat("started ", TimeText(facts, *started)),
                              "when the process was started"});
  }
  const bool reloaded_since = facts.StartedBeforeReload().value_or(false);
  if (reloaded_since && facts.unit.reloaded_at.present()) {
    holds.evidence.push_back(
        {facts.unit.manager.source, 0,
         absl::StrCat("UnitsLoadTimestamp=", TimeText(facts, *facts.unit.reloaded_at)),
         "systemd loaded its units after that"});
  }
  host::Observed<absl::Time> written = WrittenAt(facts, first.name);
  if (written.present() && started.present() && *written > *started + absl::Seconds(1)) {
    holds.evidence.push_back({facts.unit.disk_environment.at(first.name).source, 0,
                              absl::StrCat("written ", TimeText(facts, *written)),
                              "the file is younger than the process"});
  } else if (const facts::UnitFile* file = EnvironmentFileSinceTheStart(facts)) {
    holds.evidence.push_back({file->path, 0,
                              absl::StrCat("written ", TimeText(facts, *file->mtime)),
                              "systemd read another text of it when it started the process"});
  }
  if (!older.present()) {
    holds.evidence.push_back({facts.program.source, facts.program.line,
                              absl::StrCat("ExecStart=", facts.program.command),
                              "nothing stands between systemd and Ollama that could take a "
                              "variable away; no time was seen that says the same"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  for (Evidence& evidence : NoShimEvidence(facts)) effect.push_back(std::move(evidence));
  const bool loaded = facts.unit.loaded_environment.present();
  const bool seen = reloaded_since && loaded && !first.actual.not_observed() &&
                    !compared->empty() && !effect.empty();
  holds.confidence = !older.present() ? Confidence::kPossible
                     : seen           ? Confidence::kCertain
                                      : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  for (const Difference& difference : lost) {
    // The value that the process still has, and its next start has not.
    if (!difference.actual.present()) continue;
    if (difference.name == "CUDA_VISIBLE_DEVICES") holds.explains.push_back("VG507");
    if (difference.name == "OLLAMA_LLM_LIBRARY") holds.explains.push_back("VG506");
  }
  if (RestartRepairsPreload(facts, lost)) {
    for (const char* code : {"VG401", "VG402", "VG403", "VG413", "VG414"}) {
      holds.explains.push_back(code);
    }
  }
  holds.headline =
      absl::StrCat("Process ", facts.process->pid, " of ", facts.unit.name,
                   " is older than its configuration (", Describe(lost), "): restart the service.");
  if (!loaded) holds.fix.push_back(ReloadStep("whether systemd has read the unit was not seen"));
  holds.fix.push_back(RestartStep(facts, "only a new process gets the environment that is loaded"));
  holds.expect = {absl::StrCat("the new process has ", first.wanted.value.absent() ? "no " : "",
                               first.name, " in /proc/PID/environ"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
