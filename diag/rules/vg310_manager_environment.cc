// VG310 manager-environment: a variable that decides discovery comes from the service
// manager's own environment (`systemctl set-environment`, DefaultEnvironment=), which every
// service gets, and not from the unit, which does not show it.
//
// It is a cause where the value does harm, which the rules about that value say; else a note:
// what set-environment set is gone after a reboot.

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/ollama/variables.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

// Whose fault the value of a variable can be.
struct Fault {
  absl::string_view variable;
  absl::string_view code;
  Judgement (*judge)(const facts::Facts& facts);
};

constexpr Fault kFaults[] = {
    {"LD_PRELOAD", "VG401", PreloadEntryMissing},
    {"LD_PRELOAD", "VG402", PreloadEntryUnreadable},
    {"LD_PRELOAD", "VG403", PreloadEntryNotLoadable},
    {"LD_PRELOAD", "VG404", PreloadFileTruncated},
    {"LD_PRELOAD", "VG405", PreloadDependencyMissing},
    {"LD_PRELOAD", "VG406", ShimSymbolUnresolved},
    {"LD_PRELOAD", "VG407", ShimNeedsNewerGlibc},
    {"LD_PRELOAD", "VG410", ShimLoadedTwice},
    {"LD_PRELOAD", "VG412", PreloadPointsToDriver},
    {"LD_PRELOAD", "VG413", PreloadPathMalformed},
    {"LD_PRELOAD", "VG414", PreloadSetIncomplete},
    {"OLLAMA_LLM_LIBRARY", "VG506", LlmLibraryMismatch},
    {"CUDA_VISIBLE_DEVICES", "VG507", VisibleDevicesHide},
};

struct Brought {
  std::string name;
  std::string value;
  bool now = false;  // the process has it
};

// What the manager gives and the unit does not, of what decides discovery.
std::vector<Brought> BroughtByManager(const facts::Facts& facts) {
  std::vector<Brought> brought;
  const facts::Environment& unit = facts.unit.loaded_environment.present()
                                       ? *facts.unit.loaded_environment
                                       : facts.unit.disk_environment;
  for (const auto& [name, value] : *facts.manager_environment) {
    if (!ollama::DecidesDiscovery(name) || unit.count(name) > 0) continue;
    const bool unset = std::any_of(
        facts.unit.on_disk.unset_environment.begin(), facts.unit.on_disk.unset_environment.end(),
        [&, key = name](const systemd::EnvironmentWord& word) {
          return word.word == key || absl::StartsWith(word.word, absl::StrCat(key, "="));
        });
    if (unset || brought.size() == 8) continue;
    const bool seen = facts.process.present() && facts.process->environ.present();
    const auto has = seen ? facts.process->environ->Find(name) : std::nullopt;
    if (has && *has != value) continue;  // a wrapper sets another
    brought.push_back({name, value, has.has_value() || (facts.process.present() && !seen)});
  }
  return brought;
}

// The process has a variable whose source is neither the unit nor a file that was not read.
bool HasUnexplained(const facts::Facts& facts) {
  if (!facts.process.present() || !facts.process->environ.present()) return false;
  if (!facts.unit.unread_environment_files.empty()) return false;
  for (const procfs::Environ::Entry& entry : facts.process->environ->entries()) {
    if (ollama::DecidesDiscovery(entry.name) && facts.unit.loaded_environment.present() &&
        facts.unit.loaded_environment->count(entry.name) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

Judgement ManagerEnvironmentDecides(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  if (!facts.manager_environment.present()) {
    if (!HasUnexplained(facts)) {
      return Contradicted{"the process has nothing that its unit does not give"};
    }
    return CannotTell{
        "the service manager's own environment",
        Because(facts.manager_environment.source, facts.manager_environment.why_not()),
        "systemctl show-environment"};
  }
  const std::vector<Brought> brought = BroughtByManager(facts);
  if (brought.empty()) {
    return Contradicted{absl::StrCat(facts.manager_environment.source,
                                     ": no variable that decides discovery and is not the unit's")};
  }
  Holds holds;
  holds.acts = Acts::kNextStart;
  holds.confidence = Confidence::kLikely;
  std::vector<std::string> harmful;
  for (const Brought& variable : brought) {
    holds.evidence.push_back({facts.manager_environment.source, 0,
                              Assignment(variable.name, variable.value),
                              "the service manager gives every service this; the unit says "
                              "nothing of it"});
    if (variable.now && facts.process->environ.present()) {
      holds.evidence.push_back({facts.process->environ.source, 0,
                                Assignment(variable.name, variable.value),
                                "and the process has it"});
    }
    for (const Fault& fault : kFaults) {
      if (fault.variable != variable.name) continue;
      const Judgement judgement = fault.judge(facts);
      const Holds* harm = std::get_if<Holds>(&judgement);
      if (harm == nullptr) continue;
      holds.is_cause = true;
      if (harm->acts == Acts::kNow) holds.acts = Acts::kNow;
      holds.confidence = std::min(holds.confidence, harm->confidence);
      holds.explains.push_back(std::string(fault.code));
      if (std::find(harmful.begin(), harmful.end(), variable.name) == harmful.end()) {
        harmful.push_back(variable.name);
      }
    }
  }
  if (holds.is_cause) {
    for (const char* code : {"VG303", "VG307", "VG504", "VG704"}) holds.explains.push_back(code);
    for (Evidence& evidence : NoGpuEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  }
  const std::string& name = holds.is_cause ? harmful.front() : brought.front().name;
  auto variable = std::find_if(brought.begin(), brought.end(),
                               [&](const Brought& each) { return each.name == name; });
  holds.headline =
      holds.is_cause
          ? absl::StrCat(name, " comes from the service manager and not from ", facts.unit.name,
                         ", and its value does harm: take it out there.")
          : absl::StrCat(name, " comes from the service manager, and not from ", facts.unit.name,
                         ": after a reboot it is gone.");
  if (!holds.is_cause) {
    const std::string assignment = Assignment(name, variable->value);
    for (FixStep& step :
         LastDropInSteps(facts, "VG310", {absl::StrCat("Environment=\"", assignment, "\"")},
                         "puts the variable into the unit, if the service is to keep it", "")) {
      holds.fix.push_back(std::move(step));
    }
  }
  holds.fix.push_back(
      {absl::StrCat("sudo systemctl unset-environment ", name),
       "no service that is started from now on gets it; one that DefaultEnvironment= of "
       "/etc/systemd/system.conf sets comes back at the next boot",
       "every other service that is meant to have it loses it too",
       absl::StrCat("sudo systemctl set-environment ",
                    ShellQuoted(Assignment(name, variable->value))),
       Manage{{"unset-environment", name},
              {"set-environment", Assignment(name, variable->value)}}});
  if (holds.is_cause) {
    holds.fix.push_back(RestartStep(facts, "a process keeps what it was started with"));
    holds.expect = {absl::StrCat("`systemctl show-environment` has no ", name),
                    ExpectGpuLine(facts)};
  }
  return holds;
}

}  // namespace vgpu::rules
