// The kernels and variables that a program's compiled-in constructors register.
//
//   KernelInfo kernel;
//   if (!FindKernel(host_function, &kernel)) return cudaErrorInvalidDeviceFunction;
//
// A registration costs the same whatever was registered before, and reads nothing of the device
// code: ggml registers 143 images, 6731 kernels and 1927 variables before main. Device code is
// never unpacked, so what only it knows (registers, initial values of variables) is not known here.
//
// A kernel's handle (cudaKernel_t) is the address of its host function.
//
// Names belong to the program and live until it unregisters their image. Thread-safe; may be called
// before main, in constructors of other libraries, and at exit in any order.

#ifndef SHIMS_CUDART_REGISTRATION_H_
#define SHIMS_CUDART_REGISTRATION_H_

#include <cstddef>

#include "shims/cudart/runtime.h"

namespace vgpu::cudart {

// What cudaFuncSetAttribute was told; -1 where it was not.
struct KernelSettings {
  int max_dynamic_shared_bytes = -1;
  int shared_carveout = -1;
  int cluster_must_be_set = -1;
  int cluster[3] = {-1, -1, -1};
  int cluster_policy = -1;
  int non_portable_cluster = -1;
  int shared_memory_mode = -1;
};

struct KernelInfo {
  const char* name = nullptr;  // mangled
  KernelSettings settings;
};

struct VariableInfo {
  const char* name = nullptr;
  size_t size = 0;  // bytes
  // Whether anything can have been written to it. Until then its content is its initial value,
  // which stands in device code.
  bool touched = false;
};

bool FindKernel(const void* host, KernelInfo* kernel);
// False: no such kernel.
bool SetKernelSettings(const void* host, const KernelSettings& settings);

bool FindVariable(const void* host, VariableInfo* variable);

// The address of a variable on a device: zeroed memory of its size, allocated at the first call
// (the context of `device` is current). It counts as touched after this.
cudaError_t VariableAddress(const Driver& driver, const void* host, int device, void** address);

// The memory of a device's variables has gone with its context.
void ForgetVariables(int device);

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_REGISTRATION_H_
