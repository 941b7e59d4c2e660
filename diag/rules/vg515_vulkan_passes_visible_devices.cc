// VG515 vulkan-passes-visible-devices: Vulkan is on and reaches an NVIDIA card that
// CUDA_VISIBLE_DEVICES hides.
//
// Vulkan is on by default from v0.30 (OLLAMA_VULKAN=0 turns it off) and heeds
// GGML_VK_VISIBLE_DEVICES only (ollama/ollama docs/gpu.mdx).

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/in_effect.h"

namespace vgpu::rules {
namespace {

// As Go's strconv.ParseBool; what is no boolean counts as true (envconfig.BoolWithDefault).
bool IsFalse(const InEffect& variable) {
  const std::string value = absl::AsciiStrToLower(variable.value.value_or(""));
  return value == "0" || value == "f" || value == "false";
}

}  // namespace

Judgement VulkanPassesVisibleDevices(const facts::Facts& facts) {
  if (facts.ollama.era != ollama::Era::kC) {
    return Contradicted{"before v0.30 Vulkan is off unless it is asked for"};
  }
  const InEffect visible = ValueNow(facts, "CUDA_VISIBLE_DEVICES");
  if (visible.value.not_observed()) {
    return CannotTell{"CUDA_VISIBLE_DEVICES of the server", std::string(visible.value.why_not()),
                      HowToSeeProcess(facts)};
  }
  if (visible.value.absent()) return Contradicted{"CUDA_VISIBLE_DEVICES is not set"};
  const InEffect vulkan = ValueNow(facts, "OLLAMA_VULKAN");
  if (IsFalse(vulkan)) return Contradicted{"OLLAMA_VULKAN turns Vulkan off"};
  const InEffect of_vulkan = ValueNow(facts, "GGML_VK_VISIBLE_DEVICES");
  if (of_vulkan.value.present()) {
    return Contradicted{
        absl::StrCat(Assignment(of_vulkan.name, *of_vulkan.value), " selects for Vulkan too")};
  }
  const ollama::ServerStart* start = facts.ThisStart();
  const ollama::Compute* through = nullptr;
  if (start != nullptr && start->Result() != nullptr) {
    const int last = start->Result()->discovery;
    for (const ollama::Compute& result : start->results) {
      if (result.discovery == last && absl::EqualsIgnoreCase(result.library, "Vulkan") &&
          absl::StrContains(result.description, "NVIDIA")) {
        through = &result;
      }
    }
  }
  if (through == nullptr) {
    return Contradicted{"no line of the log names an NVIDIA card through Vulkan"};
  }
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence = visible.evidence;
  holds.evidence.push_back(
      FromLog(*facts.log.ServersLog(), through->line, "Vulkan found an NVIDIA card all the same"));
  holds.headline = "Vulkan uses an NVIDIA card that CUDA_VISIBLE_DEVICES hides.";
  if (facts.unit_judged) {
    holds.fix = LastDropInSteps(facts, "VG515", {"Environment=OLLAMA_VULKAN=0"},
                                "turns Vulkan off, so that CUDA alone decides",
                                "a GPU that only Vulkan reaches is not used any more");
  }
  holds.expect = {"no `inference compute` line with library=Vulkan"};
  return holds;
}

}  // namespace vgpu::rules
