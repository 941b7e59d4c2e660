// The functions of the driver API that we do not have: one for each name that
// shims/abi/cuda_driver.inc calls Stub. As of all others, none says anything before cuInit but that
// cuInit is missing.

#include "shims/abi/cuda_types.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"
#include "shims/log/log.h"

namespace {

CUresult NotSupported(const char* function) {
  if (!vgpu::cuda::Initialized()) return CUDA_ERROR_NOT_INITIALIZED;
  vgpu::log::Write(vgpu::log::Level::kTrace, "libvgpu-cuda", "not supported", {{"func", function}});
  return CUDA_ERROR_NOT_SUPPORTED;
}

}  // namespace

// Without arguments: the caller of a C function takes its arguments off the stack again itself
// (System V ABI for x86-64), and none of these reads one.
#define VGPU_STUB_Own(name)
#define VGPU_STUB_Stub(name) \
  extern "C" VGPU_EXPORT CUresult name() { return NotSupported(#name); }
#define VGPU_CUDA_DRIVER(kind, name, since) VGPU_STUB_##kind(name)
#include "shims/abi/cuda_driver.inc"
