// Objects with members that own something, made without operator new.

#ifndef SHIMS_CUDA_OBJECT_H_
#define SHIMS_CUDA_OBJECT_H_

#include <stdlib.h>

#include <new>

namespace vgpu::cuda {

// Null: no memory.
template <typename T>
T* Make() {
  void* memory = malloc(sizeof(T));
  return memory == nullptr ? nullptr : new (memory) T();
}

template <typename T>
void Destroy(T* object) {
  if (object == nullptr) return;
  object->~T();
  free(object);
}

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_OBJECT_H_
