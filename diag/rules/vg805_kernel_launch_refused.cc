// VG805 kernel-launch-refused: the shim describes a device and runs no kernels; a model that
// is loaded on it fails. Nothing is wrong with discovery.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

Judgement KernelLaunchRefused(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr) {
    return CannotTell{"what discovery found", "the log at hand has no line of this process",
                      absl::StrCat("journalctl -u ", facts.unit.name)};
  }
  if (start->launches_refused.empty()) return Contradicted{"no shim refused a kernel launch"};
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence.push_back(
      FromLog(*facts.log.ServersLog(), start->launches_refused.back(),
              absl::StrCat("a shim refused to run a kernel; the log shows ",
                           Count(start->launches_refused.size(), "such line", "such lines"))));
  holds.headline =
      "The virtual device has no compute behind it: it can be found, and runs no model.";
  // Whether models are to run on the CPU, or the device to be shown, is a choice.
  holds.fix = ForAPerson(LastDropInSteps(
      facts, "VG805", {"Environment=CUDA_VISIBLE_DEVICES=-1", "Environment=OLLAMA_VULKAN=0"},
      "models then run on the CPU, and not on a device that computes nothing",
      "discovery then finds no GPU, which is what this asks for"));
  if (!facts.unit_judged) holds.fix.clear();
  return holds;
}

}  // namespace vgpu::rules
