// Memory of every kind, its attributes, and pools.

#include <stdint.h>

#include "shims/cudart/api.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Pitched memory is read by texels of at most 16 bytes; rows are aligned for those.
constexpr unsigned kPitchElement = 4;

// Allocates, where a size of 0 is no error and no memory.
template <typename Allocate>
cudaError_t AllocateSome(void** address, size_t size, Allocate allocate) {
  return WithContext([&](const Driver& driver) {
    if (address == nullptr) return cudaErrorInvalidValue;
    *address = nullptr;
    return size == 0 ? cudaSuccess : FromDriver(allocate(driver));
  });
}

cudaError_t AllocatePitched(void** address, size_t* pitch, size_t width, size_t rows) {
  return WithContext([&](const Driver& driver) {
    if (address == nullptr || pitch == nullptr) return cudaErrorInvalidValue;
    *address = nullptr;
    *pitch = 0;
    if (width == 0 || rows == 0) return cudaSuccess;
    return FromDriver(driver.cuMemAllocPitch_v2(address, pitch, width, rows, kPitchElement));
  });
}

cudaError_t AllocateHost(void** address, size_t size, unsigned flags) {
  return AllocateSome(address, size, [&](const Driver& driver) {
    return driver.cuMemHostAlloc(address, size, flags);
  });
}

}  // namespace

cudaError_t cudaMalloc(void** address, size_t size) {
  return AllocateSome(address, size,
                      [&](const Driver& driver) { return driver.cuMemAlloc_v2(address, size); });
}

cudaError_t cudaMallocPitch(void** address, size_t* pitch, size_t width, size_t height) {
  return AllocatePitched(address, pitch, width, height);
}

cudaError_t cudaMalloc3D(cudaPitchedPtr* pitched, cudaExtent extent) {
  if (pitched == nullptr) return Record(cudaErrorInvalidValue);
  size_t rows = 0;
  if (__builtin_mul_overflow(extent.height, extent.depth, &rows)) {
    return Record(cudaErrorMemoryAllocation);
  }
  *pitched = {nullptr, 0, extent.width, extent.height};
  return AllocatePitched(&pitched->ptr, &pitched->pitch, extent.width, rows);
}

cudaError_t cudaMallocManaged(void** address, size_t size, unsigned flags) {
  return Forward(&Driver::cuMemAllocManaged, address, size, flags);
}

// cudaFree(nullptr) is how programs ask for a context.
cudaError_t cudaFree(void* address) {
  return WithContext([&](const Driver& driver) {
    return address == nullptr ? cudaSuccess : FromDriver(driver.cuMemFree_v2(address));
  });
}

cudaError_t cudaMallocHost(void** address, size_t size) { return AllocateHost(address, size, 0); }

// cudaHostAlloc's flags have the driver's numbers.
cudaError_t cudaHostAlloc(void** address, size_t size, unsigned flags) {
  return AllocateHost(address, size, flags);
}

cudaError_t cudaFreeHost(void* address) {
  return WithContext([&](const Driver& driver) {
    return address == nullptr ? cudaSuccess : FromDriver(driver.cuMemFreeHost(address));
  });
}

cudaError_t cudaHostRegister(void* address, size_t size, unsigned flags) {
  return Forward(&Driver::cuMemHostRegister_v2, address, size, flags);
}

cudaError_t cudaHostUnregister(void* address) {
  return Forward(&Driver::cuMemHostUnregister, address);
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags) {
  return Forward(&Driver::cuMemHostGetDevicePointer_v2, device, host, flags);
}

cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  return Forward(&Driver::cuMemHostGetFlags, flags, host);
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return Forward(&Driver::cuMemGetInfo_v2, free, total);
}

// Managed memory: hints.

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaMemPrefetchAsync(const void* address, size_t size, int device,
                                 cudaStream_t stream) {
  return Forward(&Driver::cuMemPrefetchAsync, address, size, device, stream);
}

cudaError_t cudaMemPrefetchAsync_v2(const void* address, size_t size, cudaMemLocation location,
                                    unsigned flags, cudaStream_t stream) {
  return Forward(&Driver::cuMemPrefetchAsync_v2, address, size, location, flags, stream);
}

cudaError_t cudaMemAdvise(const void* address, size_t size, cudaMemoryAdvise advice, int device) {
  return Forward(&Driver::cuMemAdvise, address, size, advice, device);
}

