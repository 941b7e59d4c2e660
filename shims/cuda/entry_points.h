// The names of the driver API as a program asks for them: a base name, a version, and which
// default stream it means.
//
//   EntryPoint found = FindEntryPoint("cuMemAlloc", 12080, 12080, false);
//   found.address                          // of cuMemAlloc_v2, which CUDA 3.2 brought
//
// Pure, over shims/abi/cuda_driver.inc; thread-safe.

#ifndef SHIMS_CUDA_ENTRY_POINTS_H_
#define SHIMS_CUDA_ENTRY_POINTS_H_

#include <string_view>

namespace vgpu::cuda {

// CUdriverProcAddressQueryResult of cuda.h 12.
enum class EntryPointStatus : int { kFound = 0, kNotFound = 1, kVersionNotSufficient = 2 };

struct EntryPoint {
  EntryPointStatus status = EntryPointStatus::kNotFound;
  void* address = nullptr;     // null unless found
  const char* name = nullptr;  // as exported: "cuMemAlloc_v2"
};

// `base` is a name without _v2, _ptds or _ptsz: a name with such an ending is not found, as
// cuda.h says of cuGetProcAddress. The answer is the newest function of that name that is not newer
// than `cuda_version`. What is newer than `driver_version`, a driver of that version has not: it
// does not exist. `per_thread` prefers the function that takes stream 0 for the per-thread default
// stream, where the name has one that is old enough.
EntryPoint FindEntryPoint(std::string_view base, int cuda_version, int driver_version,
                          bool per_thread);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_ENTRY_POINTS_H_
