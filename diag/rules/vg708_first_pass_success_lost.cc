// VG708 first-pass-success-later-lost: an earlier line said that the GPU was there; the
// last `inference compute` line of this process decides.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

Judgement FirstPassSuccessLost(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr) {
    return CannotTell{"what discovery found",
                      "the log at hand has no `inference compute` line of this process",
                      absl::StrCat("journalctl -u ", facts.unit.name)};
  }
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  Holds holds;
  holds.confidence = Confidence::kCertain;
  if (const ollama::CudaError* lost = start->LostLater()) {
    holds.evidence.push_back(FromLog(log, start->Result()->line, "discovery named a GPU"));
    holds.evidence.push_back(
        FromLog(log, lost->line, "a later child of this process could not use it any more"));
    return holds;
  }
  if (start->Result()->on_gpu()) return Contradicted{"the last result names a GPU"};
  if (start->counted && start->initial_count.value_or(0) > 0) {
    holds.evidence.push_back(
        FromLog(log, *start->counted, "the first pass found a device: no proof that it works"));
  }
  if (!start->verifying.empty()) {
    holds.evidence.push_back(
        FromLog(log, start->verifying.front(), "the second pass began to try it"));
  }
  for (const ollama::Compute& result : start->results) {
    if (!result.on_gpu()) continue;
    holds.evidence.push_back(FromLog(log, result.line, "an earlier result named a GPU"));
    break;
  }
  if (holds.evidence.empty()) return Contradicted{"no earlier line said that a GPU was there"};
  if (!start->filtered.empty()) {
    holds.evidence.push_back(FromLog(log, start->filtered.back(), "the second pass dropped it"));
  }
  holds.evidence.push_back(
      FromLog(log, start->Result()->line, "the last result: this one decides"));
  return holds;
}

}  // namespace vgpu::rules
