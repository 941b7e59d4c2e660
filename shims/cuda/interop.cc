// What other libraries ask a driver for: the devices of an OpenGL context, and profiling.

#include "shims/cuda/export.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work_api.h"

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

// cudaGL.h: NO_DEVICE if no device of the OpenGL context is one of CUDA's. None is: what draws here
// is not a virtual device.
static CUresult GlDevices(unsigned* count, const CUdevice* devices, unsigned size) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (count == nullptr || (devices == nullptr && size != 0)) return CUDA_ERROR_INVALID_VALUE;
  *count = 0;
  return CUDA_ERROR_NO_DEVICE;
}

VGPU_API cuGLGetDevices(unsigned* count, CUdevice* devices, unsigned size, int) {
  return GlDevices(count, devices, size);
}
VGPU_API cuGLGetDevices_v2(unsigned* count, CUdevice* devices, unsigned size, int) {
  return GlDevices(count, devices, size);
}

// No profiler is attached: there is nothing to start, which is no error (cudaProfiler.h).
VGPU_API cuProfilerStart() {
  Call call;
  return call.Current();
}
VGPU_API cuProfilerStop() {
  Call call;
  return call.Current();
}
