// Copies and fills. Each function says what is to be done (work.h) and in which stream; the copies
// that take no stream are done in the legacy default stream.
//
// Functions without a version suffix take pointers and sizes of 32 bits where one with _v2 exists.

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work.h"

namespace cuda = vgpu::cuda;
using cuda::Call;
using cuda::Context;
using cuda::Copy;
using cuda::Fill;
using cuda::Operand;

namespace {

CUstream Legacy() { return reinterpret_cast<CUstream>(kStreamLegacy); }

Operand Host(const void* address) {
  return {.type = CU_MEMORYTYPE_HOST, .address = reinterpret_cast<uintptr_t>(address)};
}

Operand Device(CUdeviceptr address) {
  return {.type = CU_MEMORYTYPE_DEVICE, .address = static_cast<uintptr_t>(address)};
}

Operand Unified(CUdeviceptr address) {
  return {.type = CU_MEMORYTYPE_UNIFIED, .address = static_cast<uintptr_t>(address)};
}

Operand InArray(CUarray array, size_t offset) {
  return {.type = CU_MEMORYTYPE_ARRAY, .array = array, .x = offset};
}

CUresult Linear(CUstream stream, const Operand& to, const Operand& from, size_t size) {
  return cuda::Submit(stream, Copy{.from = from, .to = to, .width = size});
}

// Without a stream's order a null structure is the first thing to be wrong after the context.
CUresult NoParameters(CUstream stream) {
  Call call;
  Context* context;
  const CUresult error = cuda::ContextOfStream(call, stream, &context);
  return error != CUDA_SUCCESS ? error : CUDA_ERROR_INVALID_VALUE;
}

template <typename Parameters>
uintptr_t From(const Parameters& p) {
  return p.srcMemoryType == CU_MEMORYTYPE_HOST ? reinterpret_cast<uintptr_t>(p.srcHost)
                                               : static_cast<uintptr_t>(p.srcDevice);
}

template <typename Parameters>
uintptr_t To(const Parameters& p) {
  return p.dstMemoryType == CU_MEMORYTYPE_HOST ? reinterpret_cast<uintptr_t>(p.dstHost)
                                               : static_cast<uintptr_t>(p.dstDevice);
}

// Whether rows `pitch` bytes apart hold what is copied: a pitch counts where there is a next row.
bool PitchHolds(CUmemorytype type, size_t pitch, size_t x, size_t width, size_t rows) {
  size_t row;
  return type == CU_MEMORYTYPE_ARRAY || rows <= 1 ||
         (!__builtin_add_overflow(x, width, &row) && pitch >= row);
}

template <typename Parameters>
CUresult Copy2D(const Parameters* p, CUstream stream) {
  if (p == nullptr ||
      !PitchHolds(p->srcMemoryType, p->srcPitch, p->srcXInBytes, p->WidthInBytes, p->Height) ||
      !PitchHolds(p->dstMemoryType, p->dstPitch, p->dstXInBytes, p->WidthInBytes, p->Height)) {
    return NoParameters(stream);
  }
  return cuda::Submit(stream, Copy{.from = {.type = p->srcMemoryType,
                                            .address = From(*p),
                                            .array = p->srcArray,
                                            .x = p->srcXInBytes,
                                            .y = p->srcY,
                                            .pitch = p->srcPitch},
                                   .to = {.type = p->dstMemoryType,
                                          .address = To(*p),
                                          .array = p->dstArray,
                                          .x = p->dstXInBytes,
                                          .y = p->dstY,
                                          .pitch = p->dstPitch},
                                   .width = p->WidthInBytes,
                                   .height = p->Height});
}

template <typename Parameters>
CUresult Copy3D(const Parameters* p, CUstream stream) {
  // There is one level of detail to copy from and to: an array's own.
  if (p == nullptr || p->srcLOD != 0 || p->dstLOD != 0 ||
      !PitchHolds(p->srcMemoryType, p->srcPitch, p->srcXInBytes, p->WidthInBytes, p->Height) ||
      !PitchHolds(p->dstMemoryType, p->dstPitch, p->dstXInBytes, p->WidthInBytes, p->Height)) {
    return NoParameters(stream);
  }
  return cuda::Submit(stream, Copy{.from = {.type = p->srcMemoryType,
                                            .address = From(*p),
                                            .array = p->srcArray,
                                            .x = p->srcXInBytes,
                                            .y = p->srcY,
                                            .z = p->srcZ,
                                            .pitch = p->srcPitch,
                                            .height = p->srcHeight},
                                   .to = {.type = p->dstMemoryType,
                                          .address = To(*p),
                                          .array = p->dstArray,
                                          .x = p->dstXInBytes,
                                          .y = p->dstY,
                                          .z = p->dstZ,
                                          .pitch = p->dstPitch,
                                          .height = p->dstHeight},
                                   .width = p->WidthInBytes,
                                   .height = p->Height,
                                   .depth = p->Depth});
}

// Both contexts of a copy between peers have to live; null is the calling thread's own.
CUresult Peers(CUcontext to, CUcontext from) {
  Call call;
  Context* context;
  if (CUresult error = call.Current()) return error;
  if (CUresult error = call.ContextOf(to, &context)) return error;
  return call.ContextOf(from, &context);
}

CUresult Set(CUstream stream, CUdeviceptr address, unsigned element, uint32_t value, size_t width) {
  return cuda::Submit(stream, Fill{.address = static_cast<uintptr_t>(address),
                                   .value = value,
                                   .element = element,
                                   .width = width});
}

CUresult Set2D(CUstream stream, CUdeviceptr address, size_t pitch, unsigned element, uint32_t value,
               size_t width, size_t height) {
  return cuda::Submit(stream, Fill{.address = static_cast<uintptr_t>(address),
                                   .value = value,
                                   .element = element,
                                   .width = width,
                                   .height = height,
                                   .pitch = pitch});
}

}  // namespace

