// Allocation of device, managed and host memory.

#include <algorithm>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/state.h"
#include "shims/usage/usage.h"

namespace cuda = vgpu::cuda;
using cuda::Allocation;
using cuda::Call;
using cuda::Context;
using cuda::MemoryKind;
using cuda::MemoryRequest;

namespace {

// What a row begins at: CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT.
constexpr size_t kPitchAlignment = 512;

CUresult AllocateHere(size_t size, const MemoryRequest& request, Allocation** allocation) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (size == 0) return CUDA_ERROR_INVALID_VALUE;
  return cuda::Allocate(context, context->ordinal, size, request, allocation);
}

CUresult AllocateDevice(uintptr_t* address, size_t size, bool low) {
  Allocation* allocation;
  const CUresult error = AllocateHere(size, {.low = low}, &allocation);
  if (error == CUDA_SUCCESS) *address = allocation->range.begin;
  return error;
}

CUresult AllocatePitch(uintptr_t* address, size_t* pitch, size_t width, size_t height,
                       unsigned element, bool low) {
  size_t rounded;
  size_t size;
  if ((element != 4 && element != 8 && element != 16) ||
      __builtin_add_overflow(width, kPitchAlignment - 1, &rounded)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  rounded = rounded / kPitchAlignment * kPitchAlignment;
  if (__builtin_mul_overflow(rounded, height, &size)) return CUDA_ERROR_INVALID_VALUE;
  const CUresult error = AllocateDevice(address, size, low);
  if (error == CUDA_SUCCESS) *pitch = rounded;
  return error;
}

CUresult FreeDevice(uintptr_t address) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (address == 0) return CUDA_SUCCESS;
  Allocation* allocation = cuda::FindAllocationAt(address);
  if (allocation == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (allocation->kind) {
    case MemoryKind::kDevice:
    case MemoryKind::kManaged:
    case MemoryKind::kPool:
      cuda::Free(allocation);
      return CUDA_SUCCESS;
    case MemoryKind::kArray:
    case MemoryKind::kHost:
    case MemoryKind::kRegistered:
    case MemoryKind::kMapped:
      break;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult AllocateHost(void** address, size_t size, unsigned flags) {
  if (address == nullptr) {
    Call call;
    const CUresult error = call.Current();
    return error != CUDA_SUCCESS ? error : CUDA_ERROR_INVALID_VALUE;
  }
  Allocation* allocation;
  const CUresult error =
      AllocateHere(size, {.kind = MemoryKind::kHost, .flags = flags}, &allocation);
  if (error == CUDA_SUCCESS) *address = reinterpret_cast<void*>(allocation->range.begin);
  return error;
}

// Host memory that the driver knows.
CUresult FindHost(const void* address, Allocation** allocation) {
  *allocation = cuda::FindAllocation(reinterpret_cast<uintptr_t>(address));
  return *allocation == nullptr || cuda::OnDevice((*allocation)->kind) ? CUDA_ERROR_INVALID_VALUE
                                                                       : CUDA_SUCCESS;
}

CUresult HostToDevicePointer(uintptr_t* pointer, const void* address, unsigned flags) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  Allocation* allocation;
  if (CUresult error = FindHost(address, &allocation)) return error;
  *pointer = reinterpret_cast<uintptr_t>(address);
  return CUDA_SUCCESS;
}

CUresult AddressRange(uintptr_t pointer, cuda::Range* range) {
  Call call;
  if (CUresult error = call.Current()) return error;
  const Allocation* allocation = cuda::FindAllocation(pointer);
  if (allocation == nullptr || !cuda::OnDevice(allocation->kind)) return CUDA_ERROR_NOT_FOUND;
  *range = allocation->range;
  return CUDA_SUCCESS;
}

unsigned Clamp(size_t value) { return static_cast<unsigned>(std::min<size_t>(value, UINT32_MAX)); }

// The result of a call whose pointer to the answer is null: what else is wrong comes first.
CUresult NoAnswer() {
  Call call;
  const CUresult error = call.Current();
  return error != CUDA_SUCCESS ? error : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

extern "C" {

VGPU_EXPORT CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (free_bytes == nullptr || total == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const vgpu::device::Device& device = cuda::DeviceAt(context->ordinal);
  const uint64_t used = vgpu::usage::Used(device);
  *total = device.memory_bytes;
  *free_bytes = used < device.memory_bytes ? device.memory_bytes - used : 0;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemGetInfo(unsigned* free_bytes, unsigned* total) {
  if (free_bytes == nullptr || total == nullptr) return NoAnswer();
  size_t free_size;
  size_t total_size;
  const CUresult error = cuMemGetInfo_v2(&free_size, &total_size);
  if (error != CUDA_SUCCESS) return error;
  *free_bytes = Clamp(free_size);
  *total = Clamp(total_size);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t size) {
  if (pointer == nullptr) return NoAnswer();
  uintptr_t address;
  const CUresult error = AllocateDevice(&address, size, false);
  if (error == CUDA_SUCCESS) *pointer = address;
  return error;
}

// Pointers of 32 bits: the memory lies where they reach.
VGPU_EXPORT CUresult cuMemAlloc(CUdeviceptr_v1* pointer, unsigned size) {
  if (pointer == nullptr) return NoAnswer();
  uintptr_t address;
  const CUresult error = AllocateDevice(&address, size, true);
  if (error == CUDA_SUCCESS) *pointer = static_cast<CUdeviceptr_v1>(address);
  return error;
}

VGPU_EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr* pointer, size_t* pitch, size_t width,
                                        size_t height, unsigned element) {
  if (pointer == nullptr || pitch == nullptr) return NoAnswer();
  uintptr_t address;
  const CUresult error = AllocatePitch(&address, pitch, width, height, element, false);
  if (error == CUDA_SUCCESS) *pointer = address;
  return error;
}

VGPU_EXPORT CUresult cuMemAllocPitch(CUdeviceptr_v1* pointer, unsigned* pitch, unsigned width,
                                     unsigned height, unsigned element) {
  if (pointer == nullptr || pitch == nullptr) return NoAnswer();
  uintptr_t address;
  size_t row;
  const CUresult error = AllocatePitch(&address, &row, width, height, element, true);
  if (error == CUDA_SUCCESS) {
    *pointer = static_cast<CUdeviceptr_v1>(address);
    *pitch = static_cast<unsigned>(row);
  }
  return error;
}

VGPU_EXPORT CUresult cuMemFree_v2(CUdeviceptr pointer) { return FreeDevice(pointer); }

VGPU_EXPORT CUresult cuMemFree(CUdeviceptr_v1 pointer) { return FreeDevice(pointer); }

VGPU_EXPORT CUresult cuMemAllocManaged(CUdeviceptr* pointer, size_t size, unsigned flags) {
  if (pointer == nullptr || (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST)) {
    return NoAnswer();
  }
  Allocation* allocation;
  const CUresult error =
      AllocateHere(size, {.kind = MemoryKind::kManaged, .flags = flags}, &allocation);
  if (error == CUDA_SUCCESS) *pointer = allocation->range.begin;
  return error;
}

VGPU_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr pointer) {
  cuda::Range range;
  if (CUresult error = AddressRange(pointer, &range)) return error;
  if (base != nullptr) *base = range.begin;
  if (size != nullptr) *size = range.size();
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemGetAddressRange(CUdeviceptr_v1* base, unsigned* size,
                                          CUdeviceptr_v1 pointer) {
  cuda::Range range;
  if (CUresult error = AddressRange(pointer, &range)) return error;
  if (base != nullptr) *base = static_cast<CUdeviceptr_v1>(range.begin);
  if (size != nullptr) *size = Clamp(range.size());
  return CUDA_SUCCESS;
}

// --- Host memory. All of it is reached by all devices, at the address that the host uses.

VGPU_EXPORT CUresult cuMemHostAlloc(void** address, size_t size, unsigned flags) {
  constexpr unsigned kKnown =
      CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
  if ((flags & ~kKnown) != 0) return NoAnswer();
  return AllocateHost(address, size, flags);
}

VGPU_EXPORT CUresult cuMemAllocHost_v2(void** address, size_t size) {
  return AllocateHost(address, size, 0);
}

VGPU_EXPORT CUresult cuMemAllocHost(void** address, unsigned size) {
  return AllocateHost(address, size, 0);
}

VGPU_EXPORT CUresult cuMemFreeHost(void* address) {
  Call call;
  if (CUresult error = call.Current()) return error;
  Allocation* allocation = cuda::FindAllocationAt(reinterpret_cast<uintptr_t>(address));
  if (allocation == nullptr || allocation->kind != MemoryKind::kHost) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  cuda::Free(allocation);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* pointer, void* address,
                                                  unsigned flags) {
  if (pointer == nullptr) return NoAnswer();
  uintptr_t found;
  const CUresult error = HostToDevicePointer(&found, address, flags);
  if (error == CUDA_SUCCESS) *pointer = found;
  return error;
}

VGPU_EXPORT CUresult cuMemHostGetDevicePointer(CUdeviceptr_v1* pointer, void* address,
                                               unsigned flags) {
  if (pointer == nullptr) return NoAnswer();
  uintptr_t found;
  const CUresult error = HostToDevicePointer(&found, address, flags);
  if (error != CUDA_SUCCESS) return error;
  if (found > UINT32_MAX) return CUDA_ERROR_INVALID_VALUE;
  *pointer = static_cast<CUdeviceptr_v1>(found);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemHostGetFlags(unsigned* flags, void* address) {
  Call call;
  if (CUresult error = call.Current()) return error;
  Allocation* allocation;
  if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = FindHost(address, &allocation)) return error;
  if (allocation->kind != MemoryKind::kHost) return CUDA_ERROR_INVALID_VALUE;
  *flags = allocation->flags | CU_MEMHOSTALLOC_DEVICEMAP;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemHostRegister_v2(void* address, size_t size, unsigned flags) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  constexpr unsigned kKnown = CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP |
                              CU_MEMHOSTREGISTER_IOMEMORY | CU_MEMHOSTREGISTER_READ_ONLY;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  if (address == nullptr || size == 0 || begin + size < begin || (flags & ~kKnown) != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  // Memory of another device on the bus: there is none.
  if ((flags & CU_MEMHOSTREGISTER_IOMEMORY) != 0) return CUDA_ERROR_NOT_PERMITTED;
  if (!cuda::IsMapped({begin, begin + size})) return CUDA_ERROR_INVALID_VALUE;
  Allocation* allocation;
  if (CUresult error =
          cuda::Enter(context, context->ordinal, {begin, begin + size},
                      {.kind = MemoryKind::kRegistered, .flags = flags}, &allocation)) {
    return error;
  }
  allocation->writable = (flags & CU_MEMHOSTREGISTER_READ_ONLY) == 0;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMemHostUnregister(void* address) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
  Allocation* allocation = cuda::FindAllocationAt(reinterpret_cast<uintptr_t>(address));
  if (allocation == nullptr || allocation->kind != MemoryKind::kRegistered) {
    return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
  }
  cuda::Free(allocation);
  return CUDA_SUCCESS;
}

}  // extern "C"

VGPU_ALIAS(cuMemHostRegister, cuMemHostRegister_v2);
