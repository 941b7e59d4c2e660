#include "diag/rules/shared/common.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "diag/loader/preload_list.h"
#include "diag/ollama/variables.h"
#include "diag/rules/nix_settings.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Environment;
using facts::Facts;
using facts::Variable;
using host::Absent;
using host::NotObserved;
using host::Observed;

// Every entry of the preload list `wanted` is in `list` too. The order is no difference:
// the loader does not care (VG411).
bool HoldsPreload(absl::string_view list, absl::string_view wanted) {
  const std::vector<absl::string_view> has = loader::SplitPreload(list);
  const std::set<absl::string_view> entries(has.begin(), has.end());
  for (absl::string_view entry : loader::SplitPreload(wanted)) {
    if (!entries.contains(entry)) return false;
  }
  return true;
}

// The two values say the same about discovery.
bool SameValue(absl::string_view name, absl::string_view a, absl::string_view b) {
  return a == b || (name == "LD_PRELOAD" && HoldsPreload(a, b) && HoldsPreload(b, a));
}

Observed<std::vector<Difference>> Lost(const Facts& facts, const Environment& given) {
  if (!facts.process.present()) return NotObserved{"no process was seen"};
  if (facts.UnitRunsContainer()) {
    return NotObserved{"the server is in a container, whose environment its engine gives it"};
  }
  if (!facts.process->environ.present()) {
    return NotObserved{Because(facts.process->environ.source, facts.process->environ.why_not())};
  }
  const procfs::Environ& environ = *facts.process->environ;
  std::vector<Difference> lost;
  for (const auto& [name, variable] : given) {
    if (!ollama::DecidesDiscovery(name) || !variable.value.present()) continue;
    auto value = environ.Find(name);
    if (value && *value == *variable.value) continue;
    // A list without an entry loads nothing: to lack it is no loss.
    if (!value && name == "LD_PRELOAD" && loader::SplitPreload(*variable.value).empty()) continue;
    // A list that a wrapper added to still holds what the unit gave.
    if (value && name == "LD_PRELOAD" && HoldsPreload(*value, *variable.value)) continue;
    // A block that was cut or written over does not show what it does not have.
    if (!value && (environ.truncated() || environ.irregular())) {
      return NotObserved{
          absl::StrCat(facts.process->environ.source, ": cut, or overwritten by the process")};
    }
    Difference difference{name, variable, Absent{}};
    if (value) difference.actual = std::string(*value);
    lost.push_back(std::move(difference));
  }
  return lost;
}

bool AnyDecides(const Environment& environment) {
  for (const auto& [name, variable] : environment) {
    if (ollama::DecidesDiscovery(name)) return true;
  }
  return false;
}

}  // namespace

Observed<std::vector<Difference>> LostByProcess(const Facts& facts) {
  const facts::UnitFacts& unit = facts.unit;
  if (unit.loaded_environment.present()) return Lost(facts, *unit.loaded_environment);
  const bool differs = unit.loaded.present() && unit.loaded->NeedDaemonReload().value_or(false);
  if (!differs && unit.files.fragment.present()) return Lost(facts, unit.disk_environment);
  return NotObserved{Because(unit.loaded_environment.source, unit.loaded_environment.why_not())};
}

Observed<std::vector<Difference>> DiskLostByProcess(const Facts& facts) {
  return Lost(facts, facts.unit.disk_environment);
}

void AddLost(const Facts& facts, const std::vector<Difference>& lost, Holds& holds) {
  const bool loaded = facts.unit.loaded_environment.present();
  for (const Difference& difference : lost) {
    if (difference.wanted.value.present()) {
      holds.evidence.push_back(FromVariable(
          difference.name, difference.wanted,
          loaded ? "systemd gives the service this"
                 : "the unit on disk gives this; what systemd has loaded was not seen"));
    }
    if (difference.actual.not_observed()) continue;
    const char* meaning = difference.actual.absent()         ? "the process does not have it"
                          : difference.wanted.value.absent() ? "only the process has this"
                                                             : "the process has another value";
    holds.evidence.push_back({facts.process->environ.source, 0,
                              difference.actual.present()
                                  ? Assignment(difference.name, *difference.actual)
                                  : absl::StrCat("(no ", difference.name, ")"),
                              meaning});
  }
}

