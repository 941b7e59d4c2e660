// Memory that is taken and given back in the order of a stream, out of pools.
//
// As work is eager (work.h), memory that is given back is free when the call returns, so a pool
// never holds more than is in use: reserved and used are the same, nothing is there to trim, and
// the attributes about reuse and the release threshold are kept and mean nothing. What is in use
// counts against the device.

#include <stdlib.h>

#include <algorithm>
#include <new>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work.h"
#include "shims/device/device.h"

namespace cuda = vgpu::cuda;
using cuda::Allocation;
using cuda::Call;
using cuda::Context;
using cuda::MemoryKind;

namespace {

struct Pool {
  CUmemoryPool handle = nullptr;
  int ordinal = 0;
  bool is_default = false;
  // Destroyed while some of its memory was in use, which ends it.
  bool closed = false;
  int allocations = 0;
  int reuse[3] = {1, 1, 1};  // the three attributes about it
  uint64_t release_threshold = 0;
  uint64_t used = 0;
  uint64_t reserved_high = 0;
  uint64_t used_high = 0;
  uint64_t most = 0;  // 0: as much as the device has
  CUmemAccess_flags access[vgpu::device::kMaxDevices] = {};
};

constinit cuda::Handles<Pool, cuda::HandleKind::kMemoryPool> g_pools;
constinit Pool* g_default[vgpu::device::kMaxDevices] = {};
// What cuMemAllocAsync takes from; null: the default one.
constinit Pool* g_current[vgpu::device::kMaxDevices] = {};

Pool* MakePool(int ordinal) {
  void* memory = malloc(sizeof(Pool));
  if (memory == nullptr) return nullptr;
  auto* pool = new (memory) Pool();
  pool->ordinal = ordinal;
  pool->access[ordinal] = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  pool->handle = reinterpret_cast<CUmemoryPool>(g_pools.Add(pool));
  if (pool->handle != nullptr) return pool;
  free(pool);
  return nullptr;
}

Pool* DefaultPool(int ordinal) {
  Pool*& pool = g_default[ordinal];
  if (pool == nullptr) {
    pool = MakePool(ordinal);
    if (pool != nullptr) pool->is_default = true;
  }
  return pool;
}

Pool* CurrentPool(int ordinal) {
  return g_current[ordinal] != nullptr ? g_current[ordinal] : DefaultPool(ordinal);
}

void Freed(Allocation* allocation) {
  auto* pool = static_cast<Pool*>(allocation->extra);
  pool->used -= allocation->charged;
  if (--pool->allocations == 0 && pool->closed) free(pool);
}

// `stream` was asked for `size` bytes of `pool`.
CUresult AllocateFrom(Pool* pool, Context* context, size_t size, CUdeviceptr* out) {
  if (pool->most != 0 && (size > pool->most || pool->used > pool->most - size)) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  Allocation* allocation;
  if (CUresult error = cuda::Allocate(context, pool->ordinal, size,
                                      {.kind = MemoryKind::kPool, .owned = false}, &allocation)) {
    return error;
  }
  allocation->extra = pool;
  allocation->on_free = Freed;
  ++pool->allocations;
  pool->used += allocation->charged;
  pool->used_high = std::max(pool->used_high, pool->used);
  pool->reserved_high = std::max(pool->reserved_high, pool->used);
  *out = allocation->range.begin;
  return CUDA_SUCCESS;
}

CUresult PoolByHandle(const Call& call, CUmemoryPool handle, Pool** pool) {
  if (CUresult error = call.status()) return error;
  *pool = g_pools.Find(handle);
  return *pool == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

// The device that a location names, where pools can be; the host has none, as its device attribute
// says.
CUresult DeviceOf(const Call& call, const CUmemLocation* location, CUmemAllocationType type,
                  int* ordinal) {
  if (CUresult error = call.status()) return error;
  if (location == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (type != CU_MEM_ALLOCATION_TYPE_PINNED && type != CU_MEM_ALLOCATION_TYPE_MANAGED) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  switch (location->type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      break;
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
      return CUDA_ERROR_NOT_SUPPORTED;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  if (type == CU_MEM_ALLOCATION_TYPE_MANAGED) return CUDA_ERROR_NOT_SUPPORTED;
  *ordinal = location->id;
  const vgpu::device::Device* device;
  return call.Device(location->id, &device);
}

CUresult GivePool(Pool* pool, CUmemoryPool* out) {
  if (pool == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *out = pool->handle;
  return CUDA_SUCCESS;
}

CUresult SetCurrentPool(int ordinal, CUmemoryPool handle) {
  Pool* pool = g_pools.Find(handle);
  if (pool == nullptr || pool->ordinal != ordinal) return CUDA_ERROR_INVALID_VALUE;
  g_current[ordinal] = pool;
  return CUDA_SUCCESS;
}

}  // namespace

namespace vgpu::cuda {

CUmemoryPool PoolOf(const Allocation* allocation) {
  const auto* pool = static_cast<const Pool*>(allocation->extra);
  return pool->closed ? nullptr : pool->handle;
}

}  // namespace vgpu::cuda

extern "C" {

// --- Allocation

VGPU_EXPORT CUresult cuMemAllocAsync(CUdeviceptr* pointer, size_t size, CUstream stream) {
  Call call;
  Context* context;
  if (CUresult error = cuda::ContextOutsideCapture(call, stream, &context)) return error;
  if (pointer == nullptr || size == 0) return CUDA_ERROR_INVALID_VALUE;
  Pool* pool = CurrentPool(context->ordinal);
  return pool == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : AllocateFrom(pool, context, size, pointer);
}

VGPU_EXPORT CUresult cuMemAllocFromPoolAsync(CUdeviceptr* pointer, size_t size, CUmemoryPool handle,
                                             CUstream stream) {
  Call call;
  Context* context;
  if (CUresult error = cuda::ContextOutsideCapture(call, stream, &context)) return error;
  Pool* pool = g_pools.Find(handle);
  if (pointer == nullptr || size == 0 || pool == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return AllocateFrom(pool, context, size, pointer);
}

VGPU_EXPORT CUresult cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
  Call call;
  Context* context;
  if (CUresult error = cuda::ContextOutsideCapture(call, stream, &context)) return error;
  if (pointer == 0) return CUDA_SUCCESS;
  Allocation* allocation = cuda::FindAllocationAt(static_cast<uintptr_t>(pointer));
  // Memory of cuMemAlloc may be given back in this way too.
  if (allocation == nullptr ||
      (allocation->kind != MemoryKind::kPool && allocation->kind != MemoryKind::kDevice)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  cuda::Free(allocation);
  return CUDA_SUCCESS;
}

// --- Pools

VGPU_EXPORT CUresult cuMemPoolCreate(CUmemoryPool* out, const CUmemPoolProps* properties) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr || properties == nullptr) return CUDA_ERROR_INVALID_VALUE;
  int ordinal;
  if (CUresult error = DeviceOf(call, &properties->location, properties->allocType, &ordinal)) {
    return error;
  }
  // Nothing of a pool can be shared, as its device attribute says.
  if (properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE) return CUDA_ERROR_NOT_SUPPORTED;
  Pool* pool = MakePool(ordinal);
  if (pool != nullptr) pool->most = properties->maxSize;
  return GivePool(pool, out);
}

VGPU_EXPORT CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  Call call;
  Pool* pool;
  if (CUresult error = PoolByHandle(call, handle, &pool)) return error;
  if (pool->is_default) return CUDA_ERROR_INVALID_VALUE;
  g_pools.Remove(handle);
  if (g_current[pool->ordinal] == pool) g_current[pool->ordinal] = nullptr;
  pool->closed = true;
  if (pool->allocations == 0) free(pool);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* out, CUdevice ordinal) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return out == nullptr ? CUDA_ERROR_INVALID_VALUE : GivePool(DefaultPool(ordinal), out);
}

VGPU_EXPORT CUresult cuDeviceGetMemPool(CUmemoryPool* out, CUdevice ordinal) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return out == nullptr ? CUDA_ERROR_INVALID_VALUE : GivePool(CurrentPool(ordinal), out);
}

VGPU_EXPORT CUresult cuDeviceSetMemPool(CUdevice ordinal, CUmemoryPool handle) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return SetCurrentPool(ordinal, handle);
}

