// VG901 model-exceeds-memory: the GPU was found and is used; the model or its context does
// not fit, so layers run on the CPU. The most common complaint of all, and no fault of
// discovery.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

std::string Gib(uint64_t bytes) {
  return absl::StrFormat("%.1f GiB", static_cast<double>(bytes) / (uint64_t{1} << 30));
}

}  // namespace

Judgement ModelExceedsMemory(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const host::Observed<bool> found = facts.FoundGpu();
  if (!found.present()) {
    return CannotTell{"what discovery found",
                      "the log at hand has no `inference compute` line of this process",
                      absl::StrCat("journalctl -u ", facts.unit.name)};
  }
  if (!*found) return Contradicted{"discovery found no GPU that a model could exceed"};
  // A probe may have found it, and there be no log of this start.
  const ollama::ServerStart* start = facts.ThisStart();
  Holds holds;
  uint64_t context = 0;
  if (facts.ollama.models.present()) {
    for (const facts::LoadedModel& model : *facts.ollama.models) {
      if (model.size_vram == 0 || model.size_vram >= model.size) continue;
      context = model.context_length;
      if (holds.evidence.size() >= 4) break;
      holds.evidence.push_back(
          {facts.ollama.models.source, 0,
           absl::StrCat(model.name, ": size ", model.size, ", size_vram ", model.size_vram,
                        context == 0 ? "" : absl::StrCat(", context_length ", context)),
           absl::StrCat(Gib(model.size_vram), " of its ", Gib(model.size),
                        " lie on the GPU; the rest runs on the CPU")});
    }
  }
  if (start != nullptr && !start->offloads.empty()) {
    const ollama::Offload& last = start->offloads.back();
    if (last.on_gpu > 0 && last.on_gpu < last.of) {
      holds.evidence.push_back(FromLog(
          *facts.log.ServersLog(), last.line,
          absl::StrCat(last.on_gpu, " of ", last.of, " layers of the last model are on the GPU")));
    }
  }
  if (start != nullptr && !start->too_large.empty()) {
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), start->too_large.back(), "a model was too large"));
  }
  if (holds.evidence.empty()) {
    return Contradicted{"no model that was loaded has a layer on the CPU"};
  }
  holds.confidence = Confidence::kCertain;
  if (start != nullptr && start->vram) {
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), *start->vram,
                                     "the memory of the GPU, and the context "
                                     "that Ollama chooses by it"));
  }
  holds.headline = "The GPU is used, and the model with its context is larger than its memory.";
  if (facts.unit_judged) {
    holds.fix =
        ForAPerson(LastDropInSteps(facts, "VG901", {"Environment=OLLAMA_CONTEXT_LENGTH=4096"},
                                   "a shorter context takes less memory; a smaller model, or a "
                                   "smaller quantisation of it, does too",
                                   "longer conversations are cut to that length"));
  }
  holds.expect = {"`ollama ps` says 100% GPU"};
  return holds;
}

}  // namespace vgpu::rules
