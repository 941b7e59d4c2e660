// VG608 uvm-lost-after-suspend: CUDA's error 999 after a resume.
//
// The kernel module nvidia_uvm loses its state over a suspend; Ollama's documentation
// (docs/gpu.mdx, "Linux Suspend Resume") names the same cure.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {

Judgement UvmLostAfterSuspend(const facts::Facts& facts) {
  if (auto none = WithoutCard(facts)) return *none;
  const ollama::CudaError* error = DecidingError(facts);
  if (error == nullptr || !error->Is(999)) return WithoutCode(facts);
  if (!facts.kernel_log.present()) {
    return CannotTell{"whether the machine was asleep before the error",
                      std::string(facts.kernel_log.why_not()),
                      "journalctl -k | grep 'PM: suspend exit'"};
  }
  const facts::KernelEvent* resume = nullptr;
  for (const facts::KernelEvent& event : facts.kernel_log->events) {
    if (event.kind != facts::KernelEvent::Kind::kResume) continue;
    const bool later =
        event.time.present() && error->line.time.present() && *event.time > *error->line.time;
    if (!later) resume = &event;
  }
  if (resume == nullptr) {
    const host::Observed<absl::Time>& first = facts.kernel_log->first;
    if (!first.present() || (error->line.time.present() && *first > *error->line.time)) {
      return CannotTell{"whether the machine was asleep before the error",
                        "the kernel's log does not reach back to it",
                        "journalctl -k | grep 'PM: suspend exit'"};
    }
    return Contradicted{absl::StrCat("the kernel's log from ", TimeText(facts, *first),
                                     " on has no resume before the error")};
  }
  Holds holds;
  holds.confidence = Confidence::kLikely;
  holds.evidence = CodeEvidence(facts, *error);
  holds.evidence.push_back({facts.kernel_log.source, static_cast<int>(resume->number), resume->text,
                            resume->time.present()
                                ? absl::StrCat("the machine woke up at ",
                                               TimeText(facts, *resume->time), ", before the error")
                                : "the machine was asleep"});
  holds.explains = {"VG704", "VG707", "VG708"};
  holds.headline =
      "The NVIDIA driver lost its state when the machine was asleep: reload nvidia_uvm.";
  holds.fix.push_back({"sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm",
                       "the module begins anew; it can be taken out only when nothing uses CUDA",
                       "programs that use CUDA have to be stopped first", ""});
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