extern "C" {

// --- Any memory to any memory

VGPU_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t size) {
  return Linear(Legacy(), Unified(to), Unified(from), size);
}

VGPU_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream) {
  return Linear(stream, Unified(to), Unified(from), size);
}

VGPU_EXPORT CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                                  CUcontext from_context, size_t size) {
  if (CUresult error = Peers(to_context, from_context)) return error;
  return Linear(Legacy(), Device(to), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                                       CUcontext from_context, size_t size, CUstream stream) {
  if (CUresult error = Peers(to_context, from_context)) return error;
  return Linear(stream, Device(to), Device(from), size);
}

// --- Between host and device

VGPU_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t size) {
  return Linear(Legacy(), Device(to), Host(from), size);
}

VGPU_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t size,
                                          CUstream stream) {
  return Linear(stream, Device(to), Host(from), size);
}

VGPU_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t size) {
  return Linear(Legacy(), Host(to), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t size,
                                          CUstream stream) {
  return Linear(stream, Host(to), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t size) {
  return Linear(Legacy(), Device(to), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size,
                                          CUstream stream) {
  return Linear(stream, Device(to), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyHtoD(CUdeviceptr_v1 to, const void* from, unsigned size) {
  return cuMemcpyHtoD_v2(to, from, size);
}

VGPU_EXPORT CUresult cuMemcpyHtoDAsync(CUdeviceptr_v1 to, const void* from, unsigned size,
                                       CUstream stream) {
  return cuMemcpyHtoDAsync_v2(to, from, size, stream);
}

VGPU_EXPORT CUresult cuMemcpyDtoH(void* to, CUdeviceptr_v1 from, unsigned size) {
  return cuMemcpyDtoH_v2(to, from, size);
}

VGPU_EXPORT CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr_v1 from, unsigned size,
                                       CUstream stream) {
  return cuMemcpyDtoHAsync_v2(to, from, size, stream);
}

VGPU_EXPORT CUresult cuMemcpyDtoD(CUdeviceptr_v1 to, CUdeviceptr_v1 from, unsigned size) {
  return cuMemcpyDtoD_v2(to, from, size);
}

VGPU_EXPORT CUresult cuMemcpyDtoDAsync(CUdeviceptr_v1 to, CUdeviceptr_v1 from, unsigned size,
                                       CUstream stream) {
  return cuMemcpyDtoDAsync_v2(to, from, size, stream);
}

// --- To, from and between arrays of one dimension

VGPU_EXPORT CUresult cuMemcpyDtoA_v2(CUarray to, size_t offset, CUdeviceptr from, size_t size) {
  return Linear(Legacy(), InArray(to, offset), Device(from), size);
}

VGPU_EXPORT CUresult cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t size) {
  return Linear(Legacy(), Device(to), InArray(from, offset), size);
}

VGPU_EXPORT CUresult cuMemcpyHtoA_v2(CUarray to, size_t offset, const void* from, size_t size) {
  return Linear(Legacy(), InArray(to, offset), Host(from), size);
}

VGPU_EXPORT CUresult cuMemcpyHtoAAsync_v2(CUarray to, size_t offset, const void* from, size_t size,
                                          CUstream stream) {
  return Linear(stream, InArray(to, offset), Host(from), size);
}

VGPU_EXPORT CUresult cuMemcpyAtoH_v2(void* to, CUarray from, size_t offset, size_t size) {
  return Linear(Legacy(), Host(to), InArray(from, offset), size);
}

VGPU_EXPORT CUresult cuMemcpyAtoHAsync_v2(void* to, CUarray from, size_t offset, size_t size,
                                          CUstream stream) {
  return Linear(stream, Host(to), InArray(from, offset), size);
}

VGPU_EXPORT CUresult cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset,
                                     size_t size) {
  return Linear(Legacy(), InArray(to, to_offset), InArray(from, from_offset), size);
}

VGPU_EXPORT CUresult cuMemcpyDtoA(CUarray to, unsigned offset, CUdeviceptr_v1 from, unsigned size) {
  return cuMemcpyDtoA_v2(to, offset, from, size);
}

VGPU_EXPORT CUresult cuMemcpyAtoD(CUdeviceptr_v1 to, CUarray from, unsigned offset, unsigned size) {
  return cuMemcpyAtoD_v2(to, from, offset, size);
}

VGPU_EXPORT CUresult cuMemcpyHtoA(CUarray to, unsigned offset, const void* from, unsigned size) {
  return cuMemcpyHtoA_v2(to, offset, from, size);
}

VGPU_EXPORT CUresult cuMemcpyHtoAAsync(CUarray to, unsigned offset, const void* from, unsigned size,
                                       CUstream stream) {
  return cuMemcpyHtoAAsync_v2(to, offset, from, size, stream);
}

VGPU_EXPORT CUresult cuMemcpyAtoH(void* to, CUarray from, unsigned offset, unsigned size) {
  return cuMemcpyAtoH_v2(to, from, offset, size);
}

VGPU_EXPORT CUresult cuMemcpyAtoHAsync(void* to, CUarray from, unsigned offset, unsigned size,
                                       CUstream stream) {
  return cuMemcpyAtoHAsync_v2(to, from, offset, size, stream);
}

VGPU_EXPORT CUresult cuMemcpyAtoA(CUarray to, unsigned to_offset, CUarray from,
                                  unsigned from_offset, unsigned size) {
  return cuMemcpyAtoA_v2(to, to_offset, from, from_offset, size);
}

// --- Rectangles and boxes

VGPU_EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* p) { return Copy2D(p, Legacy()); }

VGPU_EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* p, CUstream stream) {
  return Copy2D(p, stream);
}

