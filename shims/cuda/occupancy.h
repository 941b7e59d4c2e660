// How many blocks of a kernel run on one multiprocessor at once: the arithmetic of NVIDIA's
// occupancy calculator, of a device's profile.
//
// Pure; thread-safe.

#ifndef SHIMS_CUDA_OCCUPANCY_H_
#define SHIMS_CUDA_OCCUPANCY_H_

#include <cstddef>

#include "shims/device/device.h"

namespace vgpu::cuda {

struct KernelNeeds {
  int registers = 0;        // a thread
  size_t shared_bytes = 0;  // a block: static and dynamic
};

// 0: not even one. `block_size` is in threads.
int ActiveBlocks(const device::Device& device, const KernelNeeds& needs, int block_size);

// The most dynamic shared memory that lets `blocks` blocks run on a multiprocessor, if
// `needs.shared_bytes` is what is static.
size_t AvailableSharedBytes(const device::Device& device, const KernelNeeds& needs, int blocks);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_OCCUPANCY_H_
