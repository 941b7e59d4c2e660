// For tests only: as much of cuBLAS as lets a prebuilt ggml backend be loaded with RTLD_NOW on a
// machine without NVIDIA's (which over the shims loads, and then fails to make a handle). It
// computes nothing: every product is CUBLAS_STATUS_NOT_SUPPORTED.
//
// The functions are those that libggml-cuda.so imports (`nm -D`), the numbers those of cuBLAS's
// documentation, cublasStatus_t.

#include <cstddef>

namespace {

enum Status : int {
  kSuccess = 0,
  kNotInitialized = 1,
  kInvalidValue = 7,
  kNotSupported = 15,
};

// A handle is the address of this.
constinit char handle_target = 0;

Status Check(const void* handle) { return handle == &handle_target ? kSuccess : kNotInitialized; }

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int cublasCreate_v2(void** handle) {
  if (handle == nullptr) return kInvalidValue;
  *handle = &handle_target;
  return kSuccess;
}

int cublasDestroy_v2(void* handle) { return Check(handle); }
int cublasSetStream_v2(void* handle, void*) { return Check(handle); }
int cublasSetMathMode(void* handle, int) { return Check(handle); }
int cublasSetWorkspace_v2(void* handle, void*, size_t) { return Check(handle); }

const char* cublasGetStatusString(int status) {
  switch (status) {
    case kSuccess:
      return "success";
    case kNotInitialized:
      return "not a handle";
    case kInvalidValue:
      return "invalid value";
    case kNotSupported:
      return "not supported: this is a stand-in for tests";
  }
  return "unknown";
}

// They look at no argument.
int cublasGemmBatchedEx() { return kNotSupported; }
int cublasGemmEx() { return kNotSupported; }
int cublasGemmStridedBatchedEx() { return kNotSupported; }
int cublasSgemmBatched() { return kNotSupported; }
int cublasSgemmStridedBatched() { return kNotSupported; }
int cublasSgemm_v2() { return kNotSupported; }
int cublasStrsmBatched() { return kNotSupported; }
}
#pragma GCC visibility pop
