// Advice about managed memory, and what was said of it last.
//
// Managed memory is host RAM like all memory here, so nothing moves: advice and prefetches are
// checked, kept for each part of a range that they were given for, and told when asked
// (cuMemRangeGetAttribute).

#include <stdlib.h>

#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work.h"
#include "shims/device/device.h"

namespace cuda = vgpu::cuda;
using cuda::Allocation;
using cuda::Call;
using cuda::Context;
using cuda::MemoryKind;
using cuda::Range;

namespace {

constexpr CUmemLocation kNowhere = {CU_MEM_LOCATION_TYPE_INVALID, CU_DEVICE_INVALID};

// Bits of the processors that use a part: one for each device, and one for the host.
constexpr int kHostBit = vgpu::device::kMaxDevices;
static_assert(kHostBit < 32);

// A part of an allocation for which the same was said. The parts of one follow each other without
// a gap, and the last reaches to its end.
struct Part {
  uintptr_t end;
  Part* next;
  bool read_mostly;
  uint32_t accessed_by;
  CUmemLocation preferred;
  CUmemLocation prefetched;
};

bool Same(const CUmemLocation& a, const CUmemLocation& b) {
  return a.type == b.type && a.id == b.id;
}

void FreeParts(Allocation* allocation) {
  for (auto* part = static_cast<Part*>(allocation->extra); part != nullptr;) {
    Part* next = part->next;
    free(part);
    part = next;
  }
  allocation->extra = nullptr;
}

// The parts of an allocation of which nothing was said yet is one.
Part* FirstPart(Allocation* allocation) {
  if (allocation->extra == nullptr) {
    auto* part = static_cast<Part*>(malloc(sizeof(Part)));
    if (part == nullptr) return nullptr;
    *part = {allocation->range.end, nullptr, false, 0, kNowhere, kNowhere};
    allocation->extra = part;
    allocation->on_free = FreeParts;
  }
  return static_cast<Part*>(allocation->extra);
}

// Lets a part end at `at`, which lies in the allocation. False: no memory.
bool Split(Allocation* allocation, uintptr_t at) {
  uintptr_t begin = allocation->range.begin;
  for (Part* part = FirstPart(allocation); part != nullptr; part = part->next) {
    if (at == begin || at == part->end) return true;
    if (at < part->end) {
      auto* rest = static_cast<Part*>(malloc(sizeof(Part)));
      if (rest == nullptr) return false;
      *rest = *part;
      part->end = at;
      part->next = rest;
      return true;
    }
    begin = part->end;
  }
  return false;
}

template <typename Visit>
CUresult ForEachPart(Allocation* allocation, Range range, Visit visit) {
  if (!Split(allocation, range.begin) || !Split(allocation, range.end)) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  uintptr_t begin = allocation->range.begin;
  for (Part* part = FirstPart(allocation); part != nullptr; part = part->next) {
    if (begin >= range.begin && part->end <= range.end) visit(part);
    begin = part->end;
  }
  return CUDA_SUCCESS;
}

// All of it has to lie in one managed allocation.
CUresult FindManaged(CUdeviceptr address, size_t size, Allocation** allocation, Range* range) {
  *range = {static_cast<uintptr_t>(address), static_cast<uintptr_t>(address + size)};
  *allocation = cuda::FindAllocation(range->begin);
  if (size == 0 || range->end < range->begin || *allocation == nullptr ||
      (*allocation)->kind != MemoryKind::kManaged || range->end > (*allocation)->range.end) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CUmemLocation Location(CUdevice device) {
  if (device == CU_DEVICE_CPU) return {CU_MEM_LOCATION_TYPE_HOST, 0};
  return {CU_MEM_LOCATION_TYPE_DEVICE, device};
}

CUresult CheckLocation(const CUmemLocation& location) {
  switch (location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      return location.id >= 0 && location.id < cuda::DeviceCount() ? CUDA_SUCCESS
                                                                   : CUDA_ERROR_INVALID_DEVICE;
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult Advise(CUdeviceptr address, size_t size, CUmem_advise advice, CUmemLocation location) {
  Call call;
  if (CUresult error = call.Current()) return error;
  Allocation* allocation;
  Range range;
  if (CUresult error = FindManaged(address, size, &allocation, &range)) return error;
  switch (advice) {
    case CU_MEM_ADVISE_SET_READ_MOSTLY:
    case CU_MEM_ADVISE_UNSET_READ_MOSTLY:
    case CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
      break;
    case CU_MEM_ADVISE_SET_PREFERRED_LOCATION:
    case CU_MEM_ADVISE_SET_ACCESSED_BY:
    case CU_MEM_ADVISE_UNSET_ACCESSED_BY:
      if (CUresult error = CheckLocation(location)) return error;
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  const uint32_t bit =
      uint32_t{1} << (location.type == CU_MEM_LOCATION_TYPE_DEVICE ? location.id & 15 : kHostBit);
  return ForEachPart(allocation, range, [&](Part* part) {
    switch (advice) {
      case CU_MEM_ADVISE_SET_READ_MOSTLY:
        part->read_mostly = true;
        break;
      case CU_MEM_ADVISE_UNSET_READ_MOSTLY:
        part->read_mostly = false;
        break;
      case CU_MEM_ADVISE_SET_PREFERRED_LOCATION:
        part->preferred = location;
        break;
      case CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
        part->preferred = kNowhere;
        break;
      case CU_MEM_ADVISE_SET_ACCESSED_BY:
        part->accessed_by |= bit;
        break;
      case CU_MEM_ADVISE_UNSET_ACCESSED_BY:
        part->accessed_by &= ~bit;
        break;
    }
  });
}

CUresult PrefetchIn(CUdeviceptr address, size_t size, CUmemLocation location) {
  Allocation* allocation;
  Range range;
  if (CUresult error = FindManaged(address, size, &allocation, &range)) return error;
  if (CUresult error = CheckLocation(location)) return error;
  return ForEachPart(allocation, range, [&](Part* part) { part->prefetched = location; });
}

CUresult Prefetch(CUdeviceptr address, size_t size, CUmemLocation location, unsigned flags,
                  CUstream stream) {
  Call call;
  Context* context;
  if (CUresult error = cuda::ContextOutsideCapture(call, stream, &context)) return error;
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  return PrefetchIn(address, size, location);
}

// What all parts of a range agree on.
struct Common {
  bool first = true;
  bool read_mostly = true;
  uint32_t accessed_by = ~uint32_t{0};
  CUmemLocation preferred = kNowhere;
  CUmemLocation prefetched = kNowhere;
};

CUresult Agree(Allocation* allocation, Range range, Common* common) {
  return ForEachPart(allocation, range, [&](const Part* part) {
    common->read_mostly = common->read_mostly && part->read_mostly;
    common->accessed_by &= part->accessed_by;
    if (common->first) {
      common->preferred = part->preferred;
      common->prefetched = part->prefetched;
      common->first = false;
      return;
    }
    if (!Same(common->preferred, part->preferred)) common->preferred = kNowhere;
    if (!Same(common->prefetched, part->prefetched)) common->prefetched = kNowhere;
  });
}

// A location as an attribute of before CUDA 12.2 says it.
int OldNumber(const CUmemLocation& location) {
  switch (location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      return location.id;
    case CU_MEM_LOCATION_TYPE_HOST:
      return CU_DEVICE_CPU;
    default:
      return CU_DEVICE_INVALID;
  }
}

CUresult Give(const Common& common, CUmem_range_attribute attribute, void* data, size_t size) {
  auto* numbers = static_cast<int*>(data);
  if (attribute == CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY) {
    if (size == 0 || size % sizeof(int) != 0) return CUDA_ERROR_INVALID_VALUE;
    size_t written = 0;
    for (int bit = 0; bit <= kHostBit && written < size / sizeof(int); ++bit) {
      if ((common.accessed_by >> bit & 1) != 0) {
        numbers[written++] = bit == kHostBit ? CU_DEVICE_CPU : bit;
      }
    }
    while (written < size / sizeof(int)) numbers[written++] = CU_DEVICE_INVALID;
    return CUDA_SUCCESS;
  }
  if (size != sizeof(int)) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY:
      *numbers = common.read_mostly ? 1 : 0;
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION:
      *numbers = OldNumber(common.preferred);
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION:
      *numbers = OldNumber(common.prefetched);
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE:
      *numbers = common.preferred.type;
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID:
      *numbers = common.preferred.id;
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE:
      *numbers = common.prefetched.type;
      return CUDA_SUCCESS;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID:
      *numbers = common.prefetched.id;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

// A batch of ranges in a stream: what all of them have to be before any is touched.
CUresult CheckBatch(const Call& call, const CUdeviceptr* addresses, const size_t* sizes,
                    size_t count, unsigned long long flags, CUstream stream) {
  Context* context;
  if (CUresult error = cuda::ContextOutsideCapture(call, stream, &context)) return error;
  if (addresses == nullptr || sizes == nullptr || count == 0 || flags != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t i = 0; i < count; ++i) {
    Allocation* allocation;
    Range range;
    if (CUresult error = FindManaged(addresses[i], sizes[i], &allocation, &range)) return error;
  }
  return CUDA_SUCCESS;
}

CUresult PrefetchBatch(CUdeviceptr* addresses, size_t* sizes, size_t count,
                       CUmemLocation* locations, size_t* first, size_t location_count,
                       unsigned long long flags, CUstream stream) {
  Call call;
  if (CUresult error = CheckBatch(call, addresses, sizes, count, flags, stream)) return error;
  // Location k is that of the ranges from first[k] on.
  if (locations == nullptr || first == nullptr || location_count == 0 || location_count > count ||
      first[0] != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t k = 0; k < location_count; ++k) {
    if ((k > 0 && first[k] <= first[k - 1]) || first[k] >= count) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult error = CheckLocation(locations[k])) return error;
  }
  for (size_t i = 0, k = 0; i < count; ++i) {
    if (k + 1 < location_count && first[k + 1] == i) ++k;
    if (CUresult error = PrefetchIn(addresses[i], sizes[i], locations[k])) return error;
  }
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

VGPU_EXPORT CUresult cuMemAdvise(CUdeviceptr address, size_t size, CUmem_advise advice,
                                 CUdevice device) {
  return Advise(address, size, advice, Location(device));
}

VGPU_EXPORT CUresult cuMemAdvise_v2(CUdeviceptr address, size_t size, CUmem_advise advice,
                                    CUmemLocation location) {
  return Advise(address, size, advice, location);
}

VGPU_EXPORT CUresult cuMemPrefetchAsync(CUdeviceptr address, size_t size, CUdevice device,
                                        CUstream stream) {
  return Prefetch(address, size, Location(device), 0, stream);
}

VGPU_EXPORT CUresult cuMemPrefetchAsync_v2(CUdeviceptr address, size_t size, CUmemLocation location,
                                           unsigned flags, CUstream stream) {
  return Prefetch(address, size, location, flags, stream);
}

VGPU_EXPORT CUresult cuMemPrefetchBatchAsync(CUdeviceptr* addresses, size_t* sizes, size_t count,
                                             CUmemLocation* locations, size_t* first,
                                             size_t location_count, unsigned long long flags,
                                             CUstream stream) {
  return PrefetchBatch(addresses, sizes, count, locations, first, location_count, flags, stream);
}

// What is discarded may be read as anything: here it stays what it was.
VGPU_EXPORT CUresult cuMemDiscardBatchAsync(CUdeviceptr* addresses, size_t* sizes, size_t count,
                                            unsigned long long flags, CUstream stream) {
  Call call;
  return CheckBatch(call, addresses, sizes, count, flags, stream);
}

VGPU_EXPORT CUresult cuMemDiscardAndPrefetchBatchAsync(CUdeviceptr* addresses, size_t* sizes,
                                                       size_t count, CUmemLocation* locations,
                                                       size_t* first, size_t location_count,
                                                       unsigned long long flags, CUstream stream) {
  return PrefetchBatch(addresses, sizes, count, locations, first, location_count, flags, stream);
}

VGPU_EXPORT CUresult cuMemRangeGetAttributes(void** data, size_t* sizes,
                                             CUmem_range_attribute* attributes, size_t count,
                                             CUdeviceptr address, size_t size) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (data == nullptr || sizes == nullptr || attributes == nullptr || count == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  Allocation* allocation;
  Range range;
  if (CUresult error = FindManaged(address, size, &allocation, &range)) return error;
  Common common;
  if (CUresult error = Agree(allocation, range, &common)) return error;
  for (size_t i = 0; i < count; ++i) {
    if (data[i] == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult error = Give(common, attributes[i], data[i], sizes[i])) return error;
  }
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemRangeGetAttribute(void* data, size_t data_size,
                                            CUmem_range_attribute attribute, CUdeviceptr address,
                                            size_t size) {
  return cuMemRangeGetAttributes(&data, &data_size, &attribute, 1, address, size);
}

}  // extern "C"
