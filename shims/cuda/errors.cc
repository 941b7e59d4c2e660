// cuGetErrorName and cuGetErrorString. Neither needs cuInit.

#include "shims/abi/cuda_types.h"
#include "shims/cuda/export.h"
#include "shims/cuda/work_api.h"

namespace {

struct Error {
  int number;
  const char* name;
  const char* text;
};

constexpr Error kErrors[] = {
#define VGPU_CUDA_ERROR(name, number, text) {number, #name, text},
#include "shims/abi/cuda_errors.inc"
#undef VGPU_CUDA_ERROR
};

const Error* Find(CUresult number) {
  for (const Error& error : kErrors) {
    if (error.number == static_cast<int>(number)) return &error;
  }
  return nullptr;
}

}  // namespace

extern "C" {

VGPU_EXPORT CUresult cuGetErrorName(CUresult number, const char** name) {
  if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const Error* error = Find(number);
  *name = error == nullptr ? nullptr : error->name;
  return error == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuGetErrorString(CUresult number, const char** text) {
  if (text == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const Error* error = Find(number);
  *text = error == nullptr ? nullptr : error->text;
  return error == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // extern "C"
