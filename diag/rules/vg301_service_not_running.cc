// VG301 service-not-running: inactive or failed, and nothing else serves.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

// The conditions of the unit, in order, where the last start was skipped because one of them
// is not met (systemd.unit(5), ConditionPathExists=). An empty assignment takes those before
// it back.
std::vector<Evidence> UnmetConditions(const facts::Facts& facts) {
  const facts::UnitFacts& unit = facts.unit;
  std::vector<Evidence> conditions;
  if (unit.loaded->Get("ConditionResult").value_or("") != "no") return conditions;
  // The property is "no" too of a unit that nobody has started since the boot.
  const std::string checked = unit.loaded->Get("ConditionTimestampMonotonic").value_or("0");
  if (checked.empty() || checked == "0") return conditions;
  for (const systemd::UnitFile* file : unit.files.InOrder()) {
    for (const systemd::Assignment& line : file->assignments) {
      if (line.section != "Unit" || !absl::StartsWith(line.key, "Condition")) continue;
      if (line.value.empty()) {
        conditions.clear();
      } else if (conditions.size() < 8) {
        conditions.push_back({file->path, line.line, absl::StrCat(line.key, "=", line.value),
                              "the service starts only where this is met"});
      }
    }
  }
  return conditions;
}

}  // namespace

Judgement ServiceNotRunning(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::UnitFacts& unit = facts.unit;
  if (facts.process.present()) {
    return Contradicted{absl::StrCat("process ", facts.process->pid, " runs")};
  }
  if (!unit.active_state.present()) {
    return CannotTell{absl::StrCat("whether ", unit.name, " runs"),
                      std::string(unit.active_state.why_not()),
                      absl::StrCat("systemctl status ", unit.name)};
  }
  if (*unit.active_state != "inactive" && *unit.active_state != "failed") {
    return Contradicted{absl::StrCat("ActiveState=", *unit.active_state)};
  }
  if (facts.listener.present()) {
    return Contradicted{absl::StrCat("process ", *facts.listener, " serves on port ", facts.port)};
  }
  const bool failed = *unit.active_state == "failed";
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence.push_back(
      {unit.loaded.source, 0,
       absl::StrCat("ActiveState=", *unit.active_state, " SubState=", unit.sub_state.value_or("?"),
                    " Result=", unit.result.value_or("?")),
       failed ? "the service failed and is not started again" : "the service is stopped"});
  if (facts.listener.absent()) {
    holds.evidence.push_back({facts.listener.source, 0, "",
                              absl::StrCat("nothing listens on Ollama's port ", facts.port)});
  }
  if (facts.log.journal.present() && !facts.log.journal->exits.empty()) {
    const ollama::Exit& exit = facts.log.journal->exits.back();
    holds.evidence.push_back(
        FromLog(*facts.log.journal, exit.line, "how its main process last ended by itself"));
  }
  const std::vector<Evidence> conditions = UnmetConditions(facts);
  if (!conditions.empty()) {
    holds.evidence.push_back(
        {unit.loaded.source, 0, "ConditionResult=no",
         "systemd skipped the last start: a condition of the unit is not met"});
    for (const Evidence& condition : conditions) holds.evidence.push_back(condition);
    holds.fix.push_back(
        {absl::StrCat("systemctl status ", unit.name),
         "names the condition that is not met: put there what it asks for, or take it out of the "
         "unit (`sudo systemctl daemon-reload` then); until that is done, a start is skipped again",
         "", ""});
  }
  holds.headline = !conditions.empty()
                       ? absl::StrCat(unit.name, " does not run: systemd skips its start, because ",
                                      conditions.size() == 1 ? conditions.front().quote
                                                             : "a condition of the unit",
                                      " is not met.")
                   : failed ? absl::StrCat(unit.name, " has failed and does not run (Result=",
                                           unit.result.value_or("?"), ").")
                            : absl::StrCat(unit.name, " does not run: start it.");
  if (unit.load_state.value_or("") == "masked" ||
      (unit.files.fragment.present() && unit.files.fragment->masked)) {
    holds.fix.push_back({absl::StrCat("sudo systemctl unmask ", unit.name),
                         "the unit is masked: systemd refuses to start it", "",
                         absl::StrCat("sudo systemctl mask ", unit.name),
                         Manage{{"unmask", unit.name}, {"mask", unit.name}}});
  }
  holds.fix.push_back({absl::StrCat("sudo systemctl start ", unit.name), "starts the service",
                       failed ? "it may fail again in the same way" : "",
                       absl::StrCat("sudo systemctl stop ", unit.name), Restart{unit.name, true}});
  holds.expect = {absl::StrCat("`systemctl is-active ", unit.name, "` says active"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
