// VG303 environment-scrubbed: the loaded unit has the variable, the process was started
// after that, and still lacks it. Where a wrapper can be named, VG207 explains it.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/wrapper.h"

namespace vgpu::rules {

Judgement EnvironmentScrubbed(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  if (facts.process.absent()) return Contradicted{"no process runs"};
  host::Observed<std::vector<Difference>> lost = LostByProcess(facts);
  if (!lost.present()) {
    return CannotTell{WhatToCompare(facts), std::string(lost.why_not()), HowToSeeProcess(facts)};
  }
  if (lost->empty()) {
    return Contradicted{
        absl::StrCat("process ", facts.process->pid, " has every variable that its unit gives")};
  }
  host::Observed<bool> older = OlderThanUnit(facts, lost->front());
  if (!older.present()) {
    return CannotTell{"whether the process is older than its configuration",
                      std::string(older.why_not()), "systemctl show -p UnitsLoadTimestamp"};
  }
  if (*older) {
    return Contradicted{"the process is older than the configuration that systemd has loaded"};
  }
  host::Observed<Wrapper> wrapper = FindWrapper(facts);
  if (wrapper.present()) {
    return Contradicted{absl::StrCat("ExecStart runs ", facts.program.file.path, ", ",
                                     wrapper->kind, ": that explains the loss")};
  }
  Holds holds;
  AddLost(facts, *lost, holds);
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kPossible : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat("Process ", facts.process->pid, " of ", facts.unit.name,
                                " lost what its unit gives it (", Describe(*lost),
                                "): something between systemd and Ollama takes it away.");
  holds.fix.push_back({absl::StrCat("systemctl cat ", facts.unit.name),
                       "shows what stands between: PAMName=, a wrapper, a SELinux transition", "",
                       ""});
  holds.expect = {absl::StrCat("the new process has ", lost->front().name, " in /proc/PID/environ"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
