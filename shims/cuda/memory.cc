#include "shims/cuda/memory.h"

#include <search.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "shims/cuda/arena.h"
#include "shims/log/log.h"
#include "shims/usage/usage.h"

namespace vgpu::cuda {
namespace {

// What is larger than a piece of these is a mapping of its own: it goes back to the system when it
// is freed, and costs nothing until it is touched. A child of fork has the host's memory, and not
// a device's.
constinit Arena g_device_arena(false);
constinit Arena g_host_arena(true);

constinit void* g_tree = nullptr;          // of Allocation, tsearch(3)
constinit void* g_reservations = nullptr;  // of Range
constinit uint64_t g_next_id = 1;

// Ranges that overlap are equal: so a search by one address finds what holds it.
int Compare(const void* a, const void* b) {
  const auto* x = static_cast<const Range*>(a);
  const auto* y = static_cast<const Range*>(b);
  if (x->end <= y->begin) return -1;
  return x->begin >= y->end ? 1 : 0;
}

Allocation* Search(const Range& range) {
  void* node = tfind(&range, &g_tree, Compare);
  return node == nullptr ? nullptr : *static_cast<Allocation**>(node);
}

size_t RoundUp(size_t size, size_t to) { return (size + to - 1) / to * to; }

Arena& ArenaOf(MemoryKind kind) { return OnDevice(kind) ? g_device_arena : g_host_arena; }

void ReleaseBytes(MemoryKind kind, Backing backing, Range range) {
  void* address = reinterpret_cast<void*>(range.begin);
  switch (backing) {
    case Backing::kArena:
      ArenaOf(kind).Give(address, range.size());
      break;
    case Backing::kMap:
      munmap(address, range.size());
      break;
    case Backing::kForeign:
      break;
  }
}

void Delete(Allocation* allocation) {
  ReleaseBytes(allocation->kind, allocation->backing, allocation->range);
  free(allocation);
}

void* TakeBytes(size_t size, const MemoryRequest& request, Backing* backing) {
  if (size <= Arena::kLargest && !request.low) {
    *backing = Backing::kArena;
    return ArenaOf(request.kind).Take(size);
  }
  *backing = Backing::kMap;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  // The kernel puts it below 2 GiB.
  if (request.low) flags |= MAP_32BIT;
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address == MAP_FAILED) return nullptr;
  // The parent's memory is not copied for a child that may not use it.
  if (OnDevice(request.kind)) madvise(address, size, MADV_DONTFORK);
  return address;
}

}  // namespace