VGPU_EXPORT CUresult cuMemGetDefaultMemPool(CUmemoryPool* out, CUmemLocation* location,
                                            CUmemAllocationType type) {
  Call call;
  int ordinal;
  if (CUresult error = DeviceOf(call, location, type, &ordinal)) return error;
  return out == nullptr ? CUDA_ERROR_INVALID_VALUE : GivePool(DefaultPool(ordinal), out);
}

VGPU_EXPORT CUresult cuMemGetMemPool(CUmemoryPool* out, CUmemLocation* location,
                                     CUmemAllocationType type) {
  Call call;
  int ordinal;
  if (CUresult error = DeviceOf(call, location, type, &ordinal)) return error;
  return out == nullptr ? CUDA_ERROR_INVALID_VALUE : GivePool(CurrentPool(ordinal), out);
}

VGPU_EXPORT CUresult cuMemSetMemPool(CUmemLocation* location, CUmemAllocationType type,
                                     CUmemoryPool handle) {
  Call call;
  int ordinal;
  if (CUresult error = DeviceOf(call, location, type, &ordinal)) return error;
  return SetCurrentPool(ordinal, handle);
}

VGPU_EXPORT CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t) {
  Call call;
  Pool* pool;
  return PoolByHandle(call, handle, &pool);
}

