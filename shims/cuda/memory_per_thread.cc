// The functions that take a stream, for programs whose stream 0 is the calling thread's own
// (compiled with --default-stream per-thread).

#include <cstddef>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/per_thread.h"

using vgpu::cuda::PerThread;

extern "C" {

// --- Copies and fills

VGPU_EXPORT CUresult cuMemcpy2DAsync_v2_ptsz(const CUDA_MEMCPY2D* p, CUstream stream) {
  return cuMemcpy2DAsync_v2(p, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpy3DAsync_v2_ptsz(const CUDA_MEMCPY3D* p, CUstream stream) {
  return cuMemcpy3DAsync_v2(p, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpy3DPeerAsync_ptsz(const CUDA_MEMCPY3D_PEER* p, CUstream stream) {
  return cuMemcpy3DPeerAsync(p, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyAsync_ptsz(CUdeviceptr to, CUdeviceptr from, size_t size,
                                        CUstream stream) {
  return cuMemcpyAsync(to, from, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyAtoHAsync_v2_ptsz(void* to, CUarray from, size_t offset, size_t size,
                                               CUstream stream) {
  return cuMemcpyAtoHAsync_v2(to, from, offset, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyDtoDAsync_v2_ptsz(CUdeviceptr to, CUdeviceptr from, size_t size,
                                               CUstream stream) {
  return cuMemcpyDtoDAsync_v2(to, from, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyDtoHAsync_v2_ptsz(void* to, CUdeviceptr from, size_t size,
                                               CUstream stream) {
  return cuMemcpyDtoHAsync_v2(to, from, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyHtoAAsync_v2_ptsz(CUarray to, size_t offset, const void* from,
                                               size_t size, CUstream stream) {
  return cuMemcpyHtoAAsync_v2(to, offset, from, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyHtoDAsync_v2_ptsz(CUdeviceptr to, const void* from, size_t size,
                                               CUstream stream) {
  return cuMemcpyHtoDAsync_v2(to, from, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyPeerAsync_ptsz(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                                            CUcontext from_context, size_t size, CUstream stream) {
  return cuMemcpyPeerAsync(to, to_context, from, from_context, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD16Async_ptsz(CUdeviceptr to, unsigned short value, size_t count,
                                           CUstream stream) {
  return cuMemsetD16Async(to, value, count, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD2D16Async_ptsz(CUdeviceptr to, size_t pitch, unsigned short value,
                                             size_t width, size_t height, CUstream stream) {
  return cuMemsetD2D16Async(to, pitch, value, width, height, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD2D32Async_ptsz(CUdeviceptr to, size_t pitch, unsigned value,
                                             size_t width, size_t height, CUstream stream) {
  return cuMemsetD2D32Async(to, pitch, value, width, height, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD2D8Async_ptsz(CUdeviceptr to, size_t pitch, unsigned char value,
                                            size_t width, size_t height, CUstream stream) {
  return cuMemsetD2D8Async(to, pitch, value, width, height, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD32Async_ptsz(CUdeviceptr to, unsigned value, size_t count,
                                           CUstream stream) {
  return cuMemsetD32Async(to, value, count, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemsetD8Async_ptsz(CUdeviceptr to, unsigned char value, size_t count,
                                          CUstream stream) {
  return cuMemsetD8Async(to, value, count, PerThread(stream));
}

// --- Batches of copies

VGPU_EXPORT CUresult cuMemcpy3DBatchAsync_ptsz(size_t count, CUDA_MEMCPY3D_BATCH_OP* boxes,
                                               size_t* failed, unsigned long long flags,
                                               CUstream stream) {
  return cuMemcpy3DBatchAsync(count, boxes, failed, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpy3DBatchAsync_v2_ptsz(size_t count, CUDA_MEMCPY3D_BATCH_OP* boxes,
                                                  unsigned long long flags, CUstream stream) {
  return cuMemcpy3DBatchAsync_v2(count, boxes, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpy3DWithAttributesAsync_ptsz(CUDA_MEMCPY3D_BATCH_OP* box,
                                                        unsigned long long flags, CUstream stream) {
  return cuMemcpy3DWithAttributesAsync(box, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyBatchAsync_ptsz(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes,
                                             size_t count, CUmemcpyAttributes* attributes,
                                             size_t* first, size_t attribute_count, size_t* failed,
                                             CUstream stream) {
  return cuMemcpyBatchAsync(to, from, sizes, count, attributes, first, attribute_count, failed,
                            PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyBatchAsync_v2_ptsz(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes,
                                                size_t count, CUmemcpyAttributes* attributes,
                                                size_t* first, size_t attribute_count,
                                                CUstream stream) {
  return cuMemcpyBatchAsync_v2(to, from, sizes, count, attributes, first, attribute_count,
                               PerThread(stream));
}

VGPU_EXPORT CUresult cuMemcpyWithAttributesAsync_ptsz(CUdeviceptr to, CUdeviceptr from, size_t size,
                                                      CUmemcpyAttributes* attributes,
                                                      CUstream stream) {
  return cuMemcpyWithAttributesAsync(to, from, size, attributes, PerThread(stream));
}

// --- Pools

VGPU_EXPORT CUresult cuMemAllocAsync_ptsz(CUdeviceptr* pointer, size_t size, CUstream stream) {
  return cuMemAllocAsync(pointer, size, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemAllocFromPoolAsync_ptsz(CUdeviceptr* pointer, size_t size,
                                                  CUmemoryPool handle, CUstream stream) {
  return cuMemAllocFromPoolAsync(pointer, size, handle, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemFreeAsync_ptsz(CUdeviceptr pointer, CUstream stream) {
  return cuMemFreeAsync(pointer, PerThread(stream));
}

// --- Managed memory

VGPU_EXPORT CUresult cuMemDiscardAndPrefetchBatchAsync_ptsz(CUdeviceptr* addresses, size_t* sizes,
                                                            size_t count, CUmemLocation* locations,
                                                            size_t* first, size_t location_count,
                                                            unsigned long long flags,
                                                            CUstream stream) {
  return cuMemDiscardAndPrefetchBatchAsync(addresses, sizes, count, locations, first,
                                           location_count, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemDiscardBatchAsync_ptsz(CUdeviceptr* addresses, size_t* sizes,
                                                 size_t count, unsigned long long flags,
                                                 CUstream stream) {
  return cuMemDiscardBatchAsync(addresses, sizes, count, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemPrefetchAsync_ptsz(CUdeviceptr address, size_t size, CUdevice device,
                                             CUstream stream) {
  return cuMemPrefetchAsync(address, size, device, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemPrefetchAsync_v2_ptsz(CUdeviceptr address, size_t size,
                                                CUmemLocation location, unsigned flags,
                                                CUstream stream) {
  return cuMemPrefetchAsync_v2(address, size, location, flags, PerThread(stream));
}

VGPU_EXPORT CUresult cuMemPrefetchBatchAsync_ptsz(CUdeviceptr* addresses, size_t* sizes,
                                                  size_t count, CUmemLocation* locations,
                                                  size_t* first, size_t location_count,
                                                  unsigned long long flags, CUstream stream) {
  return cuMemPrefetchBatchAsync(addresses, sizes, count, locations, first, location_count, flags,
                                 PerThread(stream));
}

}  // extern "C"