CUresult Enter(Context* context, int ordinal, Range range, const MemoryRequest& request,
               Allocation** allocation) {
  if (Search(range) != nullptr) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  void* memory = malloc(sizeof(Allocation));
  if (memory == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  auto* made = new (memory) Allocation();
  made->range = range;
  made->kind = request.kind;
  made->ordinal = ordinal;
  made->context = context == nullptr ? nullptr : context->handle;
  made->flags = request.flags;
  made->id = g_next_id++;
  if (tsearch(made, &g_tree, Compare) == nullptr) {
    free(made);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  if (request.owned && context != nullptr) {
    made->owned = true;
    made->next = context->allocations;
    if (made->next != nullptr) made->next->previous = made;
    context->allocations = made;
  }
  *allocation = made;
  return CUDA_SUCCESS;
}

CUresult Allocate(Context* context, int ordinal, size_t size, const MemoryRequest& request,
                  Allocation** allocation) {
  const device::Device& device = DeviceAt(ordinal);
  // Also keeps the sums below from overflowing.
  const bool possible = size <= (size_t{1} << 47);
  const size_t charged = request.charge && OnDevice(request.kind) ? RoundUp(size, kGranule) : 0;
  if (!possible || (charged != 0 && !usage::Reserve(device, charged))) {
    if (log::Enabled(log::Level::kInfo)) {
      log::Write(log::Level::kInfo, kLibrary, "out of device memory",
                 {{"device", ordinal},
                  {"bytes", size},
                  {"used", usage::Used(device)},
                  {"total", device.memory_bytes}});
    }
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  Backing backing;
  void* address = TakeBytes(size, request, &backing);
  CUresult error = CUDA_ERROR_OUT_OF_MEMORY;
  if (address == nullptr) {
    log::Write(log::Level::kInfo, kLibrary, "out of host memory",
               {{"device", ordinal}, {"bytes", size}});
  } else {
    const auto begin = reinterpret_cast<uintptr_t>(address);
    error = Enter(context, ordinal, {begin, begin + size}, request, allocation);
    if (error == CUDA_SUCCESS) {
      (*allocation)->backing = backing;
      (*allocation)->charged = charged;
      return CUDA_SUCCESS;
    }
    ReleaseBytes(request.kind, backing, {begin, begin + size});
  }
  if (charged != 0) usage::Release(device, charged);
  return error;
}

void Free(Allocation* allocation) {
  tdelete(allocation, &g_tree, Compare);
  if (allocation->on_free != nullptr) allocation->on_free(allocation);
  if (allocation->charged != 0) {
    usage::Release(DeviceAt(allocation->ordinal), allocation->charged);
    allocation->charged = 0;
  }
  if (allocation->owned) {
    if (allocation->next != nullptr) allocation->next->previous = allocation->previous;
    if (allocation->previous != nullptr) {
      allocation->previous->next = allocation->next;
    } else {
      FindContext(allocation->context)->allocations = allocation->next;
    }
  }
  allocation->freed = true;
  if (allocation->pins == 0) Delete(allocation);
}

void FreeAllOf(Context* context) {
  for (Allocation* allocation = context->allocations; allocation != nullptr;) {
    Allocation* next = allocation->next;
    Free(allocation);
    allocation = next;
  }
}

Allocation* FindAllocation(uintptr_t address) { return Search({address, address + 1}); }

Allocation* FindAllocationAt(uintptr_t address) {
  Allocation* found = FindAllocation(address);
  return found != nullptr && found->range.begin == address ? found : nullptr;
}

Allocation* FindOverlap(Range range) {
  Allocation* found = Search(range);
  // The search meets any of them first; what lies below it is looked at until none is left.
  while (found != nullptr && found->range.begin > range.begin) {
    Allocation* lower = Search({range.begin, found->range.begin});
    if (lower == nullptr) break;
    found = lower;
  }
  return found;
}

bool IsMapped(Range range) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = range.begin / page * page;
  // MS_ASYNC does nothing but look (msync(2): ENOMEM).
  return msync(reinterpret_cast<void*>(first), range.end - first, MS_ASYNC) == 0;
}

bool AddReservation(Range range) {
  auto* made = static_cast<Range*>(malloc(sizeof(Range)));
  if (made == nullptr) return false;
  *made = range;
  if (tsearch(made, &g_reservations, Compare) != nullptr) return true;
  free(made);
  return false;
}

void RemoveReservation(Range range) {
  auto* found = const_cast<Range*>(FindReservation(range));
  if (found == nullptr) return;
  tdelete(found, &g_reservations, Compare);
  free(found);
}

const Range* FindReservation(Range range) {
  void* node = tfind(&range, &g_reservations, Compare);
  return node == nullptr ? nullptr : *static_cast<Range**>(node);
}

bool Pins::Take(uintptr_t address, size_t size, bool write, Allocation** overlap) {
  const int before = count_;
  const uintptr_t end = address + size;
  bool good = end >= address;
  for (uintptr_t at = address; good && at < end;) {
    Allocation* allocation = FindAllocation(at);
    good = allocation != nullptr && count_ < kMax &&
           (write ? allocation->writable : allocation->readable);
    if (!good) break;
    ++allocation->pins;
    held_[count_++] = allocation;
    at = allocation->range.end;
  }
  if (good) return true;
  while (count_ > before) --held_[--count_]->pins;
  *overlap = FindOverlap({address, end});
  return false;
}

void Pins::Drop() {
  while (count_ > 0) {
    Allocation* allocation = held_[--count_];
    if (--allocation->pins == 0 && allocation->freed) Delete(allocation);
  }
}

}  // namespace vgpu::cuda
