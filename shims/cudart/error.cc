// cudaGetErrorName and its kin.

#include <string_view>

#include "shims/cudart/api.h"
#include "shims/cudart/runtime.h"
#include "shims/cudart/thread.h"

namespace vgpu::cudart {

// Never defined: a line of the table that would need it does not compile.
const char* ThisErrorHasNoWords();

namespace {

struct ErrorText {
  int number;
  const char* name;
  const char* text;
};

constexpr ErrorText kDriverErrors[] = {
#define VGPU_CUDA_ERROR(name, number, text) {number, #name, text},
#include "shims/abi/cuda_errors.inc"
#undef VGPU_CUDA_ERROR
};

// The words of the driver for a number, if it has that one.
consteval const char* Text(int number, const char* own) {
  if (*own != '\0') return own;
  for (const ErrorText& error : kDriverErrors) {
    if (error.number == number) return error.text;
  }
  return ThisErrorHasNoWords();
}

constexpr ErrorText kErrors[] = {
#define VGPU_CUDART_ERROR(majors, name, number, text) \
  VGPU_IF_##majors({number, #name, Text(number, text)}, )
#include "shims/abi/cudart_errors.inc"
#undef VGPU_CUDART_ERROR
};

constexpr char kUnknown[] = "unrecognized error code";

const ErrorText* Find(int number) {
  for (const ErrorText& error : kErrors) {
    if (error.number == number) return &error;
  }
  return nullptr;
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* found = Find(error);
  return found == nullptr ? kUnknown : found->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* found = Find(error);
  return found == nullptr ? kUnknown : found->text;
}

cudaError_t cudaPeekAtLastError() { return thread.last_error; }

cudaError_t cudaGetLastError() {
  cudaError_t error = thread.last_error;
  thread.last_error = cudaSuccess;
  return error;
}

}  // namespace vgpu::cudart
