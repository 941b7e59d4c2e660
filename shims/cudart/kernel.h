// Kernels by whatever a program names them with.

#ifndef SHIMS_CUDART_KERNEL_H_
#define SHIMS_CUDART_KERNEL_H_

#include "shims/cudart/registration.h"

namespace vgpu::cudart {

// By host function, by cudaKernel_t, or by a driver's CUkernel. Null `kernel` is allowed.
cudaError_t LookUpKernel(const Driver& driver, const void* function, KernelInfo* kernel);

// What every launch comes to: cudaErrorInvalidDeviceFunction for what is no kernel, else
// cudaErrorNotSupported and one log line.
cudaError_t RefuseKernel(const Driver& driver, const char* called, const void* function);

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_KERNEL_H_
