// Any bytes as the image of a module: no crash, no leak, no hang.

#include <cstddef>
#include <cstdint>

#include "shims/cuda/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vgpu::cuda::Image image;
  vgpu::cuda::ReadImage(data, size, {9, 0}, &image);
  return 0;
}
