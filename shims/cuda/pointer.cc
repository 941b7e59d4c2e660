// What a pointer is: cuPointerGetAttribute and its kin.
//
// A boolean is written as an int. NVIDIA does not say how large one is; clients declare four bytes
// (UCX, Open MPI, cuda-python), and some leave them unset, so that one byte would not do.

#include <string.h>

#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/state.h"

namespace cuda = vgpu::cuda;
using cuda::Allocation;
using cuda::Call;
using cuda::MemoryKind;

namespace {

// Every type of an attribute's value fits.
struct Value {
  uint64_t bits = 0;
  size_t size = 0;
};

Value Number(int number) { return {static_cast<uint64_t>(static_cast<uint32_t>(number)), 4}; }
Value Wide(uint64_t number) { return {number, 8}; }
Value Handle(const void* handle) { return {reinterpret_cast<uintptr_t>(handle), 8}; }

// What cuPointerGetAttributes gives for a pointer that means nothing, and how large it is. Size 0:
// there is no such attribute.
Value Nothing(CUpointer_attribute attribute) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID:
      return Wide(0);
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      return Number(CU_DEVICE_INVALID);
    case CU_POINTER_ATTRIBUTE_LOCALITY_DOMAIN_ORDINAL:
      return Number(-1);
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_MAPPED:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
      return Number(0);
    case CU_POINTER_ATTRIBUTE_P2P_TOKENS:  // of a kernel module that is not there
      break;
  }
  return {};
}

// Of address space that is reserved with nothing mapped there.
CUresult OfReservation(const cuda::Range& range, CUpointer_attribute attribute, Value* value) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      *value = Wide(range.begin);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      *value = Wide(range.size());
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MAPPED:
      *value = Number(0);
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult OfAllocation(const Allocation& allocation, uintptr_t address,
                      CUpointer_attribute attribute, Value* value) {
  const bool on_device = cuda::OnDevice(allocation.kind);
  const bool mapped = allocation.kind == MemoryKind::kMapped;
  *value = Nothing(attribute);
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      *value = Handle(allocation.context);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      *value = Number(on_device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      *value = Wide(address);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      // A device's memory is not the host's to use, although it would not fault.
      if (on_device && allocation.kind != MemoryKind::kManaged) return CUDA_ERROR_INVALID_VALUE;
      *value = Wide(address);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_P2P_TOKENS:
      return CUDA_ERROR_NOT_SUPPORTED;
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      *value = Number(allocation.sync_memops);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
      *value = Wide(allocation.id);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      *value = Number(allocation.kind == MemoryKind::kManaged);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      *value = Number(allocation.ordinal);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE: {
      const cuda::Range* reserved = cuda::FindReservation(allocation.range);
      const cuda::Range& range = reserved != nullptr ? *reserved : allocation.range;
      *value = Wide(attribute == CU_POINTER_ATTRIBUTE_RANGE_SIZE ? range.size() : range.begin);
      return CUDA_SUCCESS;
    }
    case CU_POINTER_ATTRIBUTE_MAPPED:
      *value = Number(1);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID: {
      cuda::PhysicalMemoryFacts facts;
      if (mapped) cuda::PhysicalMemoryAt(address, &facts);
      *value = Wide(attribute == CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID
                        ? facts.id
                        : static_cast<uint64_t>(facts.handle_types));
      return CUDA_SUCCESS;
    }
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      *value = Number(allocation.writable   ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                      : allocation.readable ? CU_MEM_ACCESS_FLAGS_PROT_READ
                                            : CU_MEM_ACCESS_FLAGS_PROT_NONE);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      if (allocation.kind == MemoryKind::kPool) *value = Handle(cuda::PoolOf(&allocation));
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
      *value = Wide(allocation.range.size());
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
      *value = Wide(allocation.range.begin);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
    case CU_POINTER_ATTRIBUTE_LOCALITY_DOMAIN_ORDINAL:
      return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult Look(uintptr_t address, CUpointer_attribute attribute, Value* value) {
  const Allocation* allocation = cuda::FindAllocation(address);
  if (allocation != nullptr) return OfAllocation(*allocation, address, attribute, value);
  const cuda::Range* reserved = cuda::FindReservation({address, address + 1});
  if (reserved != nullptr) return OfReservation(*reserved, attribute, value);
  return CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

extern "C" {

VGPU_EXPORT CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute,
                                           CUdeviceptr pointer) {
  Call call;
  if (CUresult error = call.Current()) return error;
  Value value;
  if (data == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const CUresult error = Look(static_cast<uintptr_t>(pointer), attribute, &value);
  if (error == CUDA_SUCCESS) memcpy(data, &value.bits, value.size);
  return error;
}

// A pointer that means nothing is no error here: its attributes are empty.
VGPU_EXPORT CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute* attributes,
                                            void** data, CUdeviceptr pointer) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (count == 0 || attributes == nullptr || data == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < count; ++i) {
    if (data[i] == nullptr || Nothing(attributes[i]).size == 0) return CUDA_ERROR_INVALID_VALUE;
  }
  for (unsigned i = 0; i < count; ++i) {
    Value value;
    if (Look(static_cast<uintptr_t>(pointer), attributes[i], &value) != CUDA_SUCCESS) {
      value = Nothing(attributes[i]);
    }
    memcpy(data[i], &value.bits, value.size);
  }
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuPointerSetAttribute(const void* data, CUpointer_attribute attribute,
                                           CUdeviceptr pointer) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (data == nullptr || attribute != CU_POINTER_ATTRIBUTE_SYNC_MEMOPS) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  Allocation* allocation = cuda::FindAllocation(static_cast<uintptr_t>(pointer));
  if (allocation == nullptr || !cuda::OnDevice(allocation->kind)) return CUDA_ERROR_INVALID_VALUE;
  // Of a value that may be a bool or an int, the first byte.
  allocation->sync_memops = *static_cast<const unsigned char*>(data) != 0;
  return CUDA_SUCCESS;
}

}  // extern "C"
