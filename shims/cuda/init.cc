// cuInit and cuDriverGetVersion.

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"

namespace cuda = vgpu::cuda;

extern "C" {

VGPU_EXPORT CUresult cuInit(unsigned flags) {
  cuda::Call call;
  return cuda::Initialize(flags);
}

VGPU_EXPORT CUresult cuDriverGetVersion(int* version) {
  if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
  cuda::Call call;
  const int cuda_version = cuda::DriverCudaVersion();
  if (cuda_version == 0) return CUDA_ERROR_SYSTEM_NOT_READY;
  *version = cuda_version;
  return CUDA_SUCCESS;
}

}  // extern "C"
