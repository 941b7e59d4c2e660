#include "diag/rules/shared/in_effect.h"

#include "absl/strings/str_cat.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Environment;
using facts::Facts;
using facts::Variable;

// Where the disk says the same, its file and line are the better evidence.
Evidence WhereSet(const Facts& facts, const std::string& name, const Variable& variable) {
  auto disk = facts.unit.disk_environment.find(name);
  const bool same = disk != facts.unit.disk_environment.end() && disk->second.value.present() &&
                    disk->second.value == variable.value;
  return FromVariable(name, same ? disk->second : variable, "the unit gives the service this");
}

// What the server's first line says of its environment, where nothing else is there to see.
InEffect ValueInLog(const Facts& facts, const std::string& name) {
  InEffect now{name, host::NotObserved{facts::kOnlyALog}, Acts::kNow, false, {}};
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || !start->server_config) return now;
  for (const auto& [key, value] : start->config_env) {
    // The log prints an empty value and none alike.
    if (key != name || value.empty()) continue;
    now.value = value;
    now.of_process = true;
    now.evidence.push_back({facts.log.ServersLog().source,
                            static_cast<int>(start->server_config->number), Assignment(name, value),
                            "the server said that it has this"});
  }
  return now;
}

}  // namespace

InEffect ValueAtNextStart(const Facts& facts, const std::string& name) {
  InEffect next{name, {}, Acts::kNextStart, false, {}};
  const facts::UnitFacts& unit = facts.unit;
  const bool loaded = unit.loaded_environment.present();
  if (!facts.unit_judged || (!loaded && !unit.files.fragment.present())) {
    next.value = host::NotObserved{"what the unit gives was not seen"};
    return next;
  }
  const Environment& given = loaded ? *unit.loaded_environment : unit.disk_environment;
  auto it = given.find(name);
  if (it == given.end()) {
    next.value = host::Absent{};
    return next;
  }
  next.value = it->second.value;
  if (next.value.present()) next.evidence.push_back(WhereSet(facts, name, it->second));
  return next;
}

InEffect ValueNow(const Facts& facts, const std::string& name) {
  InEffect now{name, host::NotObserved{"nothing runs"}, Acts::kNow, false, {}};
  if (facts.only_a_log) return ValueInLog(facts, name);
  if (!facts.process.present()) return now;
  InEffect next = ValueAtNextStart(facts, name);
  const auto& environ = facts.process->environ;
  if (!environ.present()) {
    now.value = next.value;
    now.evidence = std::move(next.evidence);
    return now;
  }
  now.of_process = true;
  auto value = environ->Find(name);
  if (!value) {
    now.value = host::Absent{};
    if (environ->truncated() || environ->irregular()) {
      now.value = host::NotObserved{"cut, or overwritten by the process"};
    }
    return now;
  }
  now.value = std::string(*value);
  now.evidence.push_back(
      {environ.source, 0, Assignment(name, *value), "the running server has this"});
  if (next.value == now.value) {
    for (Evidence& evidence : next.evidence) now.evidence.push_back(std::move(evidence));
  }
  return now;
}

std::vector<InEffect> ValuesInEffect(const Facts& facts, const std::string& name) {
  return {ValueNow(facts, name), ValueAtNextStart(facts, name)};
}

std::vector<FixStep> UnsetSteps(const Facts& facts, absl::string_view code,
                                const InEffect& variable) {
  if (!facts.unit_judged) {
    FixStep in_shell = {absl::StrCat("unset ", variable.name),
                        "then start the server again from that shell: it inherits what the shell "
                        "has",
                        "", ""};
    if (!facts.only_a_log) return {std::move(in_shell)};
    // Lines without a prefix may be a shell's, or a service's that were copied without it.
    in_shell.why = absl::StrCat("where a shell started the server: ", in_shell.why);
    std::vector<FixStep> steps = LastDropInSteps(
        facts, code, {absl::StrCat("UnsetEnvironment=", variable.name)},
        absl::StrCat("where it is a service, of which the log does not tell: takes ", variable.name,
                     " away, whichever file or manager it comes from"),
        "");
    steps.insert(steps.begin(), OneWay(std::move(in_shell)));
    return steps;
  }
  const InEffect next = ValueAtNextStart(facts, variable.name);
  if (variable.acts == Acts::kNow && next.value.absent()) {
    return {RestartStep(facts, absl::StrCat("the unit does not give ", variable.name,
                                            ": a new process will not have it"))};
  }
  return LastDropInSteps(
      facts, code, {absl::StrCat("UnsetEnvironment=", variable.name)},
      absl::StrCat("takes ", variable.name, " away, whichever file or manager it comes from"), "");
}

}  // namespace vgpu::rules
