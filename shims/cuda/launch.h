// Kernels are not run: there is no compute backend, and nothing pretends to have computed.
//
// A launch returns CUDA_ERROR_NOT_SUPPORTED at once and writes one line:
//
//   level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel device=0
//   reason="no compute backend" kernel=vector_add
//
// (`kernel` where its name is known.) A capture that it was to be part of is invalid from then on:
// the graph would do all but the kernel. For the same reason no kernel gets into a graph by
// cuGraphAddKernelNode.

#ifndef SHIMS_CUDA_LAUNCH_H_
#define SHIMS_CUDA_LAUNCH_H_

#include "shims/abi/cuda_types.h"

namespace vgpu::cuda {

// Writes the line, with the device of the calling thread's context, and returns NOT_SUPPORTED.
// `kernel` may be null. Wants the state's lock.
CUresult RefuseLaunch(const char* function, const char* kernel = nullptr);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_LAUNCH_H_