cudaError_t cudaMemAdvise_v2(const void* address, size_t size, cudaMemoryAdvise advice,
                             cudaMemLocation location) {
  return Forward(&Driver::cuMemAdvise_v2, address, size, advice, location);
}
#else
cudaError_t cudaMemPrefetchAsync(const void* address, size_t size, cudaMemLocation location,
                                 unsigned flags, cudaStream_t stream) {
  return Forward(&Driver::cuMemPrefetchAsync_v2, address, size, location, flags, stream);
}

cudaError_t cudaMemAdvise(const void* address, size_t size, cudaMemoryAdvise advice,
                          cudaMemLocation location) {
  return Forward(&Driver::cuMemAdvise_v2, address, size, advice, location);
}

cudaError_t cudaMemPrefetchBatchAsync(void** addresses, size_t* sizes, size_t count,
                                      cudaMemLocation* locations, size_t* location_indices,
                                      size_t location_count, uint64_t flags, cudaStream_t stream) {
  return Forward(&Driver::cuMemPrefetchBatchAsync, addresses, sizes, count, locations,
                 location_indices, location_count, flags, stream);
}

cudaError_t cudaMemDiscardBatchAsync(void** addresses, size_t* sizes, size_t count, uint64_t flags,
                                     cudaStream_t stream) {
  return Forward(&Driver::cuMemDiscardBatchAsync, addresses, sizes, count, flags, stream);
}

cudaError_t cudaMemDiscardAndPrefetchBatchAsync(void** addresses, size_t* sizes, size_t count,
                                                cudaMemLocation* locations,
                                                size_t* location_indices, size_t location_count,
                                                uint64_t flags, cudaStream_t stream) {
  return Forward(&Driver::cuMemDiscardAndPrefetchBatchAsync, addresses, sizes, count, locations,
                 location_indices, location_count, flags, stream);
}

cudaError_t cudaMemGetLocationInfo(void* address, size_t size, size_t summary_granularity,
                                   size_t sampling_granularity, cudaMemLocation* location) {
  return Forward(&Driver::cuMemGetLocationInfo, address, size, summary_granularity,
                 sampling_granularity, location);
}
#endif

cudaError_t cudaMemRangeGetAttribute(void* data, size_t data_size, cudaMemRangeAttribute attribute,
                                     const void* address, size_t size) {
  return Forward(&Driver::cuMemRangeGetAttribute, data, data_size, attribute, address, size);
}

cudaError_t cudaMemRangeGetAttributes(void** data, size_t* data_sizes,
                                      cudaMemRangeAttribute* attributes, size_t count,
                                      const void* address, size_t size) {
  return Forward(&Driver::cuMemRangeGetAttributes, data, data_sizes, attributes, count, address,
                 size);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  return WithContext([&](const Driver& driver) {
    if (attributes == nullptr || address == nullptr) return cudaErrorInvalidValue;
    unsigned memory_type = 0;
    unsigned managed = 0;  // the driver writes a bool, or a whole word
    int ordinal = CU_DEVICE_INVALID;
    void* device = nullptr;
    void* host = nullptr;
    int names[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_IS_MANAGED,
                   CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_DEVICE_POINTER,
                   CU_POINTER_ATTRIBUTE_HOST_POINTER};
    void* values[] = {&memory_type, &managed, &ordinal, &device, &host};
    if (CUresult result =
            driver.cuPointerGetAttributes(sizeof(names) / sizeof(*names), names, values, address)) {
      return FromDriver(result);
    }
    *attributes = {};
    if (memory_type == 0) {  // memory that CUDA does not know
      attributes->type = cudaMemoryTypeUnregistered;
      attributes->device = CU_DEVICE_INVALID;
      attributes->hostPointer = const_cast<void*>(address);
      return cudaSuccess;
    }
    attributes->type = (managed & 1) != 0                  ? cudaMemoryTypeManaged
                       : memory_type == CU_MEMORYTYPE_HOST ? cudaMemoryTypeHost
                                                           : cudaMemoryTypeDevice;
    attributes->device = ordinal;
    attributes->devicePointer = device;
    attributes->hostPointer = host;
    return cudaSuccess;
  });
}

// Stream-ordered memory and pools.

cudaError_t cudaMallocAsync(void** address, size_t size, cudaStream_t stream) {
  return AllocateSome(address, size, [&](const Driver& driver) {
    return driver.cuMemAllocAsync(address, size, stream);
  });
}

