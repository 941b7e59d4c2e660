// The memory of the virtual devices: host RAM, counted against the device that it stands for.
//
// A device pointer is the address of that RAM (addressing is unified). So a program that reads
// through one, which a real device would answer with a fault, reads its own memory and harms
// nobody else. Pages are taken from the system when they are first written, never reserved
// or locked: 80 GiB that nobody touches cost nothing. They are not there in a child of fork(2).
//
// What counts: device memory, managed memory (at the device whose context asked), pools, and
// physical memory made by cuMemCreate, each rounded up to kGranule. Host memory does not.
//
// Every range that the driver has handed out or that a program has registered is in one
// tree, by address. So a copy is checked against what is there, a pointer that means nothing is
// an error and not a fault, and memory that is freed while another thread copies stays until
// that copy ends.
//
// Functions want the state's lock (state.h).

#ifndef SHIMS_CUDA_MEMORY_H_
#define SHIMS_CUDA_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/state.h"

namespace vgpu::cuda {

// What cuMemAlloc's pointers are aligned to (CUDA C++ Programming Guide 12.8, "Device Memory
// Accesses", asks for 256 at least) and what is counted.
inline constexpr size_t kGranule = 512;

enum class MemoryKind : uint8_t {
  kDevice,      // cuMemAlloc
  kArray,       // cuArrayCreate: freed with its array alone
  kManaged,     // cuMemAllocManaged
  kPool,        // cuMemAllocAsync
  kHost,        // cuMemHostAlloc
  kRegistered,  // cuMemHostRegister: the program's own
  kMapped,      // cuMemMap
};

// Where the bytes come from, and so where they go.
enum class Backing : uint8_t { kArena, kMap, kForeign };

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;

  size_t size() const { return end - begin; }
};

struct Allocation {
  Range range;  // first: the tree compares it
  MemoryKind kind = MemoryKind::kDevice;
  Backing backing = Backing::kForeign;
  int ordinal = 0;              // of the device
  CUcontext context = nullptr;  // of whoever asked for it
  bool owned = false;           // ends with that context
  unsigned flags = 0;           // of the function that made it
  bool sync_memops = false;
  uint64_t id = 0;     // CU_POINTER_ATTRIBUTE_BUFFER_ID
  size_t charged = 0;  // bytes, in shims/usage
  // What copies may do: memory that is mapped has no access until it is set (cuMemSetAccess).
  bool readable = true;
  bool writable = true;
  void* extra = nullptr;  // of the kind: its pool, its physical memory, its advice
  // Called when it is freed, for what `extra` needs, with the lock held.
  void (*on_free)(Allocation* allocation) = nullptr;
  // Copies that are reading or writing it now. Freed at the last one's end.
  int pins = 0;
  bool freed = false;
  Allocation* previous = nullptr;  // of its context's
  Allocation* next = nullptr;
};

struct MemoryRequest {
  MemoryKind kind = MemoryKind::kDevice;
  unsigned flags = 0;
  bool low = false;    // below 4 GiB, for pointers of 32 bits
  bool owned = true;   // by the context
  bool charge = true;  // false: somebody else has counted it
};

// New memory, zeroed. OUT_OF_MEMORY: of the device, or the host has no more address space.
CUresult Allocate(Context* context, int ordinal, size_t size, const MemoryRequest& request,
                  Allocation** allocation);

// Enters what exists already. HOST_MEMORY_ALREADY_REGISTERED: some of it is in the tree.
CUresult Enter(Context* context, int ordinal, Range range, const MemoryRequest& request,
               Allocation** allocation);

// Takes it out of the tree and off the account. Its bytes go when nothing pins it any more.
void Free(Allocation* allocation);

// All that ends with the context.
void FreeAllOf(Context* context);

// The allocation that holds this address. Null: none.
Allocation* FindAllocation(uintptr_t address);
// The one that begins there.
Allocation* FindAllocationAt(uintptr_t address);
// The lowest one that has an address in common with `range`, or null.
Allocation* FindOverlap(Range range);

inline constexpr bool OnDevice(MemoryKind kind) {
  return kind != MemoryKind::kHost && kind != MemoryKind::kRegistered;
}

// Whether the process has memory at all of these addresses, of whatever kind.
bool IsMapped(Range range);

// Address space that cuMemAddressReserve has taken: nothing can be read there but what is
// mapped into it.
bool AddReservation(Range range);  // false: no memory
void RemoveReservation(Range range);
// The reservation that has an address in common with `range`, or null.
const Range* FindReservation(Range range);

// What is known of the physical memory that is mapped there (virtual_memory.cc). False: none is.
struct PhysicalMemoryFacts {
  uint64_t id = 0;
  CUmemAllocationHandleType handle_types = CU_MEM_HANDLE_TYPE_NONE;
};
bool PhysicalMemoryAt(uintptr_t address, PhysicalMemoryFacts* facts);

// The pool that memory of kind kPool is of (pool.cc). Null: it was destroyed.
CUmemoryPool PoolOf(const Allocation* allocation);

// Holds all allocations of a range that a copy uses. At most so many, one after another
// without a gap: mappings of physical memory (cuMemMap).
class Pins {
 public:
  static constexpr int kMax = 256;

  // Pins what [address, address + size) lies in. True: all of it is known, and each one lets it
  // be used so. False, and nothing more is pinned: some is not, and `*overlap` is the lowest
  // allocation that has a part of it, or null.
  bool Take(uintptr_t address, size_t size, bool write, Allocation** overlap);
  void Drop();

 private:
  Allocation* held_[kMax];
  int count_ = 0;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_MEMORY_H_
