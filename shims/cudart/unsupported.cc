#include "shims/cudart/unsupported.h"

#include "shims/cudart/runtime.h"
#include "shims/log/log.h"

namespace vgpu::cudart {

int Unsupported(const char* function) {
  log::Write(log::Level::kTrace, kLibrary, "not supported", {{"func", function}});
  return Record(cudaErrorNotSupported);
}

}  // namespace vgpu::cudart
