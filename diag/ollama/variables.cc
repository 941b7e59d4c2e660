#include "diag/ollama/variables.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"

namespace vgpu::ollama {
namespace {

constexpr absl::string_view kNames[] = {
    "LD_PRELOAD",          "LD_LIBRARY_PATH",        "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",   "NVIDIA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL",
    "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",   "GGML_VK_VISIBLE_DEVICES",
    "GGML_BACKEND_PATH",   "OLLAMA_LLM_LIBRARY",     "OLLAMA_VULKAN",
    "OLLAMA_IGPU_ENABLE",  "JETSON_JETPACK",
};
// The shims' own settings.
constexpr absl::string_view kPrefix = "VGPU_";

}  // namespace

bool DecidesDiscovery(absl::string_view variable) {
  return absl::StartsWith(variable, kPrefix) ||
         std::find(std::begin(kNames), std::end(kNames), variable) != std::end(kNames);
}

}  // namespace vgpu::ollama
