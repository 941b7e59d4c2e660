#include "shims/cuda/launch.h"

#include "shims/cuda/export.h"
#include "shims/cuda/module.h"
#include "shims/cuda/per_thread.h"
#include "shims/cuda/stream.h"
#include "shims/cuda/work_api.h"
#include "shims/log/log.h"

namespace vgpu::cuda {
namespace {

struct Shape {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;

  bool empty() const { return x == 0 || y == 0 || z == 0; }
  uint64_t size() const { return uint64_t{x} * y * z; }
};

// What is wrong with a launch is said first, as a driver that could run it would.
CUresult Launch(const char* function, CUfunction kernel, const Shape& grid, const Shape& block,
                unsigned shared_bytes, CUstream stream) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  FunctionInfo info;
  if (!FindFunctionInfo(kernel, ref.context, &info)) return CUDA_ERROR_INVALID_HANDLE;
  if (grid.empty() || block.empty() || block.z > 64 || block.x > 1024 || block.y > 1024 ||
      block.size() > static_cast<uint64_t>(info.max_threads) || grid.y > 65535 || grid.z > 65535 ||
      shared_bytes > static_cast<uint64_t>(info.max_dynamic_shared_bytes)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  Capture* capture;
  if (CUresult error = Admit(ref, &capture)) return error;
  if (capture != nullptr) capture->invalid = true;
  return RefuseLaunch(function, info.name);
}

}  // namespace

CUresult RefuseLaunch(const char* function, const char* kernel) {
  const Context* context = FindContext(CurrentHandle());
  const int device = context == nullptr ? -1 : context->ordinal;
  constexpr char kMessage[] = "kernel launch refused";
  constexpr char kReason[] = "no compute backend";
  if (kernel == nullptr) {
    log::Write(log::Level::kError, kLibrary, kMessage,
               {{"func", function}, {"device", device}, {"reason", kReason}});
  } else {
    log::Write(log::Level::kError, kLibrary, kMessage,
               {{"func", function}, {"device", device}, {"reason", kReason}, {"kernel", kernel}});
  }
  return CUDA_ERROR_NOT_SUPPORTED;
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

VGPU_API cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                        unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream, void**,
                        void**) {
  return Launch("cuLaunchKernel", f, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream);
}
VGPU_API cuLaunchKernel_ptsz(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                             unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream,
                             void**, void**) {
  return Launch("cuLaunchKernel", f, {gx, gy, gz}, {bx, by, bz}, shared_bytes, PerThread(stream));
}

VGPU_API cuLaunchCooperativeKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                                   unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream,
                                   void**) {
  return Launch("cuLaunchCooperativeKernel", f, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream);
}
VGPU_API cuLaunchCooperativeKernel_ptsz(CUfunction f, unsigned gx, unsigned gy, unsigned gz,
                                        unsigned bx, unsigned by, unsigned bz,
                                        unsigned shared_bytes, CUstream stream, void**) {
  return Launch("cuLaunchCooperativeKernel", f, {gx, gy, gz}, {bx, by, bz}, shared_bytes,
                PerThread(stream));
}

VGPU_API cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction f, void**, void**) {
  if (!Initialized()) return CUDA_ERROR_NOT_INITIALIZED;
  if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return Launch("cuLaunchKernelEx", f, {config->gridDimX, config->gridDimY, config->gridDimZ},
                {config->blockDimX, config->blockDimY, config->blockDimZ}, config->sharedMemBytes,
                config->hStream);
}
VGPU_API cuLaunchKernelEx_ptsz(const CUlaunchConfig* config, CUfunction f, void**, void**) {
  if (!Initialized()) return CUDA_ERROR_NOT_INITIALIZED;
  if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return Launch("cuLaunchKernelEx", f, {config->gridDimX, config->gridDimY, config->gridDimZ},
                {config->blockDimX, config->blockDimY, config->blockDimZ}, config->sharedMemBytes,
                PerThread(config->hStream));
}

// From before CUDA 4: the block's shape and the arguments were set on the function.
VGPU_API cuLaunch(CUfunction f) { return Launch("cuLaunch", f, {}, {}, 0, nullptr); }
VGPU_API cuLaunchGrid(CUfunction f, int width, int height) {
  if (width < 0 || height < 0) width = 0;
  return Launch("cuLaunchGrid", f, {static_cast<unsigned>(width), static_cast<unsigned>(height), 1},
                {}, 0, nullptr);
}
VGPU_API cuLaunchGridAsync(CUfunction f, int width, int height, CUstream stream) {
  if (width < 0 || height < 0) width = 0;
  return Launch("cuLaunchGridAsync", f,
                {static_cast<unsigned>(width), static_cast<unsigned>(height), 1}, {}, 0, stream);
}

VGPU_API cuLaunchCooperativeKernelMultiDevice(void* launches, unsigned count, unsigned) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (launches == nullptr || count == 0) return CUDA_ERROR_INVALID_VALUE;
  return RefuseLaunch("cuLaunchCooperativeKernelMultiDevice");
}

VGPU_API cuGraphAddKernelNode(CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const void*) {
  Call call;
  if (CUresult error = call.status()) return error;
  return RefuseLaunch("cuGraphAddKernelNode");
}
VGPU_API cuGraphAddKernelNode_v2(CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const void*) {
  Call call;
  if (CUresult error = call.status()) return error;
  return RefuseLaunch("cuGraphAddKernelNode_v2");
}
