// Run(Copy) and Run(Fill) of work.h.

#include <string.h>

#include "shims/cuda/array.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/work.h"

namespace vgpu::cuda {
namespace {

// A side of a copy with all that moving the bytes needs.
struct Side {
  char* first = nullptr;
  size_t pitch = 0;  // from row to row, bytes
  size_t slice = 0;  // from slice to slice, bytes
};

// Holds what lies in [address, address + size), where it is ours.
CUresult Hold(CUmemorytype type, uintptr_t address, size_t size, bool write, Pins* pins) {
  if (address == 0 || address + size < address) return CUDA_ERROR_INVALID_VALUE;
  Allocation* overlap = nullptr;
  if (pins->Take(address, size, write, &overlap)) return CUDA_SUCCESS;
  if (type == CU_MEMORYTYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
  // Not the program's memory alone: it runs over the end of the device's, or into what is
  // reserved and not mapped.
  if (overlap != nullptr && OnDevice(overlap->kind)) return CUDA_ERROR_INVALID_VALUE;
  if (FindReservation({address, address + size}) != nullptr) return CUDA_ERROR_INVALID_VALUE;
  // The program said that it is host memory, and answers for it as for memcpy(3). Of an address
  // that may as well be a device's of which nothing is known, it said nothing.
  if (type == CU_MEMORYTYPE_UNIFIED && !IsMapped({address, address + size}))
    return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

bool Add(size_t a, size_t b, size_t* sum) { return !__builtin_add_overflow(a, b, sum); }
bool Multiply(size_t a, size_t b, size_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

CUresult ResolveArray(const Operand& operand, const Copy& copy, bool write, Pins* pins,
                      Side* side) {
  const Array* array = FindArray(operand.array);
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (operand.x > array->row || copy.width > array->row - operand.x || operand.y > array->rows ||
      copy.height > array->rows - operand.y || operand.z > array->slices ||
      copy.depth > array->slices - operand.z) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  side->pitch = array->row;
  side->slice = array->row * array->rows;
  side->first = reinterpret_cast<char*>(array->address + operand.z * side->slice +
                                        operand.y * side->pitch + operand.x);
  return Hold(CU_MEMORYTYPE_DEVICE, array->address, array->size(), write, pins);
}

CUresult ResolveLinear(const Operand& operand, const Copy& copy, bool write, Pins* pins,
                       Side* side) {
  size_t row;
  if (!Add(operand.x, copy.width, &row)) return CUDA_ERROR_INVALID_VALUE;
  size_t rows;
  if (!Add(operand.y, copy.height, &rows)) return CUDA_ERROR_INVALID_VALUE;
  const bool one_slice = copy.depth == 1 && operand.z == 0;
  const bool one_row = one_slice && copy.height == 1 && operand.y == 0;
  side->pitch = operand.pitch == 0 ? row : operand.pitch;
  if (!one_row && side->pitch < row) return CUDA_ERROR_INVALID_VALUE;
  const size_t height = operand.height == 0 ? rows : operand.height;
  if (!one_slice && height < rows) return CUDA_ERROR_INVALID_VALUE;
  // From the first byte of the first row to behind the last byte of the last one.
  size_t skipped;
  size_t first;
  size_t last;
  size_t size;
  if (!Multiply(height, side->pitch, &side->slice) || !Multiply(operand.z, side->slice, &skipped) ||
      !Multiply(operand.y, side->pitch, &first) || !Add(first, skipped, &first) ||
      !Add(first, operand.x, &first) || !Multiply(copy.depth - 1, side->slice, &last) ||
      !Multiply(copy.height - 1, side->pitch, &size) || !Add(last, size, &size) ||
      !Add(size, copy.width, &size)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  size_t address;
  if (operand.address == 0 || !Add(operand.address, first, &address)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  side->first = reinterpret_cast<char*>(address);
  return Hold(operand.type, address, size, write, pins);
}

CUresult Resolve(const Operand& operand, const Copy& copy, bool write, Pins* pins, Side* side) {
  switch (operand.type) {
    case CU_MEMORYTYPE_ARRAY:
      return ResolveArray(operand, copy, write, pins, side);
    case CU_MEMORYTYPE_HOST:
    case CU_MEMORYTYPE_DEVICE:
    case CU_MEMORYTYPE_UNIFIED:
      return ResolveLinear(operand, copy, write, pins, side);
  }
  return CUDA_ERROR_INVALID_VALUE;
}

void Move(const Side& from, const Side& to, const Copy& copy) {
  // Rows without a gap are one.
  if (from.pitch == copy.width && to.pitch == copy.width &&
      (copy.depth == 1 || from.slice == to.slice)) {
    if (copy.depth == 1 || from.slice == copy.width * copy.height) {
      memmove(to.first, from.first, copy.width * copy.height * copy.depth);
      return;
    }
  }
  for (size_t z = 0; z < copy.depth; ++z) {
    for (size_t y = 0; y < copy.height; ++y) {
      memmove(to.first + z * to.slice + y * to.pitch, from.first + z * from.slice + y * from.pitch,
              copy.width);
    }
  }
}

template <typename T>
void FillRow(char* row, uint32_t value, size_t width) {
  T* element = reinterpret_cast<T*>(row);
  for (size_t i = 0; i < width; ++i) element[i] = static_cast<T>(value);
}

void FillRows(const Fill& fill) {
  for (size_t y = 0; y < fill.height; ++y) {
    // Of a single row the pitch means nothing, and may be anything.
    char* row = reinterpret_cast<char*>(fill.address + y * fill.pitch);
    switch (fill.element) {
      case 1:
        memset(row, static_cast<int>(fill.value & 0xff), fill.width);
        break;
      case 2:
        FillRow<uint16_t>(row, fill.value, fill.width);
        break;
      default:
        FillRow<uint32_t>(row, fill.value, fill.width);
    }
  }
}

}  // namespace

CUresult Run(const Copy& copy) {
  if (copy.width == 0 || copy.height == 0 || copy.depth == 0) return CUDA_SUCCESS;
  Pins pins;
  Side from;
  Side to;
  {
    Call call;
    CUresult error = Resolve(copy.from, copy, false, &pins, &from);
    if (error == CUDA_SUCCESS) error = Resolve(copy.to, copy, true, &pins, &to);
    if (error != CUDA_SUCCESS) {
      pins.Drop();
      return error;
    }
  }
  Move(from, to, copy);
  Call call;
  pins.Drop();
  return CUDA_SUCCESS;
}

CUresult Run(const Fill& fill) {
  if (fill.width == 0 || fill.height == 0) return CUDA_SUCCESS;
  if (fill.address % fill.element != 0) return CUDA_ERROR_INVALID_VALUE;
  size_t row;
  size_t size;
  if (!Multiply(fill.width, fill.element, &row)) return CUDA_ERROR_INVALID_VALUE;
  if (fill.height > 1 && (fill.pitch < row || fill.pitch % fill.element != 0)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (!Multiply(fill.height - 1, fill.pitch, &size) || !Add(size, row, &size)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  Pins pins;
  {
    Call call;
    if (CUresult error = Hold(CU_MEMORYTYPE_DEVICE, fill.address, size, true, &pins)) return error;
  }
  FillRows(fill);
  Call call;
  pins.Drop();
  return CUDA_SUCCESS;
}

}  // namespace vgpu::cuda
