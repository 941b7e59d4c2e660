// CUDA arrays: host RAM with rows that follow each other, in a format that is kept and told.
//
// Functions want the state's lock (state.h).

#ifndef SHIMS_CUDA_ARRAY_H_
#define SHIMS_CUDA_ARRAY_H_

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/memory.h"

namespace vgpu::cuda {

struct Array {
  CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
  CUcontext context = nullptr;
  size_t element = 0;  // bytes
  uintptr_t address = 0;
  size_t row = 0;     // bytes
  size_t rows = 1;    // of a slice
  size_t slices = 1;  // or layers, or faces of a cube
  // Null: a level of a mipmapped array, which owns the memory.
  Allocation* memory = nullptr;

  size_t size() const { return row * rows * slices; }
};

// Null: no such array.
Array* FindArray(CUarray handle);

// Whether there is such a mipmapped array.
bool IsMipmappedArray(CUmipmappedArray handle);

// The arrays of a context that ends. Their memory ends with it.
void ArraysEnd(Context* context);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_ARRAY_H_