bool UnitDecidesDiscovery(const Facts& facts) {
  const facts::UnitFacts& unit = facts.unit;
  return AnyDecides(unit.loaded_environment.present() ? *unit.loaded_environment
                                                      : unit.disk_environment);
}

Observed<absl::Time> WrittenAt(const Facts& facts, const std::string& name) {
  auto disk = facts.unit.disk_environment.find(name);
  if (disk == facts.unit.disk_environment.end()) return NotObserved{"no file on disk gives it"};
  for (const facts::UnitFile& file : facts.unit.times) {
    if (file.path == disk->second.source) return file.mtime;
  }
  return NotObserved{"the time of its file is not known"};
}

Observed<std::vector<Difference>> NotLoaded(const Facts& facts) {
  if (!facts.unit.files.fragment.present()) {
    return NotObserved{facts.unit.files.fragment.absent()
                           ? "no unit file on disk"
                           : std::string(facts.unit.files.fragment.why_not())};
  }
  if (!facts.unit.loaded_environment.present()) {
    return NotObserved{
        Because(facts.unit.loaded_environment.source, facts.unit.loaded_environment.why_not())};
  }
  if (!facts.unit.files.unseen.empty()) {
    const systemd::SkippedFile& file = facts.unit.files.unseen.front();
    return NotObserved{absl::StrCat(file.path, ": ", file.why)};
  }
  // systemd compares the list of drop-ins itself, whatever their times (systemd 252,
  // unit_need_daemon_reload): one that it has and the disk lacks was removed only where it
  // says so. Else the capture lacks it.
  if (!facts.unit.loaded->NeedDaemonReload().value_or(false)) {
    for (const std::string& path : facts.unit.loaded->DropInPaths().value_or({})) {
      const bool seen =
          std::any_of(facts.unit.files.drop_ins.begin(), facts.unit.files.drop_ins.end(),
                      [&](const systemd::DropIn& drop_in) { return drop_in.file.path == path; });
      if (!seen) return NotObserved{absl::StrCat(path, ": not captured")};
    }
  }
  const Environment& disk = facts.unit.disk_environment;
  const Environment& loaded = *facts.unit.loaded_environment;
  std::set<std::string> names;
  for (const auto& [name, variable] : disk) names.insert(name);
  for (const auto& [name, variable] : loaded) names.insert(name);
  std::vector<Difference> differences;
  for (const std::string& name : names) {
    if (!ollama::DecidesDiscovery(name)) continue;
    auto on_disk = disk.find(name);
    auto in_memory = loaded.find(name);
    Variable wanted{Absent{}, facts.unit.files.fragment->file.path, 0};
    if (on_disk != disk.end()) wanted = on_disk->second;
    if (wanted.value.not_observed()) continue;  // needs a specifier that is not known
    Observed<std::string> actual = Absent{};
    if (in_memory != loaded.end()) actual = in_memory->second.value;
    if (wanted.value == actual) continue;
    if (wanted.value.present() && actual.present() && SameValue(name, *wanted.value, *actual)) {
      continue;
    }
    differences.push_back({name, wanted, actual});
  }
  return differences;
}

bool TakesNothingAway(const Difference& difference) {
  return difference.wanted.value.absent() && absl::StartsWith(difference.name, "LD_");
}

std::string Because(absl::string_view source, absl::string_view why) {
  if (absl::StartsWith(why, source)) return std::string(why);
  return absl::StrCat(source, ": ", why);
}

std::string Assignment(absl::string_view name, absl::string_view value) {
  return absl::StrCat(name, "=", value);
}

std::string Describe(const std::vector<Difference>& differences) {
  return absl::StrJoin(differences, ", ", [](std::string* out, const Difference& difference) {
    absl::StrAppend(out, difference.name,
                    difference.actual.absent()         ? " is missing"
                    : difference.actual.not_observed() ? " came later"
                    : difference.wanted.value.absent() ? " is set"
                                                       : " differs");
  });
}

std::string Count(size_t n, absl::string_view one, absl::string_view many) {
  return absl::StrCat(n, " ", n == 1 ? one : many);
}

std::string TimeText(const Facts& facts, absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S %z", time, facts.time_zone);
}

Evidence FromVariable(const std::string& name, const Variable& variable, std::string meaning) {
  return {variable.source, variable.line, Assignment(name, variable.value.value_or("")),
          std::move(meaning)};
}

