// VG613 device-taken: CUDA's error 46 or 2 when it is initialised: another process has the
// device for itself (compute mode EXCLUSIVE_PROCESS or PROHIBITED), or all of its memory.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {

Judgement DeviceTaken(const facts::Facts& facts) {
  if (auto none = WithoutCard(facts)) return *none;
  const ollama::CudaError* error = DecidingError(facts);
  const bool busy = error != nullptr && error->Is(46);
  const bool full = error != nullptr && error->Is(2);
  if (!busy && !full) return WithoutCode(facts);
  Holds holds;
  holds.confidence = busy ? Confidence::kLikely : Confidence::kPossible;
  holds.evidence = CodeEvidence(facts, *error);
  holds.explains = {"VG704", "VG707", "VG708"};
  if (!error->words.at_init) holds.explains.push_back("VG702");
  holds.headline = busy ? "Another process has the GPU for itself, or its compute mode forbids its "
                          "use."
                        : "The GPU's memory was used up by others when discovery ran.";
  holds.fix.push_back(
      {"nvidia-smi --query-gpu=compute_mode,memory.used,memory.total --format=csv && "
       "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv",
       "shows the compute mode, and who uses the device", "", ""});
  if (busy) {
    holds.fix.push_back({"sudo nvidia-smi --compute-mode=DEFAULT",
                         "several processes may then use the device",
                         "who relied on having it alone has it no longer",
                         "sudo nvidia-smi --compute-mode=EXCLUSIVE_PROCESS"});
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts,
                                    "discovery runs once, at the start; first stop whoever "
                                    "holds the device"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
