// VG702 discovery-child-crashed: a child of discovery died.
//
// In era B the log names it only where a signal killed the child; Go's own exit with 2 (a
// fault inside C code, an abort of ggml) shows at TRACE alone. The kernel's log has it too.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

using facts::Facts;
using facts::KernelEvent;

bool IsChild(const Facts& facts, const KernelEvent& event) {
  if (facts.process.present() && event.pid == facts.process->pid) return false;
  // The kernel keeps 15 bytes of a name.
  return absl::StartsWith(event.program, "ollama") ||
         absl::StartsWith(event.program, "llama-server");
}

// Crashes that the kernel saw from the start of this process to the result of its discovery.
std::vector<const KernelEvent*> SeenByKernel(const Facts& facts, const ollama::ServerStart& start) {
  std::vector<const KernelEvent*> crashes;
  if (!facts.kernel_log.present()) return crashes;
  const ollama::Compute* result = start.Result();
  const host::Observed<absl::Time>& begin = start.began ? start.began->time : start.first_seen;
  if (result == nullptr || !result->line.time.present() || !begin.present()) return crashes;
  for (const KernelEvent& event : facts.kernel_log->events) {
    if (event.kind != KernelEvent::Kind::kCrash && event.kind != KernelEvent::Kind::kOomKill) {
      continue;
    }
    // The kernel's stamps and Ollama's are of two clocks that may differ a little.
    if (!IsChild(facts, event) || !event.time.present() ||
        *event.time < *begin - absl::Seconds(1) ||
        *event.time > *result->line.time + absl::Seconds(1)) {
      continue;
    }
    crashes.push_back(&event);
  }
  return crashes;
}

bool Died(const ollama::ChildEnd& end) {
  return !end.status.empty() && end.status != "exit status 0" && end.status != "signal: killed";
}

}  // namespace

Judgement DiscoveryChildCrashed(const Facts& facts) {
  if (auto none = WithoutFailure(facts)) return *none;
  const ollama::ServerStart& start = *facts.ThisStart();
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  Holds holds;
  std::string object;
  for (const ollama::Failure& failure : start.failures) {
    if (failure.why != ollama::Failure::Why::kCrash || holds.evidence.size() >= 4) continue;
    holds.evidence.push_back(FromLog(log, failure.line, "a child of discovery died"));
  }
  for (const ollama::ChildEnd& end : start.child_ends) {
    if (!Died(end) || holds.evidence.size() >= 8) continue;
    holds.evidence.push_back(FromLog(
        log, end.line,
        absl::StrCat(
            "how the child ended: ", end.status,
            absl::StrContains(end.status, " 127") ? " (the loader could not start it)" : "")));
  }
  for (const KernelEvent* event : SeenByKernel(facts, start)) {
    if (holds.evidence.size() >= 12) break;
    if (!event->object.empty()) object = event->object;
    holds.evidence.push_back(
        {facts.kernel_log.source, static_cast<int>(event->number), event->text,
         event->kind == KernelEvent::Kind::kOomKill
             ? "the kernel killed it, for want of memory"
             : absl::StrCat("the kernel saw it crash while discovery ran",
                            event->object.empty() ? "" : absl::StrCat(", in ", event->object))});
  }
  if (holds.evidence.empty()) {
    const bool told =
        start.detail == ollama::Detail::kTrace ||
        (facts.ollama.era == ollama::Era::kC && start.detail == ollama::Detail::kDebug);
    if (told && start.Result() != nullptr) {
      return Contradicted{"no child of discovery ended with an error"};
    }
    if (facts.ollama.era == ollama::Era::kA) {
      return Contradicted{"in era A discovery runs in the server itself"};
    }
    return CannotTell{"how the children of discovery ended",
                      "this log names it only with OLLAMA_DEBUG=2",
                      facts.kernel_log.present() ? HowToLogMore(facts)
                                                 : "journalctl -k | grep -E 'segfault|trap'"};
  }
  std::vector<Evidence> effect = ResultEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704", "VG708"};
  holds.headline =
      absl::StrCat("A child of discovery died", object.empty() ? "" : absl::StrCat(" in ", object),
                   ", and none of the causes that were looked for explains why.");
  holds.fix = TraceSteps(facts, "VG702");
  holds.expect = {"no child of discovery ends with an error", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