VGPU_EXPORT CUresult cuMemcpy2D(const CUDA_MEMCPY2D_v1* p) { return Copy2D(p, Legacy()); }

VGPU_EXPORT CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D_v1* p, CUstream stream) {
  return Copy2D(p, stream);
}

VGPU_EXPORT CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* p) { return Copy3D(p, Legacy()); }

VGPU_EXPORT CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* p, CUstream stream) {
  return Copy3D(p, stream);
}

VGPU_EXPORT CUresult cuMemcpy3D(const CUDA_MEMCPY3D_v1* p) { return Copy3D(p, Legacy()); }

VGPU_EXPORT CUresult cuMemcpy3DAsync(const CUDA_MEMCPY3D_v1* p, CUstream stream) {
  return Copy3D(p, stream);
}

VGPU_EXPORT CUresult cuMemcpy3DPeer(const CUDA_MEMCPY3D_PEER* p) {
  if (p == nullptr) return NoParameters(Legacy());
  if (CUresult error = Peers(p->dstContext, p->srcContext)) return error;
  return Copy3D(p, Legacy());
}

VGPU_EXPORT CUresult cuMemcpy3DPeerAsync(const CUDA_MEMCPY3D_PEER* p, CUstream stream) {
  if (p == nullptr) return NoParameters(stream);
  if (CUresult error = Peers(p->dstContext, p->srcContext)) return error;
  return Copy3D(p, stream);
}

// --- Fills

VGPU_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return Set(Legacy(), to, 1, value, count);
}

VGPU_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return Set(Legacy(), to, 2, value, count);
}

VGPU_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  return Set(Legacy(), to, 4, value, count);
}

VGPU_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                                     CUstream stream) {
  return Set(stream, to, 1, value, count);
}

VGPU_EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                                      CUstream stream) {
  return Set(stream, to, 2, value, count);
}

VGPU_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                                      CUstream stream) {
  return Set(stream, to, 4, value, count);
}

