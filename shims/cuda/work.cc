#include "shims/cuda/work.h"

namespace vgpu::cuda {

CUresult ContextOfStream(const Call& call, CUstream stream, Context** context) {
  if (reinterpret_cast<uintptr_t>(stream) > kStreamPerThread) {
    if (CUresult error = call.status()) return error;
    return CUDA_ERROR_INVALID_HANDLE;
  }
  return call.Current(context);
}

CUresult Submit(CUstream stream, const Copy& copy) {
  {
    Call call;
    Context* context;
    if (CUresult error = ContextOfStream(call, stream, &context)) return error;
  }
  return Run(copy);
}

CUresult Submit(CUstream stream, const Fill& fill) {
  {
    Call call;
    Context* context;
    if (CUresult error = ContextOfStream(call, stream, &context)) return error;
  }
  return Run(fill);
}

void ContextEnds(Context*) {}

}  // namespace vgpu::cuda
