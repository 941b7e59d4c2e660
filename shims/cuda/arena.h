// Small pieces of memory out of large mappings: apart from the program's heap, so that pages of
// which it registers all (cuMemHostRegister) never hold memory of the driver's, and that nothing
// written beyond the end of one side's memory harms the other's.
//
// A piece is a power of two in size, and zeroed. What is given back is used again, and stays with
// the process, as an arena does. Not thread-safe: the state's lock guards it.

#ifndef SHIMS_CUDA_ARENA_H_
#define SHIMS_CUDA_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace vgpu::cuda {

class Arena {
 public:
  static constexpr size_t kSmallest = 512;
  static constexpr size_t kLargest = 64 << 10;

  // `in_children`: whether a child of fork(2) has the memory.
  explicit constexpr Arena(bool in_children) : in_children_(in_children) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // At most kLargest bytes, aligned to kSmallest. Null: no memory.
  void* Take(size_t size);
  // `size` is what it was taken with.
  void Give(void* piece, size_t size);

 private:
  static constexpr int kSizes = 8;

  // Pieces of one size that are free: their addresses, which do not stand in the pieces, because
  // a program may write through a pointer that it has freed.
  struct Pieces {
    void** piece = nullptr;
    size_t count = 0;
    size_t capacity = 0;
  };

  Pieces free_[kSizes];
  char* next_ = nullptr;  // of the newest mapping, what was not yet taken
  size_t left_ = 0;
  bool in_children_;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_ARENA_H_