Evidence FromLog(const ollama::DiscoveryLog& log, const ollama::LogLine& line,
                 std::string meaning) {
  return {log.source, static_cast<int>(line.number), line.text, std::move(meaning)};
}

std::vector<Evidence> NoGpuEvidence(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr || start->Result()->on_gpu()) return {};
  return {FromLog(*facts.log.ServersLog(), start->Result()->line,
                  "the last discovery of this process found no GPU")};
}

Observed<bool> NoShimMapped(const Facts& facts) {
  if (!facts.process.present()) return NotObserved{"no process was seen"};
  const auto& maps = facts.process->maps;
  if (!maps.present()) return NotObserved{Because(maps.source, maps.why_not())};
  for (const procfs::MappedFile& file : maps->files) {
    std::optional<facts::ShimName> shim = facts::ShimOf(file.path);
    if (shim && shim->named_as_shim) return false;
  }
  if (!maps->whole()) return NotObserved{absl::StrCat(maps.source, ": was not read whole")};
  return true;
}

std::vector<Evidence> NoShimEvidence(const Facts& facts) {
  if (!NoShimMapped(facts).value_or(false)) return {};
  return {{facts.process->maps.source, 0,
           absl::StrCat(Count(facts.process->maps->files.size(), "mapped file", "mapped files"),
                        ", none of them a shim"),
           "no shim is loaded in the process"}};
}

FixStep RestartStep(const Facts& facts, std::string why) {
  return {absl::StrCat("sudo systemctl restart ", ShellQuoted(facts.unit.name)), std::move(why),
          "requests that are running are cut off, and loaded models are unloaded", "",
          Restart{facts.unit.name}};
}

FixStep ReloadStep(std::string why) {
  return {"sudo systemctl daemon-reload", std::move(why),
          "every other unit that was changed on disk is loaded too; nothing is restarted", "",
          Reload{}};
}

std::string ExpectGpuLine(const Facts& facts) {
  return absl::StrCat("a new line in the log of ", facts.unit.name,
                      facts.ollama.era == ollama::Era::kA
                          ? ": msg=\"inference compute\" … library=cuda"
                          : ": msg=\"inference compute\" … library=CUDA");
}

