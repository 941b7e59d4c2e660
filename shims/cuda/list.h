// A growing list of plain values, for code that has no C++ runtime.
//
//   List<CUgraphNode> nodes;
//   if (!nodes.Push(node)) return CUDA_ERROR_OUT_OF_MEMORY;
//
// Owns its memory, not what its values point to. Not thread-safe.

#ifndef SHIMS_CUDA_LIST_H_
#define SHIMS_CUDA_LIST_H_

#include <stdlib.h>

#include <cstddef>
#include <type_traits>

namespace vgpu::cuda {

template <typename T>
class List {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "values are moved by realloc");

 public:
  constexpr List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { free(data_); }

  // False: no memory, and nothing has changed.
  bool Push(const T& value) {
    if (size_ == capacity_) {
      const size_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
      // NOLINTNEXTLINE(bugprone-sizeof-expression): values may be pointers
      void* data = realloc(static_cast<void*>(data_), capacity * sizeof(T));
      if (data == nullptr) return false;
      data_ = static_cast<T*>(data);
      capacity_ = capacity;
    }
    data_[size_++] = value;
    return true;
  }

  bool Append(const List& other) {
    for (const T& value : other) {
      if (!Push(value)) return false;
    }
    return true;
  }

  bool Contains(const T& value) const {
    for (const T& own : *this) {
      if (own == value) return true;
    }
    return false;
  }

  // Keeps the order of the rest.
  void RemoveAt(size_t index) {
    for (size_t i = index + 1; i < size_; ++i) data_[i - 1] = data_[i];
    --size_;
  }
  void Remove(const T& value) {
    for (size_t i = 0; i < size_; ++i) {
      if (data_[i] == value) return RemoveAt(i);
    }
  }
  void Clear() { size_ = 0; }

  void Swap(List& other) {
    T* data = data_;
    const size_t size = size_;
    const size_t capacity = capacity_;
    data_ = other.data_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    other.data_ = data;
    other.size_ = size;
    other.capacity_ = capacity;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t index) { return data_[index]; }
  const T& operator[](size_t index) const { return data_[index]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_LIST_H_
