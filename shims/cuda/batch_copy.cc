// Copies in batches, and copies that say how their source may be read.
//
// The copies of a batch are done one after another; the first that fails ends it. When and by whom
// a source is read makes no difference, as a copy is done when the call returns (work.h).

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/array.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work.h"

namespace cuda = vgpu::cuda;
using cuda::Call;
using cuda::Context;
using cuda::Copy;
using cuda::Operand;

namespace {

constexpr unsigned kKnownFlags = 1;       // CU_MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE
constexpr size_t kNoCopyOfIt = SIZE_MAX;  // what failed was the batch, as cuda.h 12.8 says

bool ValidOrder(CUmemcpySrcAccessOrder order) {
  return order >= CU_MEMCPY_SRC_ACCESS_ORDER_STREAM && order <= CU_MEMCPY_SRC_ACCESS_ORDER_ANY;
}

bool Valid(const CUmemcpyAttributes& attributes) {
  return ValidOrder(attributes.srcAccessOrder) && (attributes.flags & ~kKnownFlags) == 0;
}

// The stream, which has to be one that the program made or its thread's own.
CUresult CheckStream(CUstream stream) {
  Call call;
  Context* context;
  if (CUresult error = cuda::ContextOfStream(call, stream, &context)) return error;
  return reinterpret_cast<uintptr_t>(stream) <= kStreamLegacy ? CUDA_ERROR_INVALID_VALUE
                                                              : CUDA_SUCCESS;
}

CUresult CopyOne(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream) {
  return cuda::Submit(stream, Copy{.from = {.address = static_cast<uintptr_t>(from)},
                                   .to = {.address = static_cast<uintptr_t>(to)},
                                   .width = size});
}

CUresult CopyBatch(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes, size_t count,
                   CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                   size_t* failed, CUstream stream) {
  *failed = kNoCopyOfIt;
  if (CUresult error = CheckStream(stream)) return error;
  if (to == nullptr || from == nullptr || sizes == nullptr || count == 0 || attributes == nullptr ||
      first == nullptr || attribute_count == 0 || attribute_count > count || first[0] != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t k = 0; k < attribute_count; ++k) {
    if (!Valid(attributes[k]) || first[k] >= count || (k > 0 && first[k] <= first[k - 1])) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (CUresult error = CopyOne(to[i], from[i], sizes[i], stream)) {
      *failed = i;
      return error;
    }
  }
  return CUDA_SUCCESS;
}

// An operand's element, in bytes; 0: what it names is no array.
size_t ElementOf(const CUmemcpy3DOperand& operand) {
  if (operand.type != CU_MEMCPY_OPERAND_TYPE_ARRAY) return 1;
  Call call;
  const cuda::Array* array = cuda::FindArray(operand.op.array.array);
  return array == nullptr ? 0 : array->element;
}

// `element` bytes are what lengths are counted in. False: there are not so many bytes.
bool Convert(const CUmemcpy3DOperand& given, size_t element, Operand* operand) {
  if (given.type == CU_MEMCPY_OPERAND_TYPE_ARRAY) {
    operand->type = CU_MEMORYTYPE_ARRAY;
    operand->array = given.op.array.array;
    operand->y = given.op.array.offset.y;
    operand->z = given.op.array.offset.z;
    return !__builtin_mul_overflow(given.op.array.offset.x, element, &operand->x);
  }
  operand->address = static_cast<uintptr_t>(given.op.ptr.ptr);
  operand->height = given.op.ptr.layerHeight;
  return !__builtin_mul_overflow(given.op.ptr.rowLength, element, &operand->pitch);
}

CUresult CopyBox(const CUDA_MEMCPY3D_BATCH_OP& box, CUstream stream) {
  for (const CUmemcpy3DOperand* operand : {&box.src, &box.dst}) {
    if (operand->type != CU_MEMCPY_OPERAND_TYPE_POINTER &&
        operand->type != CU_MEMCPY_OPERAND_TYPE_ARRAY) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  if (!ValidOrder(box.srcAccessOrder) || (box.flags & ~kKnownFlags) != 0 || box.extent.width == 0 ||
      box.extent.height == 0 || box.extent.depth == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  // Elements are an array's where there is one, and both arrays' have to be as large.
  const size_t from = ElementOf(box.src);
  const size_t to = ElementOf(box.dst);
  if (from == 0 || to == 0) return CUDA_ERROR_INVALID_HANDLE;
  const size_t element = from > to ? from : to;
  if (box.src.type == box.dst.type && from != to) return CUDA_ERROR_INVALID_VALUE;
  Copy copy;
  copy.height = box.extent.height;
  copy.depth = box.extent.depth;
  if (__builtin_mul_overflow(box.extent.width, element, &copy.width) ||
      !Convert(box.src, element, &copy.from) || !Convert(box.dst, element, &copy.to)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return cuda::Submit(stream, copy);
}

CUresult CopyBoxes(size_t count, CUDA_MEMCPY3D_BATCH_OP* boxes, size_t* failed,
                   unsigned long long flags, CUstream stream) {
  *failed = kNoCopyOfIt;
  if (CUresult error = CheckStream(stream)) return error;
  if (count == 0 || boxes == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) {
    if (CUresult error = CopyBox(boxes[i], stream)) {
      *failed = i;
      return error;
    }
  }
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

// The forms of CUDA 12.8 say which copy failed; those of 13 do not.

VGPU_EXPORT CUresult cuMemcpyBatchAsync(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes,
                                        size_t count, CUmemcpyAttributes* attributes, size_t* first,
                                        size_t attribute_count, size_t* failed, CUstream stream) {
  size_t unused;
  return CopyBatch(to, from, sizes, count, attributes, first, attribute_count,
                   failed == nullptr ? &unused : failed, stream);
}

VGPU_EXPORT CUresult cuMemcpyBatchAsync_v2(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes,
                                           size_t count, CUmemcpyAttributes* attributes,
                                           size_t* first, size_t attribute_count, CUstream stream) {
  size_t unused;
  return CopyBatch(to, from, sizes, count, attributes, first, attribute_count, &unused, stream);
}

VGPU_EXPORT CUresult cuMemcpy3DBatchAsync(size_t count, CUDA_MEMCPY3D_BATCH_OP* boxes,
                                          size_t* failed, unsigned long long flags,
                                          CUstream stream) {
  size_t unused;
  return CopyBoxes(count, boxes, failed == nullptr ? &unused : failed, flags, stream);
}

VGPU_EXPORT CUresult cuMemcpy3DBatchAsync_v2(size_t count, CUDA_MEMCPY3D_BATCH_OP* boxes,
                                             unsigned long long flags, CUstream stream) {
  size_t unused;
  return CopyBoxes(count, boxes, &unused, flags, stream);
}

VGPU_EXPORT CUresult cuMemcpyWithAttributesAsync(CUdeviceptr to, CUdeviceptr from, size_t size,
                                                 CUmemcpyAttributes* attributes, CUstream stream) {
  if (CUresult error = CheckStream(stream)) return error;
  if (attributes == nullptr || !Valid(*attributes)) return CUDA_ERROR_INVALID_VALUE;
  return CopyOne(to, from, size, stream);
}

VGPU_EXPORT CUresult cuMemcpy3DWithAttributesAsync(CUDA_MEMCPY3D_BATCH_OP* box,
                                                   unsigned long long flags, CUstream stream) {
  if (CUresult error = CheckStream(stream)) return error;
  if (box == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  return CopyBox(*box, stream);
}

}  // extern "C"