VGPU_EXPORT CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute,
                                           void* value) {
  Call call;
  Pool* pool;
  if (CUresult error = PoolByHandle(call, handle, &pool)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  auto* number = static_cast<int*>(value);
  auto* bytes = static_cast<uint64_t*>(value);
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      *number = pool->reuse[attribute - CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES];
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      *bytes = pool->release_threshold;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
      *bytes = pool->used;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      *bytes = pool->reserved_high;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      *bytes = pool->used_high;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_ALLOCATION_TYPE:
      *number = CU_MEM_ALLOCATION_TYPE_PINNED;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_EXPORT_HANDLE_TYPES:
      *number = CU_MEM_HANDLE_TYPE_NONE;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_LOCATION_ID:
      *number = pool->ordinal;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_LOCATION_TYPE:
      *number = CU_MEM_LOCATION_TYPE_DEVICE;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_MAX_POOL_SIZE:
      *bytes = pool->most;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_HW_DECOMPRESS_ENABLED:
      *number = 0;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_LOCALITY_DOMAIN_ID:
      *number = -1;
      return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

VGPU_EXPORT CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute,
                                           void* value) {
  Call call;
  Pool* pool;
  if (CUresult error = PoolByHandle(call, handle, &pool)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      pool->reuse[attribute - CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES] =
          *static_cast<int*>(value) != 0 ? 1 : 0;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      pool->release_threshold = *static_cast<uint64_t*>(value);
      return CUDA_SUCCESS;
    // High marks begin again at what is in use, and no other number than 0 asks for that.
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      if (*static_cast<uint64_t*>(value) != 0) return CUDA_ERROR_INVALID_VALUE;
      pool->reserved_high = pool->used;
      return CUDA_SUCCESS;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      if (*static_cast<uint64_t*>(value) != 0) return CUDA_ERROR_INVALID_VALUE;
      pool->used_high = pool->used;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

VGPU_EXPORT CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* descriptions,
                                        size_t count) {
  Call call;
  Pool* pool;
  if (CUresult error = PoolByHandle(call, handle, &pool)) return error;
  if (descriptions == nullptr && count != 0) return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) {
    const CUmemAccessDesc& description = descriptions[i];
    if (description.location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
    const vgpu::device::Device* device;
    if (CUresult error = call.Device(description.location.id, &device)) return error;
    // The device that has the memory cannot be kept from it, and for the others there is all or
    // nothing.
    const bool none = description.flags == CU_MEM_ACCESS_FLAGS_PROT_NONE;
    if ((!none && description.flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) ||
        (none && description.location.id == pool->ordinal)) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    pool->access[descriptions[i].location.id] = descriptions[i].flags;
  }
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool handle,
                                        CUmemLocation* location) {
  Call call;
  Pool* pool;
  if (CUresult error = PoolByHandle(call, handle, &pool)) return error;
  if (flags == nullptr || location == nullptr || location->type != CU_MEM_LOCATION_TYPE_DEVICE) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(location->id, &device)) return error;
  *flags = pool->access[location->id];
  return CUDA_SUCCESS;
}

// --- Memory that graphs allocate: there is none beyond what launches of graphs hold as they run.

VGPU_EXPORT CUresult cuDeviceGetGraphMemAttribute(CUdevice ordinal, CUgraphMem_attribute attribute,
                                                  void* value) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  if (value == nullptr || attribute < CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT ||
      attribute > CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *static_cast<uint64_t*>(value) = 0;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceSetGraphMemAttribute(CUdevice ordinal, CUgraphMem_attribute attribute,
                                                  void* value) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  if (value == nullptr || *static_cast<uint64_t*>(value) != 0 ||
      (attribute != CU_GRAPH_MEM_ATTR_USED_MEM_HIGH &&
       attribute != CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGraphMemTrim(CUdevice ordinal) {
  Call call;
  const vgpu::device::Device* device;
  return call.Device(ordinal, &device);
}

}  // extern "C"
