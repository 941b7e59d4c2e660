// Handles that can be checked: what a program holds is a number, never a pointer into the shim.
//
//   Handles<Event, HandleKind::kEvent> events;
//   CUevent handle = reinterpret_cast<CUevent>(events.Add(event));
//   Event* event = events.Find(handle);          // null: no such event, or no longer
//
// A handle carries its kind, the index of its slot and how often the slot was used, so that a
// stale, invented or foreign handle is none, and nothing is read through it. It is never one of
// the small numbers that name a stream (CU_STREAM_LEGACY and its like).
//
// Owns the table, which lasts as long as the process, and not the objects. Not thread-safe: the
// state's lock guards it.

#ifndef SHIMS_CUDA_HANDLES_H_
#define SHIMS_CUDA_HANDLES_H_

#include <stdlib.h>

#include <cstddef>
#include <cstdint>

namespace vgpu::cuda {

enum class HandleKind : uint8_t {
  kContext = 1,
  kArray,
  kMipmappedArray,
  kMemoryPool,
  kPhysicalMemory,
  kStream,
  kEvent,
  kModule,
  kFunction,
  kLibrary,
  kKernel,
  kGraph,
  kGraphNode,
  kGraphExec,
  kTexture,
  kSurface,
  kTextureReference,
  kUserObject,
};

template <typename T, HandleKind kKind>
class Handles {
 public:
  constexpr Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  // 0: no memory, or 2^24 handles of this kind at once.
  uintptr_t Add(T* object) {
    if (free_ == kNone && !Grow()) return 0;
    uint32_t index = free_;
    Slot& slot = slots_[index];
    free_ = slot.next_free;
    slot.object = object;
    return Value(index, slot.generation);
  }

  template <typename Handle>
  T* Find(Handle handle) const {
    uint32_t index = IndexOf((uintptr_t)handle);  // a pointer or a number
    return index == kNone ? nullptr : slots_[index].object;
  }

  // What the handle named, which is none from now on; null: it was none.
  template <typename Handle>
  T* Remove(Handle handle) {
    uint32_t index = IndexOf((uintptr_t)handle);
    if (index == kNone) return nullptr;
    Slot& slot = slots_[index];
    T* object = slot.object;
    slot.object = nullptr;
    ++slot.generation;
    slot.next_free = free_;
    free_ = index;
    return object;
  }

  // Calls `visit(handle, object)` for all; it may remove the handle that it is given.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (uint32_t i = 0; i < size_; ++i) {
      if (slots_[i].object != nullptr) visit(Value(i, slots_[i].generation), slots_[i].object);
    }
  }

 private:
  static constexpr int kKindBits = 5;
  static constexpr int kIndexBits = 24;
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Slot {
    T* object;
    uint32_t generation;
    uint32_t next_free;
  };

  static constexpr uintptr_t Value(uint32_t index, uint32_t generation) {
    return (uintptr_t{generation} << (kIndexBits + kKindBits)) | (uintptr_t{index} << kKindBits) |
           static_cast<uintptr_t>(kKind);
  }

  uint32_t IndexOf(uintptr_t value) const {
    uint32_t index = (value >> kKindBits) & ((uint32_t{1} << kIndexBits) - 1);
    if (index >= size_ || slots_[index].object == nullptr) return kNone;
    return Value(index, slots_[index].generation) == value ? index : kNone;
  }

  bool Grow() {
    uint32_t size = size_ == 0 ? 32 : size_ * 2;
    if (size > (uint32_t{1} << kIndexBits)) return false;
    auto* slots = static_cast<Slot*>(realloc(slots_, size * sizeof(Slot)));
    if (slots == nullptr) return false;
    slots_ = slots;
    for (uint32_t i = size; i-- > size_;) {
      slots_[i] = {nullptr, 1, free_};
      free_ = i;
    }
    size_ = size;
    return true;
  }

  Slot* slots_ = nullptr;
  uint32_t size_ = 0;
  uint32_t free_ = kNone;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_HANDLES_H_
