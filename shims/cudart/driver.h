// The driver under the runtime: its entry points, found at the first call that needs one and never
// when the library is loaded.

#ifndef SHIMS_CUDART_DRIVER_H_
#define SHIMS_CUDART_DRIVER_H_

#include "shims/cudart/types.h"

namespace vgpu::cudart {

struct Driver {
#define VGPU_CUDART_DRIVER(name, ...) CUresult (*name)(__VA_ARGS__);
#include "shims/cudart/driver.inc"
#undef VGPU_CUDART_DRIVER
};

// Fills `driver` from the libcuda.so.1 that is in the process, else from the one beside this
// library, else from the one that the loader finds. False: there is none, and one log line has said
// where it was looked for. What it loads stays loaded.
//
// driver.cc has it; linked_driver.cc, for tests, takes the functions that are linked in.
bool ResolveDriver(Driver* driver);

// What an entry is where the driver has no such name.
template <typename... Parameters>
CUresult NotInDriver(Parameters...) {
  return CUDA_ERROR_NOT_SUPPORTED;
}

// The driver, found and initialised, and not older than this runtime; null: `*error` says why not.
// Thread-safe. Every call asks anew until one succeeds, but the library is looked for once.
const Driver* InitializedDriver(cudaError_t* error);

// The driver without cuInit; null: there is none.
const Driver* FoundDriver();

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_DRIVER_H_