cudaError_t cudaMallocFromPoolAsync(void** address, size_t size, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  return AllocateSome(address, size, [&](const Driver& driver) {
    return driver.cuMemAllocFromPoolAsync(address, size, pool, stream);
  });
}

cudaError_t cudaFreeAsync(void* address, cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return address == nullptr ? cudaSuccess : FromDriver(driver.cuMemFreeAsync(address, stream));
  });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  return Forward(&Driver::cuMemPoolCreate, pool, properties);
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  return Forward(&Driver::cuMemPoolDestroy, pool);
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep) {
  return Forward(&Driver::cuMemPoolTrimTo, pool, keep);
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return Forward(&Driver::cuMemPoolGetAttribute, pool, attribute, value);
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return Forward(&Driver::cuMemPoolSetAttribute, pool, attribute, value);
}

cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool,
                                 cudaMemLocation* location) {
  return Forward(&Driver::cuMemPoolGetAccess, flags, pool, location);
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* accesses,
                                 size_t count) {
  return Forward(&Driver::cuMemPoolSetAccess, pool, accesses, count);
}

cudaError_t cudaMemPoolExportToShareableHandle(void* handle, cudaMemPool_t pool,
                                               cudaMemAllocationHandleType type, unsigned flags) {
  return Forward(&Driver::cuMemPoolExportToShareableHandle, handle, pool, type, flags);
}

cudaError_t cudaMemPoolImportFromShareableHandle(cudaMemPool_t* pool, void* handle,
                                                 cudaMemAllocationHandleType type, unsigned flags) {
  return Forward(&Driver::cuMemPoolImportFromShareableHandle, pool, handle, type, flags);
}

cudaError_t cudaMemPoolExportPointer(cudaMemPoolPtrExportData* data, void* address) {
  return Forward(&Driver::cuMemPoolExportPointer, data, address);
}

cudaError_t cudaMemPoolImportPointer(void** address, cudaMemPool_t pool,
                                     cudaMemPoolPtrExportData* data) {
  return Forward(&Driver::cuMemPoolImportPointer, address, pool, data);
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return Forward(&Driver::cuDeviceGetDefaultMemPool, pool, device);
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return Forward(&Driver::cuDeviceGetMemPool, pool, device);
}

cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  return Forward(&Driver::cuDeviceSetMemPool, device, pool);
}

#if VGPU_CUDART_MAJOR == 13
cudaError_t cudaMemGetDefaultMemPool(cudaMemPool_t* pool, cudaMemLocation* location,
                                     cudaMemAllocationType type) {
  return Forward(&Driver::cuMemGetDefaultMemPool, pool, location, type);
}

cudaError_t cudaMemGetMemPool(cudaMemPool_t* pool, cudaMemLocation* location,
                              cudaMemAllocationType type) {
  return Forward(&Driver::cuMemGetMemPool, pool, location, type);
}

cudaError_t cudaMemSetMemPool(cudaMemLocation* location, cudaMemAllocationType type,
                              cudaMemPool_t pool) {
  return Forward(&Driver::cuMemSetMemPool, location, type, pool);
}
#endif

cudaError_t cudaDeviceGetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute,
                                           void* value) {
  return Forward(&Driver::cuDeviceGetGraphMemAttribute, device, attribute, value);
}

cudaError_t cudaDeviceSetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute,
                                           void* value) {
  return Forward(&Driver::cuDeviceSetGraphMemAttribute, device, attribute, value);
}

cudaError_t cudaDeviceGraphMemTrim(int device) {
  return Forward(&Driver::cuDeviceGraphMemTrim, device);
}

// Memory and events of other processes.

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* address) {
  return Forward(&Driver::cuIpcGetMemHandle, handle, address);
}

cudaError_t cudaIpcOpenMemHandle(void** address, cudaIpcMemHandle_t handle, unsigned flags) {
  return Forward(&Driver::cuIpcOpenMemHandle_v2, address, handle, flags);
}

cudaError_t cudaIpcCloseMemHandle(void* address) {
  return Forward(&Driver::cuIpcCloseMemHandle, address);
}

cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t* handle, cudaEvent_t event) {
  return Forward(&Driver::cuIpcGetEventHandle, handle, event);
}

cudaError_t cudaIpcOpenEventHandle(cudaEvent_t* event, cudaIpcEventHandle_t handle) {
  return Forward(&Driver::cuIpcOpenEventHandle, event, handle);
}

}  // namespace vgpu::cudart
