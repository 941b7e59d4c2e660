// What an image of a module says of itself: the names of its kernels and variables.
//
//   Image image;
//   CUresult error = ReadImage(data, kUnknownSize, {9, 0}, &image);
//   const ImageKernel* kernel = image.FindKernel("vector_add");
//
// An image is what cuModuleLoadData takes: a cubin (ELF of machine EM_CUDA), PTX text, or a fat
// binary of several of them, with or without its wrapper. Of a fat binary the cubin of the newest
// architecture that runs on the device counts, else the newest PTX that can be compiled for it.
//
// An image is read and never kept: names and the variables' first values are copied. A caller of
// cuModuleLoadData gives no size. What is read then is what the image's own headers declare and
// the process has mapped, never more, so a header that lies makes an INVALID_IMAGE and no crash.
//
// Members of fat binaries are often compressed (LZ4 or Zstandard), and they are not unpacked here:
// such an image is `opaque`. Its names are not known, so none can be denied.
//
// Layouts: ELF as in the System V ABI; EM_CUDA and the fat binary's headers as read in NVIDIA's own
// libcudadevrt.a 13.5 and described in cuda-gdb's and the Cricket project's sources.

#ifndef SHIMS_CUDA_IMAGE_H_
#define SHIMS_CUDA_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/list.h"

namespace vgpu::cuda {

inline constexpr size_t kUnknownSize = ~size_t{0};

struct ComputeCapability {
  int major = 0;
  int minor = 0;
};

// -1: the image does not say (PTX says nothing of what it is compiled to).
struct ImageKernel {
  char* name = nullptr;  // owned by the image
  int registers = -1;    // a thread
  int shared_bytes = -1;
  int local_bytes = -1;  // a thread
  int max_threads = -1;  // a block
};

struct ImageVariable {
  char* name = nullptr;  // owned by the image
  uint64_t bytes = 0;
  uint8_t* initial = nullptr;  // owned by the image; null: zeros
};

struct Image {
  Image() = default;
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  const ImageKernel* FindKernel(std::string_view name) const;
  const ImageVariable* FindVariable(std::string_view name) const;

  bool opaque = false;
  int binary_version = 0;  // 10 * major + minor of a cubin; 0: PTX, or not known
  int ptx_target = 0;      // 90 of PTX for sm_90; 0: a cubin, or not known
  List<ImageKernel> kernels;
  List<ImageVariable> variables;
};

// INVALID_IMAGE: none of the three, or damaged. INVALID_PTX: text that begins as PTX and is none.
// NO_BINARY_FOR_GPU: nothing in it is for this device. OUT_OF_MEMORY.
CUresult ReadImage(const void* data, size_t size, ComputeCapability device, Image* image);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_IMAGE_H_
