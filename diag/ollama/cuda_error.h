// Errors of CUDA, as they reach a log: by number, by the text that CUDA gives for the
// number, or by what an era of Ollama says instead.
//
//   FindCudaError("ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected")
//     -> code 100
//
// The numbers are the same in the driver (CUresult) and, since CUDA 10.2, in the runtime
// (cudaError_t). Sources: CUDA 12.8 driver_types.h and cuda.h; the texts are those of
// cudaGetErrorString; ollama/ollama v0.5.7 to v0.33.0-rc2, discover/gpu.go,
// discover/gpu_info_nvcuda.c, discover/native_probe_linux.go; ggml-cuda.cu.
//
// Pure; thread-safe.

#ifndef DIAG_OLLAMA_CUDA_ERROR_H_
#define DIAG_OLLAMA_CUDA_ERROR_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::ollama {

struct CudaErrorInfo {
  int code = 0;
  absl::string_view name;     // "CUDA_ERROR_NO_DEVICE"
  absl::string_view text;     // of cudaGetErrorString: "no CUDA-capable device is detected"
  absl::string_view meaning;  // at initialisation, for people
};

// By code.
absl::Span<const CudaErrorInfo> CudaErrors();
// Null where the table lacks it.
const CudaErrorInfo* CudaErrorOf(int code);

// What a line says.
struct CudaErrorWords {
  int code = 0;         // 0: a text that the table lacks
  int or_code = 0;      // era A has one message for 35 and 803
  std::string text;     // what stands behind the colon: a number or a text
  bool at_init = true;  // false: a call failed later (`CUDA error: …`), in whatever state
};

std::optional<CudaErrorWords> FindCudaError(absl::string_view words);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_CUDA_ERROR_H_
