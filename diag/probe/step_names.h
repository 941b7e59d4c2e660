// The steps of a probe, by the names that its results use.

#ifndef DIAG_PROBE_STEP_NAMES_H_
#define DIAG_PROBE_STEP_NAMES_H_

#include "absl/strings/string_view.h"

namespace vgpu::probe {

inline constexpr char kLoader[] = "loader";
inline constexpr char kPreload[] = "preload";
inline constexpr char kNvml[] = "nvml";
inline constexpr char kCuda[] = "cuda";
inline constexpr char kCudaSelect[] = "cuda-select";
inline constexpr char kCudart[] = "cudart";
inline constexpr char kBackend[] = "backend";
inline constexpr char kDiscovery[] = "discovery";
inline constexpr char kDiscoverySelect[] = "discovery-select";
inline constexpr char kGpuDiscover[] = "gpu-discover";
inline constexpr char kPci[] = "pci";

// (Pointers: with -fsanitize=undefined gcc 12 takes no view of a named array for a constant.)
struct StepName {
  const char* name;
  const char* title;
};

inline constexpr StepName kStepNames[] = {
    {kLoader, "a program starts"},
    {kPreload, "the preload list is loaded"},
    {kNvml, "NVML names its devices"},
    {kCuda, "the driver's library names its devices"},
    {kCudaSelect, "the driver selects a device by its id"},
    {kCudart, "the runtime names its devices"},
    {kBackend, "Ollama's backend can be opened"},
    {kDiscovery, "Ollama's own discovery"},
    {kDiscoverySelect, "Ollama's own discovery, second pass"},
    {kGpuDiscover, "Ollama's own discovery, gpu-discover"},
    {kPci, "the PCI function's files can be read"},
};

// The title of a step; of one that is not known, its name.
inline absl::string_view StepTitle(absl::string_view name) {
  for (const StepName& step : kStepNames) {
    if (step.name == name) return step.title;
  }
  return name;
}

}  // namespace vgpu::probe

#endif  // DIAG_PROBE_STEP_NAMES_H_
