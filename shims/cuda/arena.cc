#include "shims/cuda/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>

namespace vgpu::cuda {
namespace {

constexpr size_t kMapping = size_t{2} << 20;

static_assert(Arena::kSmallest << 7 == Arena::kLargest, "eight sizes");

size_t PieceSize(size_t size) { return std::bit_ceil(std::max(size, Arena::kSmallest)); }

int IndexOf(size_t piece_size) {
  return std::countr_zero(piece_size) - std::countr_zero(Arena::kSmallest);
}

}  // namespace

void* Arena::Take(size_t size) {
  const size_t piece_size = PieceSize(size);
  Pieces& pieces = free_[IndexOf(piece_size)];
  if (pieces.count > 0) {
    void* piece = pieces.piece[--pieces.count];
    memset(piece, 0, piece_size);
    return piece;
  }
  if (left_ < piece_size) {
    void* mapping = mmap(nullptr, kMapping, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    if (!in_children_) madvise(mapping, kMapping, MADV_DONTFORK);
    next_ = static_cast<char*>(mapping);
    left_ = kMapping;
  }
  void* piece = next_;
  next_ += piece_size;
  left_ -= piece_size;
  return piece;
}

void Arena::Give(void* piece, size_t size) {
  Pieces& pieces = free_[IndexOf(PieceSize(size))];
  if (pieces.count == pieces.capacity) {
    const size_t capacity = std::max<size_t>(pieces.capacity * 2, 64);
    auto* grown = static_cast<void**>(realloc(pieces.piece, capacity * sizeof(void*)));
    if (grown == nullptr) return;  // it is not used again
    pieces.piece = grown;
    pieces.capacity = capacity;
  }
  pieces.piece[pieces.count++] = piece;
}

}  // namespace vgpu::cuda
