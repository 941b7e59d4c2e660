// Compares ActiveBlocks with NVIDIA's own calculator, cuda_occupancy.h of the CUDA runtime's
// package, over kernels of all shapes on all profiles. exports_test.py compiles and runs it.

#if __has_include(<cuda_occupancy.h>)

#include <cuda_occupancy.h>

#include <cstdio>

#include "shims/cuda/occupancy.h"
#include "shims/device/device.h"

namespace vgpu::cuda {
namespace {

int Theirs(const device::Profile& profile, int registers, size_t shared_bytes, int threads) {
  cudaOccDeviceProp device;
  device.computeMajor = profile.compute_major;
  device.computeMinor = profile.compute_minor;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = profile.threads_per_multiprocessor;
  device.regsPerBlock = profile.registers_per_multiprocessor;
  device.regsPerMultiprocessor = profile.registers_per_multiprocessor;
  device.warpSize = 32;
  device.sharedMemPerBlock = static_cast<size_t>(profile.shared_memory_per_block);
  device.sharedMemPerMultiprocessor = static_cast<size_t>(profile.shared_memory_per_multiprocessor);
  device.numSms = profile.multiprocessors;
  device.sharedMemPerBlockOptin = static_cast<size_t>(profile.shared_memory_per_block_optin);
  device.reservedSharedMemPerBlock = static_cast<size_t>(profile.shared_memory_reserved_per_block);
  cudaOccFuncAttributes kernel;
  kernel.maxThreadsPerBlock = 1024;
  kernel.numRegs = registers;
  kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  kernel.maxDynamicSharedSizeBytes = device.sharedMemPerBlockOptin;
  cudaOccDeviceState state;
  cudaOccResult result;
  const cudaOccError error = cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel,
                                                                     &state, threads, shared_bytes);
  return error == CUDA_OCC_SUCCESS ? result.activeBlocksPerMultiprocessor : -1;
}

}  // namespace
}  // namespace vgpu::cuda

int main() {
  using namespace vgpu;  // NOLINT(google-build-using-namespace)
  int cases = 0;
  int different = 0;
  for (const device::Profile& profile : device::AllProfiles()) {
    device::Device device;
    device.profile = &profile;
    device.compute_major = profile.compute_major;
    device.compute_minor = profile.compute_minor;
    for (int registers = 16; registers <= 255; registers += 3) {
      for (int threads = 1; threads <= 1024; threads += 31) {
        for (int shared_bytes = 0; shared_bytes <= profile.shared_memory_per_block_optin;
             shared_bytes += 4097) {
          const auto bytes = static_cast<size_t>(shared_bytes);
          const int mine =
              cuda::ActiveBlocks(device, {.registers = registers, .shared_bytes = bytes}, threads);
          const int theirs = cuda::Theirs(profile, registers, bytes, threads);
          ++cases;
          if (mine == theirs) continue;
          if (++different <= 10) {
            printf("%s: %d registers, %d threads, %d bytes: %d, NVIDIA's says %d\n",
                   profile.id.data(), registers, threads, shared_bytes, mine, theirs);
          }
        }
      }
    }
  }
  printf("%d cases, %d different\n", cases, different);
  return different == 0 ? 0 : 1;
}

#endif  // __has_include(<cuda_occupancy.h>)
