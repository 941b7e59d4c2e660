// How much memory of each virtual device each process of this machine holds.
//
//   if (!usage::Reserve(device, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
//   ...
//   usage::Release(device, bytes);
//
// The driver shim writes, NVML reads: a device's memory is one thing, whoever asks. Each process
// that holds some has one small file of its own in /dev/shm/vgpu, with the bytes of each device by
// its UUID; shims/usage/store.h says how it is made so that nobody can forge another's, a killed
// process leaves nothing behind, and no two processes get the last byte. Where the directory cannot
// be used, the process counts for itself alone, and one line of level info says so.
//
// Processes see each other as far as they share /dev/shm and the PID namespace.
//
// Thread-safe. A child of fork(2) holds nothing of its parent's: it starts at zero, with a file of
// its own. errno is kept. Neither waits without end nor depends on files of others being sound.

#ifndef SHIMS_USAGE_USAGE_H_
#define SHIMS_USAGE_USAGE_H_

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "shims/device/device.h"

namespace vgpu::usage {

// Adds `bytes` to what this process holds of `device`; false, and nothing is added, where all
// processes together would hold more than the device has. Two processes that ask at once cannot
// both get the last byte.
bool Reserve(const device::Device& device, uint64_t bytes);
void Release(const device::Device& device, uint64_t bytes);

// A context of this process on `device` exists from now on, or no longer: nvidia-smi lists a
// process that holds a context and no memory.
void ContextCreated(const device::Device& device);
void ContextDestroyed(const device::Device& device);

// Held by all processes together, in bytes; at most what the device has.
uint64_t Used(const device::Device& device);

struct ProcessUse {
  pid_t pid = 0;
  uint64_t bytes = 0;
};

// The processes that have a context or memory on `device`, by id; at most `out.size()`. Returns how
// many there are in all, which may be more.
size_t Processes(const device::Device& device, std::span<ProcessUse> out);

}  // namespace vgpu::usage

#endif  // SHIMS_USAGE_USAGE_H_