Judgement WithoutPreload(const Facts& facts) {
  if (facts.process.present() && !facts.process->environ.present()) {
    return CannotTell{
        "the preload list of the process",
        absl::StrCat(facts.process->environ.source, ": ", facts.process->environ.why_not()),
        HowToSeeProcess(facts)};
  }
  const bool unit_seen =
      facts.unit.loaded_environment.present() || facts.unit.files.fragment.present();
  if (!facts.process.present() && facts.unit_judged && !unit_seen) {
    return CannotTell{"the preload list of the unit",
                      std::string(facts.unit.loaded_environment.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  const Observed<facts::PreloadList>& file =
      facts.process.present() ? facts.process_preload_file : facts.unit_preload_file;
  if (file.not_observed()) {
    return CannotTell{"the list in /etc/ld.so.preload", std::string(file.why_not()),
                      facts.process.present() ? absl::StrCat("sudo cat /proc/", facts.process->pid,
                                                             "/root/etc/ld.so.preload")
                                              : "sudo cat /etc/ld.so.preload"};
  }
  return Contradicted{file.present() ? "no LD_PRELOAD is set, and the host's /etc/ld.so.preload is "
                                       "judged by itself (VG102)"
                                     : "no LD_PRELOAD is set"};
}

std::string WhatToCompare(const Facts& facts) {
  if (facts.process.present() && !facts.process->environ.present()) {
    return absl::StrCat("environment of process ", facts.process->pid);
  }
  return "what the unit gives beside what the process has";
}

std::string HowToSeeProcess(const Facts& facts) {
  if (!facts.unit_judged && facts.process.present()) {
    return absl::StrCat("sudo vgpu-doctor check --pid ", facts.process->pid);
  }
  return absl::StrCat("sudo vgpu-doctor check --unit ", facts.unit.name);
}

std::optional<Judgement> WithoutUnit(const Facts& facts) {
  if (!facts.unit_judged) {
    return CannotTell{"the unit of the process",
                      facts.process.present()
                          ? absl::StrCat("process ", facts.process->pid,
                                         " is in no service of the system manager")
                          : "no unit was named",
                      "vgpu-doctor check --unit NAME"};
  }
  if (facts.unit.files.fragment.absent() && !facts.UnitIsKnown()) {
    return Contradicted{absl::StrCat("there is no unit ", facts.unit.name)};
  }
  return std::nullopt;
}

std::vector<FixStep> SetPreloadSteps(const Facts& facts, absl::string_view code,
                                     absl::string_view value, std::string why, std::string risk) {
  const facts::PreloadList* list = facts.Preload();
  if (list != nullptr && list->kind == facts::PreloadKind::kBoundFile) {
    return {
        {absl::StrCat("sudoedit ", list->source),
         absl::StrCat("this file is the unit's own list; let it hold ",
                      value.empty() ? "nothing" : value, " (", why, ")"),
         std::move(risk), "put the lines back as they were",
         WriteFile{list->source, absl::StrCat(absl::StrReplaceAll(value, {{":", "\n"}}), "\n")}},
        RestartStep(facts, "the list is read once, at the start")};
  }
  auto variable = facts.unit.disk_environment.find("LD_PRELOAD");
  const auto& files = facts.unit.on_disk.environment_files;
  const bool of_file =
      variable != facts.unit.disk_environment.end() &&
      std::any_of(files.begin(), files.end(), [&](const systemd::EnvironmentFileSetting& file) {
        return file.path == variable->second.source;
      });
  if (!of_file) {
    const std::string quoted = value.empty()
                                   ? "Environment=LD_PRELOAD="
                                   : absl::StrCat("Environment=\"LD_PRELOAD=", value, "\"");
    return LastDropInSteps(facts, code, {quoted}, std::move(why), std::move(risk));
  }
  return {{absl::StrCat("sudoedit ", variable->second.source),
           absl::StrCat("write there, on line ", variable->second.line, ", LD_PRELOAD=", value,
                        " (", why, "); an EnvironmentFile wins over Environment="),
           std::move(risk), "put the line back as it was",
           AssignVariable{variable->second.source, variable->second.line, "LD_PRELOAD",
                          std::string(value)}},
          RestartStep(facts, "the file is read at each start")};
}

namespace {

// A name that sorts behind those of all drop-ins, whatever they are called: no "zz-" in front
// brings one behind "zz.conf".
std::string LastName(const Facts& facts, absl::string_view code) {
  std::string last;
  for (const systemd::DropIn& drop_in : facts.unit.files.drop_ins) {
    last = std::max(last, std::string(host::Basename(drop_in.file.path)));
  }
  std::string name = absl::StrCat("zz-vgpu-doctor-", absl::AsciiStrToLower(code), ".conf");
  for (int tries = 0; name <= last && tries < 4; ++tries) name.insert(0, "zz-");
  if (name > last) return name;
  return absl::StrCat(absl::StripSuffix(last, ".conf"), "zz-vgpu-doctor-",
                      absl::AsciiStrToLower(code), ".conf");
}

}  // namespace

std::vector<FixStep> LastDropInSteps(const Facts& facts, absl::string_view code,
                                     const std::vector<std::string>& lines, std::string why,
                                     std::string risk) {
  const std::string name = LastName(facts, code);
  // NixOS makes /etc/systemd/system from configuration.nix, and nothing can be written into it
  // (wiki.nixos.org/wiki/Systemd): what stands in /run is read too.
  const bool nixos = facts.installation.keeper == facts::Keeper::kNixos;
  const std::string dir =
      absl::StrCat(nixos ? "/run" : "/etc", "/systemd/system/", facts.unit.name, ".d");
  const std::string file = absl::StrCat(dir, "/", name);
  if (nixos) {
    absl::StrAppend(&why, "; until the next boot: for good, write in configuration.nix ",
                    NixSettings(facts.unit.name, lines), " and run sudo nixos-rebuild switch");
  }
  std::string text = "[Service]\n";
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return {
      WriteNewFileStep(file, text, std::move(why), std::move(risk),
                       absl::StrCat(" && sudo systemctl daemon-reload && sudo systemctl restart ",
                                    ShellQuoted(facts.unit.name))),
      ReloadStep("systemd reads the new drop-in"),
      RestartStep(facts, "only a new process gets what the unit says now")};
}

}  // namespace vgpu::rules
