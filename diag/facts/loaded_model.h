// A model that the server has loaded, as GET /api/ps tells: the one place that says how
// much of it lies on a GPU.

#ifndef DIAG_FACTS_LOADED_MODEL_H_
#define DIAG_FACTS_LOADED_MODEL_H_

#include <cstdint>
#include <string>

namespace vgpu::facts {

struct LoadedModel {
  std::string name;
  uint64_t size = 0;            // bytes
  uint64_t size_vram = 0;       // of these, on a GPU; 0: it runs on the CPU
  uint64_t context_length = 0;  // tokens; 0: the server did not say (before v0.12)
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_LOADED_MODEL_H_