VGPU_EXPORT CUresult cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value,
                                     size_t width, size_t height) {
  return Set2D(Legacy(), to, pitch, 1, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch, unsigned short value,
                                      size_t width, size_t height) {
  return Set2D(Legacy(), to, pitch, 2, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned value, size_t width,
                                      size_t height) {
  return Set2D(Legacy(), to, pitch, 4, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value,
                                       size_t width, size_t height, CUstream stream) {
  return Set2D(stream, to, pitch, 1, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D16Async(CUdeviceptr to, size_t pitch, unsigned short value,
                                        size_t width, size_t height, CUstream stream) {
  return Set2D(stream, to, pitch, 2, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned value, size_t width,
                                        size_t height, CUstream stream) {
  return Set2D(stream, to, pitch, 4, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD8(CUdeviceptr_v1 to, unsigned char value, unsigned count) {
  return cuMemsetD8_v2(to, value, count);
}

VGPU_EXPORT CUresult cuMemsetD16(CUdeviceptr_v1 to, unsigned short value, unsigned count) {
  return cuMemsetD16_v2(to, value, count);
}

VGPU_EXPORT CUresult cuMemsetD32(CUdeviceptr_v1 to, unsigned value, unsigned count) {
  return cuMemsetD32_v2(to, value, count);
}

VGPU_EXPORT CUresult cuMemsetD2D8(CUdeviceptr_v1 to, unsigned pitch, unsigned char value,
                                  unsigned width, unsigned height) {
  return cuMemsetD2D8_v2(to, pitch, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D16(CUdeviceptr_v1 to, unsigned pitch, unsigned short value,
                                   unsigned width, unsigned height) {
  return cuMemsetD2D16_v2(to, pitch, value, width, height);
}

VGPU_EXPORT CUresult cuMemsetD2D32(CUdeviceptr_v1 to, unsigned pitch, unsigned value,
                                   unsigned width, unsigned height) {
  return cuMemsetD2D32_v2(to, pitch, value, width, height);
}

}  // extern "C"

// Any pitch will do for either form.
VGPU_ALIAS(cuMemcpy2DUnaligned, cuMemcpy2D);
VGPU_ALIAS(cuMemcpy2DUnaligned_v2, cuMemcpy2D_v2);

// Of a program whose stream 0 is its thread's own: all streams are idle, so it is the same. Those
// that take a stream are in memory_per_thread.cc.
VGPU_ALIAS(cuMemcpy2DUnaligned_v2_ptds, cuMemcpy2DUnaligned_v2);
VGPU_ALIAS(cuMemcpy2D_v2_ptds, cuMemcpy2D_v2);
VGPU_ALIAS(cuMemcpy3DPeer_ptds, cuMemcpy3DPeer);
VGPU_ALIAS(cuMemcpy3D_v2_ptds, cuMemcpy3D_v2);
VGPU_ALIAS(cuMemcpyAtoA_v2_ptds, cuMemcpyAtoA_v2);
VGPU_ALIAS(cuMemcpyAtoD_v2_ptds, cuMemcpyAtoD_v2);
VGPU_ALIAS(cuMemcpyAtoH_v2_ptds, cuMemcpyAtoH_v2);
VGPU_ALIAS(cuMemcpyDtoA_v2_ptds, cuMemcpyDtoA_v2);
VGPU_ALIAS(cuMemcpyDtoD_v2_ptds, cuMemcpyDtoD_v2);
VGPU_ALIAS(cuMemcpyDtoH_v2_ptds, cuMemcpyDtoH_v2);
VGPU_ALIAS(cuMemcpyHtoA_v2_ptds, cuMemcpyHtoA_v2);
VGPU_ALIAS(cuMemcpyHtoD_v2_ptds, cuMemcpyHtoD_v2);
VGPU_ALIAS(cuMemcpyPeer_ptds, cuMemcpyPeer);
VGPU_ALIAS(cuMemcpy_ptds, cuMemcpy);
VGPU_ALIAS(cuMemsetD16_v2_ptds, cuMemsetD16_v2);
VGPU_ALIAS(cuMemsetD2D16_v2_ptds, cuMemsetD2D16_v2);
VGPU_ALIAS(cuMemsetD2D32_v2_ptds, cuMemsetD2D32_v2);
VGPU_ALIAS(cuMemsetD2D8_v2_ptds, cuMemsetD2D8_v2);
VGPU_ALIAS(cuMemsetD32_v2_ptds, cuMemsetD32_v2);
VGPU_ALIAS(cuMemsetD8_v2_ptds, cuMemsetD8_v2);
