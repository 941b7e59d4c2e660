// Virtual memory management: address space, physical memory, and what of it is mapped where.
//
// Address space is a mapping that nobody can read. Physical memory is shared memory of this
// process, so that it can be mapped at several places and outlives each: a mapping of its own
// that nobody can read either (the anchor), of which mremap(2) makes further ones. No file
// descriptor is needed for that, and a program that closes all of them loses nothing. Memory
// that is to be exported is a memfd instead: its descriptor is what is passed on.
//
// What counts against the device is physical memory, from cuMemCreate until it is released and
// mapped nowhere. Imported memory counts where it was made.

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <span>
#include <string_view>

#include "shims/abi/cuda_types.h"
#include "shims/base/text.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/state.h"
#include "shims/device/device.h"
#include "shims/usage/usage.h"

namespace cuda = vgpu::cuda;
using cuda::Allocation;
using cuda::Call;
using cuda::MemoryKind;
using cuda::Range;

namespace {

// As of an H100 under driver 570 for memory of a device.
constexpr size_t kGranularity = size_t{2} << 20;

// Of a memfd that is ours: its name, as /proc/self/fd shows it, goes on with the device's UUID.
constexpr char kFileName[] = "vgpu-memory-";

struct Physical {
  CUmemAllocationProp properties = {};
  int ordinal = 0;
  size_t size = 0;
  uint64_t id = 0;
  int references = 1;  // of the handle: cuMemCreate, cuMemRetainAllocationHandle
  int mappings = 0;
  size_t charged = 0;
  char* anchor = nullptr;
  int fd = -1;      // -1: not to be exported
  ino_t inode = 0;  // of fd, so that another file of the same number is not taken for it
  CUmemGenericAllocationHandle handle = 0;
};

// Which locations may use a mapping: a bit for each device, and one for the host.
struct Mapping {
  Physical* physical;
  uint32_t read;
  uint32_t write;
};
constexpr int kHostBit = vgpu::device::kMaxDevices;
static_assert(kHostBit < 32);

constinit cuda::Handles<Physical, cuda::HandleKind::kPhysicalMemory> g_physical;
constinit uint64_t g_next_id = 1;

bool Aligned(size_t value) { return value % kGranularity == 0; }

// The bit of a location that memory can be used from; -1: it is none.
int LocationBit(const CUmemLocation& location) {
  switch (location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      return location.id >= 0 && location.id < cuda::DeviceCount() ? location.id : -1;
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
      return kHostBit;
    case CU_MEM_LOCATION_TYPE_INVALID:
      break;
  }
  return -1;
}

// What cuMemCreate and the question for its granularity accept alike.
CUresult Check(const CUmemAllocationProp& properties) {
  if (properties.type != CU_MEM_ALLOCATION_TYPE_PINNED) return CUDA_ERROR_INVALID_VALUE;
  switch (properties.location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      if (properties.location.id < 0 || properties.location.id >= cuda::DeviceCount()) {
        return CUDA_ERROR_INVALID_DEVICE;
      }
      break;
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
      return CUDA_ERROR_NOT_SUPPORTED;  // as its device attribute says
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  switch (properties.requestedHandleTypes) {
    case CU_MEM_HANDLE_TYPE_NONE:
    case CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR:
      break;
    default:
      return CUDA_ERROR_NOT_SUPPORTED;
  }
  // Compression is asked for and not granted, as on a device without it: the handle's properties
  // say so. A tile pool is for sparse arrays, which there are not.
  constexpr unsigned short kTilePool = 1;
  return (properties.allocFlags.usage & kTilePool) != 0 ? CUDA_ERROR_NOT_SUPPORTED : CUDA_SUCCESS;
}

void Destroy(Physical* physical) {
  if (physical->anchor != nullptr) munmap(physical->anchor, physical->size);
  struct stat status;
  if (physical->fd >= 0 && fstat(physical->fd, &status) == 0 && status.st_ino == physical->inode) {
    close(physical->fd);
  }
  if (physical->charged != 0) {
    vgpu::usage::Release(cuda::DeviceAt(physical->ordinal), physical->charged);
  }
  free(physical);
}

void DropIfUnused(Physical* physical) {
  if (physical->references == 0 && physical->mappings == 0) {
    g_physical.Remove(physical->handle);
    Destroy(physical);
  }
}

// Takes ownership of `fd`; -1: memory that stays in this process.
CUresult MakePhysical(int ordinal, size_t size, const CUmemAllocationProp& properties, int fd,
                      Physical** out) {
  void* memory = malloc(sizeof(Physical));
  if (memory == nullptr) {
    if (fd >= 0) close(fd);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  auto* physical = new (memory) Physical();
  physical->ordinal = ordinal;
  physical->size = size;
  physical->properties = properties;
  physical->properties.allocFlags.compressionType = 0;
  physical->id = g_next_id++;
  physical->fd = fd;
  struct stat status = {};
  if (fd >= 0 && fstat(fd, &status) == 0) physical->inode = status.st_ino;
  void* anchor = mmap(nullptr, size, PROT_NONE,
                      MAP_SHARED | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (anchor != MAP_FAILED) {
    physical->anchor = static_cast<char*>(anchor);
    madvise(anchor, size, MADV_DONTFORK);
    physical->handle = g_physical.Add(physical);
  }
  if (physical->handle == 0) {
    Destroy(physical);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *out = physical;
  return CUDA_SUCCESS;
}

// A file in memory that can be passed on and not be cut, which would end whoever reads it.
int MakeFile(int ordinal, size_t size) {
  char name[sizeof kFileName + vgpu::device::kUuidText];
  memcpy(name, kFileName, sizeof kFileName - 1);
  vgpu::device::FormatUuid(cuda::DeviceAt(ordinal).uuid,
                           std::span<char, vgpu::device::kUuidText>(name + sizeof kFileName - 1,
                                                                    vgpu::device::kUuidText));
  const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (ftruncate(fd, static_cast<off_t>(size)) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

// Whether `fd` is such a file; of which of our devices, and how large it is.
bool RecogniseFile(int fd, int* ordinal, size_t* size) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return false;
  char link[64] = "/proc/self/fd/";
  vgpu::TextWriter path(link);
  path.Add("/proc/self/fd/").AddNumber(fd);
  char target[128];
  const ssize_t length = readlink(link, target, sizeof target);
  if (length <= 0) return false;
  std::string_view name(target, static_cast<size_t>(length));
  constexpr std::string_view kPrefix = "/memfd:vgpu-memory-";
  constexpr std::string_view kSuffix = " (deleted)";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  vgpu::device::Uuid uuid;
  struct stat status;
  if (!vgpu::device::ParseUuid(name, &uuid) || fstat(fd, &status) != 0 || status.st_size <= 0) {
    return false;
  }
  for (int i = 0; i < cuda::DeviceCount(); ++i) {
    if (cuda::DeviceAt(i).uuid == uuid) {
      *ordinal = i;
      *size = static_cast<size_t>(status.st_size);
      return true;
    }
  }
  return false;
}

// Nothing at these addresses again but their reservation. In place of a mapping that is there this
// needs no more of them than there are, so it does not fail.
void Clear(Range range) {
  void* address = reinterpret_cast<void*>(range.begin);
  (void)mmap(address, range.size(), PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void Unmapped(Allocation* allocation) {
  auto* mapping = static_cast<Mapping*>(allocation->extra);
  Clear(allocation->range);
  --mapping->physical->mappings;
  DropIfUnused(mapping->physical);
  free(mapping);
}

// The mappings that make up `range`, from the lowest: calls `visit` for each. False, and nothing
// was visited: some of it is not mapped, or a mapping stands out.
template <typename Visit>
bool ForEachMapping(Range range, Visit visit) {
  for (uintptr_t at = range.begin; at < range.end;) {
    const Allocation* allocation = cuda::FindAllocationAt(at);
    if (allocation == nullptr || allocation->kind != MemoryKind::kMapped ||
        allocation->range.end > range.end) {
      return false;
    }
    at = allocation->range.end;
  }
  for (uintptr_t at = range.begin; at < range.end;) {
    Allocation* allocation = cuda::FindAllocationAt(at);
    at = allocation->range.end;
    visit(allocation);
  }
  return true;
}

// A range as the functions below are given it: whole granules, one at least.
bool ValidRange(CUdeviceptr address, size_t size, Range* range) {
  if (address == 0 || size == 0 || !Aligned(address) || !Aligned(size) ||
      address + size < address) {
    return false;
  }
  *range = {static_cast<uintptr_t>(address), static_cast<uintptr_t>(address + size)};
  return true;
}

int Protection(const Mapping& mapping) {
  return (mapping.read != 0 ? PROT_READ : PROT_NONE) |
         (mapping.write != 0 ? PROT_WRITE : PROT_NONE);
}

const Mapping* MappingAt(uintptr_t address) {
  const Allocation* allocation = cuda::FindAllocation(address);
  if (allocation == nullptr || allocation->kind != MemoryKind::kMapped) return nullptr;
  return static_cast<const Mapping*>(allocation->extra);
}

}  // namespace

namespace vgpu::cuda {

bool PhysicalMemoryAt(uintptr_t address, PhysicalMemoryFacts* facts) {
  const Mapping* mapping = MappingAt(address);
  if (mapping == nullptr) return false;
  facts->id = mapping->physical->id;
  facts->handle_types = mapping->physical->properties.requestedHandleTypes;
  return true;
}

}  // namespace vgpu::cuda

extern "C" {

// --- Address space

VGPU_EXPORT CUresult cuMemAddressReserve(CUdeviceptr* out, size_t size, size_t alignment,
                                         CUdeviceptr hint, unsigned long long flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr || size == 0 || !Aligned(size) || (alignment & (alignment - 1)) != 0 ||
      flags != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (alignment < kGranularity) alignment = kGranularity;
  size_t taken;
  if (__builtin_add_overflow(size, alignment, &taken)) return CUDA_ERROR_OUT_OF_MEMORY;
  // Where the program wants it, if that is free; else wherever the kernel has room.
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* wanted = MAP_FAILED;
  if (hint != 0 && hint % alignment == 0) {
    wanted =
        mmap(reinterpret_cast<void*>(hint), size, PROT_NONE, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
  }
  uintptr_t begin;
  if (wanted != MAP_FAILED) {
    begin = reinterpret_cast<uintptr_t>(wanted);
  } else {
    void* room = mmap(nullptr, taken, PROT_NONE, kFlags, -1, 0);
    if (room == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
    const auto first = reinterpret_cast<uintptr_t>(room);
    begin = (first + alignment - 1) & ~(alignment - 1);
    if (begin > first) munmap(room, begin - first);
    const uintptr_t end = begin + size;
    if (first + taken > end) munmap(reinterpret_cast<void*>(end), first + taken - end);
  }
  if (!cuda::AddReservation({begin, begin + size})) {
    munmap(reinterpret_cast<void*>(begin), size);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *out = begin;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemAddressFree(CUdeviceptr address, size_t size) {
  Call call;
  if (CUresult error = call.status()) return error;
  Range range;
  if (!ValidRange(address, size, &range)) return CUDA_ERROR_INVALID_VALUE;
  const Range* reserved = cuda::FindReservation(range);
  if (reserved == nullptr || reserved->begin != range.begin || reserved->end != range.end ||
      cuda::FindOverlap(range) != nullptr) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  cuda::RemoveReservation(range);
  munmap(reinterpret_cast<void*>(range.begin), range.size());
  return CUDA_SUCCESS;
}

// --- Physical memory

VGPU_EXPORT CUresult cuMemGetAllocationGranularity(size_t* granularity,
                                                   const CUmemAllocationProp* properties,
                                                   CUmemAllocationGranularity_flags option) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (granularity == nullptr || properties == nullptr ||
      (option != CU_MEM_ALLOC_GRANULARITY_MINIMUM &&
       option != CU_MEM_ALLOC_GRANULARITY_RECOMMENDED)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = Check(*properties)) return error;
  *granularity = kGranularity;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t size,
                                 const CUmemAllocationProp* properties, unsigned long long flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle == nullptr || properties == nullptr || size == 0 || !Aligned(size) || flags != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = Check(*properties)) return error;
  const int ordinal = properties->location.id;
  const vgpu::device::Device& device = cuda::DeviceAt(ordinal);
  if (!vgpu::usage::Reserve(device, size)) return CUDA_ERROR_OUT_OF_MEMORY;
  int fd = -1;
  CUresult error = CUDA_SUCCESS;
  if (properties->requestedHandleTypes == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) {
    fd = MakeFile(ordinal, size);
    if (fd < 0) error = CUDA_ERROR_OUT_OF_MEMORY;
  }
  Physical* physical = nullptr;
  if (error == CUDA_SUCCESS) error = MakePhysical(ordinal, size, *properties, fd, &physical);
  if (error != CUDA_SUCCESS) {
    vgpu::usage::Release(device, size);
    return error;
  }
  physical->charged = size;
  *handle = physical->handle;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  Physical* physical = g_physical.Find(handle);
  if (physical == nullptr || physical->references == 0) return CUDA_ERROR_INVALID_VALUE;
  --physical->references;
  DropIfUnused(physical);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle,
                                                 void* address) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const Mapping* mapping = MappingAt(reinterpret_cast<uintptr_t>(address));
  if (mapping == nullptr) return CUDA_ERROR_INVALID_VALUE;
  ++mapping->physical->references;
  *handle = mapping->physical->handle;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties,
                                                            CUmemGenericAllocationHandle handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Physical* physical = g_physical.Find(handle);
  if (properties == nullptr || physical == nullptr || physical->references == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *properties = physical->properties;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemExportToShareableHandle(void* shared, CUmemGenericAllocationHandle handle,
                                                  CUmemAllocationHandleType type,
                                                  unsigned long long flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Physical* physical = g_physical.Find(handle);
  if (shared == nullptr || physical == nullptr || physical->references == 0 || flags != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) return CUDA_ERROR_NOT_SUPPORTED;
  struct stat status;
  if (physical->fd < 0 || fstat(physical->fd, &status) != 0 || status.st_ino != physical->inode) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const int fd = fcntl(physical->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return CUDA_ERROR_OPERATING_SYSTEM;
  *static_cast<int*>(shared) = fd;
  return CUDA_SUCCESS;
}

// The program keeps the descriptor that it gives, and may close it.
VGPU_EXPORT CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle,
                                                    void* shared, CUmemAllocationHandleType type) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) return CUDA_ERROR_NOT_SUPPORTED;
  const int given = static_cast<int>(reinterpret_cast<intptr_t>(shared));
  int ordinal = 0;
  size_t size = 0;
  if (!RecogniseFile(given, &ordinal, &size) || !Aligned(size)) return CUDA_ERROR_INVALID_VALUE;
  const int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return CUDA_ERROR_OPERATING_SYSTEM;
  CUmemAllocationProp properties = {};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, ordinal};
  Physical* physical;
  if (CUresult error = MakePhysical(ordinal, size, properties, fd, &physical)) return error;
  *handle = physical->handle;
  return CUDA_SUCCESS;
}

// --- Mappings

VGPU_EXPORT CUresult cuMemMap(CUdeviceptr address, size_t size, size_t offset,
                              CUmemGenericAllocationHandle handle, unsigned long long flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  Range range;
  Physical* physical = g_physical.Find(handle);
  if (physical == nullptr || physical->references == 0 || flags != 0 ||
      !ValidRange(address, size, &range) || !Aligned(offset) || offset > physical->size ||
      size > physical->size - offset) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const Range* reserved = cuda::FindReservation(range);
  if (reserved == nullptr || reserved->begin > range.begin || reserved->end < range.end ||
      cuda::FindOverlap(range) != nullptr) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto* mapping = static_cast<Mapping*>(malloc(sizeof(Mapping)));
  if (mapping == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *mapping = {physical, 0, 0};
  // A length of 0 makes one more mapping of shared memory (mremap(2)).
  void* there = reinterpret_cast<void*>(range.begin);
  if (mremap(physical->anchor + offset, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, there) ==
      MAP_FAILED) {
    Clear(range);
    free(mapping);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  madvise(there, size, MADV_DONTFORK);
  Allocation* allocation;
  const CUresult error =
      cuda::Enter(nullptr, physical->ordinal, range,
                  {.kind = MemoryKind::kMapped, .owned = false, .charge = false}, &allocation);
  if (error != CUDA_SUCCESS) {
    Clear(range);
    free(mapping);
    return error;
  }
  ++physical->mappings;
  allocation->readable = false;
  allocation->writable = false;
  allocation->extra = mapping;
  allocation->on_free = Unmapped;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemUnmap(CUdeviceptr address, size_t size) {
  Call call;
  if (CUresult error = call.status()) return error;
  Range range;
  if (!ValidRange(address, size, &range)) return CUDA_ERROR_INVALID_VALUE;
  for (;;) {
    // Addresses cannot outlive their mapping: a copy that uses them ends first.
    bool pinned = false;
    if (!ForEachMapping(range, [&](Allocation* a) { pinned = pinned || a->pins > 0; })) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    if (!pinned) break;
    call.Yield();
  }
  ForEachMapping(range, [](Allocation* allocation) { cuda::Free(allocation); });
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemSetAccess(CUdeviceptr address, size_t size,
                                    const CUmemAccessDesc* descriptions, size_t count) {
  Call call;
  if (CUresult error = call.status()) return error;
  Range range;
  if (!ValidRange(address, size, &range) || descriptions == nullptr || count == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t i = 0; i < count; ++i) {
    const CUmemAccess_flags flags = descriptions[i].flags;
    if (LocationBit(descriptions[i].location) < 0) {
      return descriptions[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE
                 ? CUDA_ERROR_INVALID_DEVICE
                 : CUDA_ERROR_INVALID_VALUE;
    }
    if (flags != CU_MEM_ACCESS_FLAGS_PROT_NONE && flags != CU_MEM_ACCESS_FLAGS_PROT_READ &&
        flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  bool done = true;
  const bool mapped = ForEachMapping(range, [&](Allocation* allocation) {
    auto* mapping = static_cast<Mapping*>(allocation->extra);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t bit = uint32_t{1} << LocationBit(descriptions[i].location);
      const CUmemAccess_flags flags = descriptions[i].flags;
      mapping->read =
          flags == CU_MEM_ACCESS_FLAGS_PROT_NONE ? mapping->read & ~bit : mapping->read | bit;
      mapping->write = flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE ? mapping->write | bit
                                                                   : mapping->write & ~bit;
    }
    // A copy is not one device's: what one of them may do, it may do.
    allocation->readable = mapping->read != 0;
    allocation->writable = mapping->write != 0;
    done = mprotect(reinterpret_cast<void*>(allocation->range.begin), allocation->range.size(),
                    Protection(*mapping)) == 0 &&
           done;
  });
  if (!mapped) return CUDA_ERROR_INVALID_VALUE;
  return done ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_EXPORT CUresult cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location,
                                    CUdeviceptr address) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (flags == nullptr || location == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const int bit = LocationBit(*location);
  const Mapping* mapping = MappingAt(static_cast<uintptr_t>(address));
  if (bit < 0 || mapping == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *flags = (mapping->write >> bit & 1) != 0  ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
           : (mapping->read >> bit & 1) != 0 ? CU_MEM_ACCESS_FLAGS_PROT_READ
                                             : CU_MEM_ACCESS_FLAGS_PROT_NONE;
  return CUDA_SUCCESS;
}

}  // extern "C"
