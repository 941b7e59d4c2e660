// VG704 discovered-no-gpu: the last discovery of the running process ended with the CPU.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

Judgement DiscoveredNoGpu(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr) {
    return CannotTell{
        "what discovery found", "the log at hand has no `inference compute` line of this process",
        absl::StrCat("journalctl -u ", facts.unit.name, " | grep 'inference compute'")};
  }
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  const ollama::Compute& result = *start->Result();
  if (result.on_gpu()) {
    return Contradicted{absl::StrCat("line ", result.line.number, " of ", log.source,
                                     ": library=", result.library)};
  }
  Holds holds;
  holds.confidence = Confidence::kPossible;
  holds.evidence.push_back(
      FromLog(log, result.line, "the last result of this process's discovery: library=cpu"));
  if (start->counted && start->initial_count) {
    holds.evidence.push_back(
        FromLog(log, *start->counted,
                absl::StrCat("devices that the first pass found: ", *start->initial_count)));
  }
  if (start->vram && absl::StartsWith(start->total_vram, "0 ")) {
    holds.evidence.push_back(FromLog(log, *start->vram, "no GPU memory"));
  }
  for (const ollama::Failure& failure : start->failures) {
    if (holds.evidence.size() >= 7) break;
    holds.evidence.push_back(FromLog(log, failure.line, "a pass of discovery failed"));
  }
  if (!start->no_device.empty()) {
    holds.evidence.push_back(FromLog(log, start->no_device.front(), "what Ollama says about it"));
  }
  for (const ollama::Named& skipped : start->skipped) {
    if (holds.evidence.size() >= 10) break;
    holds.evidence.push_back(FromLog(log, skipped.line, "discovery left this out"));
  }
  for (const ollama::Named& override : start->overrides) {
    if (holds.evidence.size() >= 12) break;
    holds.evidence.push_back(FromLog(log, override.line, "discovery warns of this variable"));
  }
  if (facts.ollama.models_on_cpu.present() && !facts.ollama.models_on_cpu->empty()) {
    holds.evidence.push_back({facts.ollama.models_on_cpu.source, 0,
                              absl::StrCat(facts.ollama.models_on_cpu->front(), ": size_vram 0"),
                              "a model is loaded, and no byte of it lies on a GPU"});
  }
  holds.explains = {"VG708"};
  const bool dropped = !start->filtered.empty();
  holds.headline = absl::StrCat(
      DiscoveryOf(facts),
      dropped ? " found a device in its first pass and dropped it in the second" : " found no GPU",
      ", and none of the causes that were looked for explains it.");
  // Lines that only a log with OLLAMA_DEBUG has: then there is no more to switch on.
  const bool detailed = start->detail >= ollama::Detail::kDebug;
  if (detailed) holds.fix = TraceSteps(facts, "VG704");
  if (facts.unit_judged && !detailed) {
    holds.fix = ForAPerson(
        LastDropInSteps(facts, "VG704", {"Environment=OLLAMA_DEBUG=1"},
                        "the log then has every step of discovery: judge again after the restart",
                        "the log grows"));
  }
  if (!holds.fix.empty()) {
    holds.expect = {"level=DEBUG lines in the log; then `vgpu-doctor check` sees more"};
  }
  return holds;
}

}  // namespace vgpu::rules
