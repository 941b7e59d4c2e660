// Copies and sets.

#include "shims/cudart/copy.h"

#include <string.h>

#include "shims/cudart/api.h"
#include "shims/cudart/format.h"
#include "shims/cudart/registration.h"
#include "shims/log/log.h"

namespace vgpu::cudart {
namespace {

// With a stream: in its order. Without: done when the call returns.
struct Order {
  bool async = false;
  cudaStream_t stream = nullptr;
};

Order On(cudaStream_t stream) { return {true, stream}; }

cudaError_t Copy(const Driver& driver, void* destination, const void* source, size_t size,
                 cudaMemcpyKind kind, Order order) {
  if (cudaError_t error = CheckKind(kind); error != cudaSuccess) return error;
  if (size == 0) return cudaSuccess;
  if (destination == nullptr || source == nullptr) return cudaErrorInvalidValue;
  CUresult result = CUDA_SUCCESS;
  switch (kind) {
    case cudaMemcpyHostToDevice:
      result = order.async ? driver.cuMemcpyHtoDAsync_v2(destination, source, size, order.stream)
                           : driver.cuMemcpyHtoD_v2(destination, source, size);
      break;
    case cudaMemcpyDeviceToHost:
      result = order.async ? driver.cuMemcpyDtoHAsync_v2(destination, source, size, order.stream)
                           : driver.cuMemcpyDtoH_v2(destination, source, size);
      break;
    case cudaMemcpyDeviceToDevice:
      result = order.async ? driver.cuMemcpyDtoDAsync_v2(destination, source, size, order.stream)
                           : driver.cuMemcpyDtoD_v2(destination, source, size);
      break;
    case cudaMemcpyHostToHost:
    case cudaMemcpyDefault:
      result = order.async ? driver.cuMemcpyAsync(destination, source, size, order.stream)
                           : driver.cuMemcpy(destination, source, size);
      break;
  }
  return FromDriver(result);
}

// One side of a two-dimensional copy.
struct Plane {
  CUarray array = nullptr;        // of which a part begins at x bytes, y rows
  const void* address = nullptr;  // or rows of `pitch` bytes
  size_t pitch = 0;
  size_t x = 0;
  size_t y = 0;
};

cudaError_t Copy2D(const Driver& driver, const Plane& destination, const Plane& source,
                   size_t width, size_t height, cudaMemcpyKind kind, Order order) {
  if (cudaError_t error = CheckKind(kind); error != cudaSuccess) return error;
  if (width == 0 || height == 0) return cudaSuccess;
  for (const Plane* plane : {&destination, &source}) {
    if (plane->array != nullptr) continue;
    if (plane->address == nullptr) return cudaErrorInvalidValue;
    if (plane->pitch < width && height > 1) return cudaErrorInvalidPitchValue;
  }
  CUDA_MEMCPY2D copy = {};
  copy.srcXInBytes = source.x;
  copy.srcY = source.y;
  copy.srcPitch = source.pitch < width ? width : source.pitch;  // of one row
  copy.srcMemoryType = source.array != nullptr ? CU_MEMORYTYPE_ARRAY : SourceMemory(kind);
  copy.srcArray = source.array;
  copy.srcHost = source.address;
  copy.srcDevice = reinterpret_cast<CUdeviceptr>(source.address);
  copy.dstXInBytes = destination.x;
  copy.dstY = destination.y;
  copy.dstPitch = destination.pitch < width ? width : destination.pitch;
  copy.dstMemoryType = destination.array != nullptr ? CU_MEMORYTYPE_ARRAY : DestinationMemory(kind);
  copy.dstArray = destination.array;
  copy.dstHost = const_cast<void*>(destination.address);
  copy.dstDevice = reinterpret_cast<CUdeviceptr>(destination.address);
  copy.WidthInBytes = width;
  copy.Height = height;
  return FromDriver(order.async ? driver.cuMemcpy2DAsync_v2(&copy, order.stream)
                                : driver.cuMemcpy2DUnaligned_v2(&copy));
}

Plane Rows(const void* address, size_t pitch) {
  return {.array = nullptr, .address = address, .pitch = pitch, .x = 0, .y = 0};
}

Plane Part(cudaArray_const_t array, size_t x, size_t y) {
  return {.array = const_cast<CUarray>(array), .address = nullptr, .pitch = 0, .x = x, .y = y};
}

// Bytes of one row of an array.
cudaError_t RowBytes(const Driver& driver, cudaArray_const_t array, size_t* bytes) {
  CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
  if (CUresult result = driver.cuArray3DGetDescriptor_v2(&descriptor, const_cast<CUarray>(array))) {
    return FromDriver(result);
  }
  *bytes = descriptor.Width * ElementBytes({descriptor.Format, descriptor.NumChannels});
  return *bytes == 0 ? cudaErrorInvalidValue : cudaSuccess;
}

// Past `bytes` of a row of `row` bytes.
void Advance(Plane* plane, size_t row, size_t bytes) {
  if (plane->array == nullptr) {
    plane->address = static_cast<const char*>(plane->address) + bytes;
    return;
  }
  plane->x += bytes;
  if (plane->x < row) return;
  plane->x = 0;
  ++plane->y;
}

// A copy of bytes in a line where one or both sides are an array, in which a line goes on in the
// next row. A side that is no array has `address`.
cudaError_t CopyLine(const Driver& driver, Plane destination, Plane source, size_t size,
                     cudaMemcpyKind kind, Order order) {
  size_t destination_row = 0;
  size_t source_row = 0;
  if (destination.array != nullptr) {
    if (cudaError_t error = RowBytes(driver, destination.array, &destination_row);
        error != cudaSuccess) {
      return error;
    }
    destination.y += destination.x / destination_row;
    destination.x %= destination_row;
  }
  if (source.array != nullptr) {
    if (cudaError_t error = RowBytes(driver, source.array, &source_row); error != cudaSuccess) {
      return error;
    }
    source.y += source.x / source_row;
    source.x %= source_row;
  }
  while (size > 0) {
    size_t piece = size;
    if (destination.array != nullptr && destination_row - destination.x < piece) {
      piece = destination_row - destination.x;
    }
    if (source.array != nullptr && source_row - source.x < piece) piece = source_row - source.x;
    if (cudaError_t error = Copy2D(driver, destination, source, piece, 1, kind, order);
        error != cudaSuccess) {
      return error;
    }
    Advance(&destination, destination_row, piece);
    Advance(&source, source_row, piece);
    size -= piece;
  }
  return cudaSuccess;
}

cudaError_t Copy3D(const cudaMemcpy3DParms* parameters, Order order) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    if (cudaError_t error = ToDriverCopy(driver, *parameters, &copy); error != cudaSuccess) {
      return error;
    }
    return FromDriver(order.async ? driver.cuMemcpy3DAsync_v2(&copy, order.stream)
                                  : driver.cuMemcpy3D_v2(&copy));
  });
}

cudaError_t Copy3DPeer(const cudaMemcpy3DPeerParms* parameters, Order order) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    const cudaMemcpy3DParms plain = {
        parameters->srcArray, parameters->srcPos, parameters->srcPtr, parameters->dstArray,
        parameters->dstPos,   parameters->dstPtr, parameters->extent, cudaMemcpyDeviceToDevice};
    CUDA_MEMCPY3D copy;
    if (cudaError_t error = ToDriverCopy(driver, plain, &copy); error != cudaSuccess) return error;
    // Alike, but for the contexts.
    CUDA_MEMCPY3D_PEER peer = {};
    static_assert(sizeof(peer) == sizeof(copy));
    memcpy(&peer, &copy, sizeof(peer));
    if (cudaError_t error = RetainPrimary(driver, parameters->srcDevice, &peer.srcContext);
        error != cudaSuccess) {
      return error;
    }
    if (cudaError_t error = RetainPrimary(driver, parameters->dstDevice, &peer.dstContext);
        error != cudaSuccess) {
      return error;
    }
    return FromDriver(order.async ? driver.cuMemcpy3DPeerAsync(&peer, order.stream)
                                  : driver.cuMemcpy3DPeer(&peer));
  });
}

cudaError_t CopyPeer(void* destination, int destination_device, const void* source,
                     int source_device, size_t size, Order order) {
  return WithContext([&](const Driver& driver) {
    CUcontext to = nullptr;
    CUcontext from = nullptr;
    if (cudaError_t error = RetainPrimary(driver, destination_device, &to); error != cudaSuccess) {
      return error;
    }
    if (cudaError_t error = RetainPrimary(driver, source_device, &from); error != cudaSuccess) {
      return error;
    }
    if (size == 0) return cudaSuccess;
    return FromDriver(
        order.async ? driver.cuMemcpyPeerAsync(destination, to, source, from, size, order.stream)
                    : driver.cuMemcpyPeer(destination, to, source, from, size));
  });
}

// A variable lies on the device: the host, or another place on a device, is the other side.
bool IsToSymbol(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}
bool IsFromSymbol(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}

cudaError_t CopyToSymbol(const void* symbol, const void* source, size_t size, size_t offset,
                         cudaMemcpyKind kind, Order order) {
  return WithContext([&](const Driver& driver) {
    if (!IsToSymbol(kind)) return cudaErrorInvalidMemcpyDirection;
    void* address = nullptr;
    if (cudaError_t error = SymbolRange(driver, symbol, size, offset, false, &address);
        error != cudaSuccess) {
      return error;
    }
    return Copy(driver, address, source, size, kind, order);
  });
}

cudaError_t CopyFromSymbol(void* destination, const void* symbol, size_t size, size_t offset,
                           cudaMemcpyKind kind, Order order) {
  return WithContext([&](const Driver& driver) {
    if (!IsFromSymbol(kind)) return cudaErrorInvalidMemcpyDirection;
    void* address = nullptr;
    if (cudaError_t error = SymbolRange(driver, symbol, size, offset, true, &address);
        error != cudaSuccess) {
      return error;
    }
    return Copy(driver, destination, address, size, kind, order);
  });
}

cudaError_t Set2D(const Driver& driver, void* address, size_t pitch, int value, size_t width,
                  size_t height, Order order) {
  if (width == 0 || height == 0) return cudaSuccess;
  auto byte = static_cast<unsigned char>(value);
  return FromDriver(
      order.async ? driver.cuMemsetD2D8Async(address, pitch, byte, width, height, order.stream)
                  : driver.cuMemsetD2D8_v2(address, pitch, byte, width, height));
}

cudaError_t Set3D(const cudaPitchedPtr& to, int value, const cudaExtent& extent, Order order) {
  return WithContext([&](const Driver& driver) {
    if (extent.width == 0 || extent.height == 0 || extent.depth == 0) return cudaSuccess;
    size_t slice = 0;
    size_t all = 0;
    if (extent.height > to.ysize && extent.depth > 1) return cudaErrorInvalidValue;
    if (__builtin_mul_overflow(to.pitch, to.ysize, &slice) ||
        __builtin_mul_overflow(slice, extent.depth, &all)) {
      return cudaErrorInvalidValue;
    }
    for (size_t z = 0; z < extent.depth; ++z) {
      if (cudaError_t error = Set2D(driver, static_cast<char*>(to.ptr) + z * slice, to.pitch, value,
                                    extent.width, extent.height, order);
          error != cudaSuccess) {
        return error;
      }
    }
    return cudaSuccess;
  });
}

// One side of a three-dimensional copy, in bytes and rows.
struct Box {
  size_t x, y, z;
  CUmemorytype type;
  const void* address;
  CUarray array;
  size_t pitch, height;
};

cudaError_t ToBox(cudaArray_const_t array, const cudaPos& at, const cudaPitchedPtr& pitched,
                  CUmemorytype memory, size_t element, Box* box) {
  // One of the two, and not both.
  if ((array == nullptr) == (pitched.ptr == nullptr)) return cudaErrorInvalidValue;
  *box = {at.x, at.y, at.z, memory, pitched.ptr, nullptr, pitched.pitch, pitched.ysize};
  if (array == nullptr) return cudaSuccess;
  box->type = CU_MEMORYTYPE_ARRAY;
  box->address = nullptr;
  box->array = const_cast<CUarray>(array);
  box->pitch = 0;
  box->height = 0;
  return __builtin_mul_overflow(at.x, element, &box->x) ? cudaErrorInvalidValue : cudaSuccess;
}

// Bytes of an element of the arrays that take part; 1 where none does.
cudaError_t CopyElement(const Driver& driver, cudaArray_const_t source,
                        cudaArray_const_t destination, size_t* bytes) {
  *bytes = 1;
  for (cudaArray_const_t array : {destination, source}) {
    if (array == nullptr) continue;
    CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
    if (CUresult result =
            driver.cuArray3DGetDescriptor_v2(&descriptor, const_cast<CUarray>(array))) {
      return FromDriver(result);
    }
    *bytes = ElementBytes({descriptor.Format, descriptor.NumChannels});
    if (*bytes == 0) return cudaErrorNotSupported;
  }
  return cudaSuccess;
}

}  // namespace

cudaError_t CheckKind(cudaMemcpyKind kind) {
  return kind >= cudaMemcpyHostToHost && kind <= cudaMemcpyDefault
             ? cudaSuccess
             : cudaErrorInvalidMemcpyDirection;
}

CUmemorytype SourceMemory(cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToHost:
    case cudaMemcpyHostToDevice:
      return CU_MEMORYTYPE_HOST;
    case cudaMemcpyDeviceToHost:
    case cudaMemcpyDeviceToDevice:
      return CU_MEMORYTYPE_DEVICE;
    default:
      return CU_MEMORYTYPE_UNIFIED;
  }
}

CUmemorytype DestinationMemory(cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToHost:
    case cudaMemcpyDeviceToHost:
      return CU_MEMORYTYPE_HOST;
    case cudaMemcpyHostToDevice:
    case cudaMemcpyDeviceToDevice:
      return CU_MEMORYTYPE_DEVICE;
    default:
      return CU_MEMORYTYPE_UNIFIED;
  }
}

cudaError_t ToDriverCopy(const Driver& driver, const cudaMemcpy3DParms& copy, CUDA_MEMCPY3D* out) {
  if (cudaError_t error = CheckKind(copy.kind); error != cudaSuccess) return error;
  size_t element = 1;
  if (cudaError_t error = CopyElement(driver, copy.srcArray, copy.dstArray, &element);
      error != cudaSuccess) {
    return error;
  }
  Box source;
  Box destination;
  cudaError_t error =
      ToBox(copy.srcArray, copy.srcPos, copy.srcPtr, SourceMemory(copy.kind), element, &source);
  if (error != cudaSuccess) return error;
  error = ToBox(copy.dstArray, copy.dstPos, copy.dstPtr, DestinationMemory(copy.kind), element,
                &destination);
  if (error != cudaSuccess) return error;
  *out = {};
  out->srcXInBytes = source.x;
  out->srcY = source.y;
  out->srcZ = source.z;
  out->srcMemoryType = source.type;
  out->srcHost = source.address;
  out->srcDevice = reinterpret_cast<CUdeviceptr>(source.address);
  out->srcArray = source.array;
  out->srcPitch = source.pitch;
  out->srcHeight = source.height;
  out->dstXInBytes = destination.x;
  out->dstY = destination.y;
  out->dstZ = destination.z;
  out->dstMemoryType = destination.type;
  out->dstHost = const_cast<void*>(destination.address);
  out->dstDevice = reinterpret_cast<CUdeviceptr>(destination.address);
  out->dstArray = destination.array;
  out->dstPitch = destination.pitch;
  out->dstHeight = destination.height;
  if (__builtin_mul_overflow(copy.extent.width, element, &out->WidthInBytes)) {
    return cudaErrorInvalidValue;
  }
  out->Height = copy.extent.height;
  out->Depth = copy.extent.depth;
  return cudaSuccess;
}

cudaError_t FromDriverCopy(const Driver& driver, const CUDA_MEMCPY3D& copy,
                           cudaMemcpy3DParms* out) {
  bool from_array = copy.srcMemoryType == CU_MEMORYTYPE_ARRAY;
  bool to_array = copy.dstMemoryType == CU_MEMORYTYPE_ARRAY;
  size_t element = 1;
  if (cudaError_t error = CopyElement(driver, from_array ? copy.srcArray : nullptr,
                                      to_array ? copy.dstArray : nullptr, &element);
      error != cudaSuccess) {
    return error;
  }
  auto address = [](CUmemorytype type, const void* host, CUdeviceptr device) {
    return type == CU_MEMORYTYPE_HOST ? const_cast<void*>(host) : reinterpret_cast<void*>(device);
  };
  *out = {};
  out->srcPos = {from_array ? copy.srcXInBytes / element : copy.srcXInBytes, copy.srcY, copy.srcZ};
  out->dstPos = {to_array ? copy.dstXInBytes / element : copy.dstXInBytes, copy.dstY, copy.dstZ};
  if (from_array) {
    out->srcArray = copy.srcArray;
  } else {
    out->srcPtr = {address(copy.srcMemoryType, copy.srcHost, copy.srcDevice), copy.srcPitch,
                   copy.WidthInBytes, copy.srcHeight};
  }
  if (to_array) {
    out->dstArray = copy.dstArray;
  } else {
    out->dstPtr = {address(copy.dstMemoryType, copy.dstHost, copy.dstDevice), copy.dstPitch,
                   copy.WidthInBytes, copy.dstHeight};
  }
  out->extent = {copy.WidthInBytes / element, copy.Height, copy.Depth};
  bool unified =
      copy.srcMemoryType == CU_MEMORYTYPE_UNIFIED || copy.dstMemoryType == CU_MEMORYTYPE_UNIFIED;
  bool from_host = copy.srcMemoryType == CU_MEMORYTYPE_HOST;
  bool to_host = copy.dstMemoryType == CU_MEMORYTYPE_HOST;
  out->kind = unified                ? cudaMemcpyDefault
              : from_host && to_host ? cudaMemcpyHostToHost
              : from_host            ? cudaMemcpyHostToDevice
              : to_host              ? cudaMemcpyDeviceToHost
                                     : cudaMemcpyDeviceToDevice;
  return cudaSuccess;
}

CUDA_MEMCPY3D LinearCopy(void* destination, const void* source, size_t size, cudaMemcpyKind kind) {
  CUDA_MEMCPY3D copy = {};
  copy.srcMemoryType = SourceMemory(kind);
  copy.srcHost = source;
  copy.srcDevice = reinterpret_cast<CUdeviceptr>(source);
  copy.srcPitch = size;
  copy.srcHeight = 1;
  copy.dstMemoryType = DestinationMemory(kind);
  copy.dstHost = destination;
  copy.dstDevice = reinterpret_cast<CUdeviceptr>(destination);
  copy.dstPitch = size;
  copy.dstHeight = 1;
  copy.WidthInBytes = size;
  copy.Height = 1;
  copy.Depth = 1;
  return copy;
}

cudaError_t SymbolRange(const Driver& driver, const void* symbol, size_t size, size_t offset,
                        bool reads, void** address) {
  VariableInfo variable;
  if (!FindVariable(symbol, &variable)) return cudaErrorInvalidSymbol;
  if (offset > variable.size || size > variable.size - offset) return cudaErrorInvalidValue;
  if (reads && !variable.touched) {
    // Its content is what its initializer says, in device code that is not read. Better none than
    // zeros that look like it.
    log::Write(log::Level::kError, kLibrary, "variable not read",
               {{"func", "cudaMemcpyFromSymbol"},
                {"variable", variable.name},
                {"reason", "its initial value is in device code"}});
    return cudaErrorNotSupported;
  }
  if (cudaError_t error = VariableAddress(driver, symbol, CurrentDevice(driver), address);
      error != cudaSuccess) {
    return error;
  }
  *address = static_cast<char*>(*address) + offset;
  return cudaSuccess;
}

// Bytes in a line.

cudaError_t cudaMemcpy(void* destination, const void* source, size_t size, cudaMemcpyKind kind) {
  return WithContext(
      [&](const Driver& driver) { return Copy(driver, destination, source, size, kind, Order()); });
}

cudaError_t cudaMemcpyAsync(void* destination, const void* source, size_t size, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return Copy(driver, destination, source, size, kind, On(stream));
  });
}

cudaError_t cudaMemcpyPeer(void* destination, int destination_device, const void* source,
                           int source_device, size_t size) {
  return CopyPeer(destination, destination_device, source, source_device, size, Order());
}

cudaError_t cudaMemcpyPeerAsync(void* destination, int destination_device, const void* source,
                                int source_device, size_t size, cudaStream_t stream) {
  return CopyPeer(destination, destination_device, source, source_device, size, On(stream));
}

// Planes.

cudaError_t cudaMemcpy2D(void* destination, size_t destination_pitch, const void* source,
                         size_t source_pitch, size_t width, size_t height, cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Rows(destination, destination_pitch), Rows(source, source_pitch), width,
                  height, kind, Order());
  });
}

cudaError_t cudaMemcpy2DAsync(void* destination, size_t destination_pitch, const void* source,
                              size_t source_pitch, size_t width, size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Rows(destination, destination_pitch), Rows(source, source_pitch), width,
                  height, kind, On(stream));
  });
}

cudaError_t cudaMemcpy2DToArray(cudaArray_t destination, size_t x, size_t y, const void* source,
                                size_t source_pitch, size_t width, size_t height,
                                cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Part(destination, x, y), Rows(source, source_pitch), width, height, kind,
                  Order());
  });
}

cudaError_t cudaMemcpy2DToArrayAsync(cudaArray_t destination, size_t x, size_t y,
                                     const void* source, size_t source_pitch, size_t width,
                                     size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Part(destination, x, y), Rows(source, source_pitch), width, height, kind,
                  On(stream));
  });
}

cudaError_t cudaMemcpy2DFromArray(void* destination, size_t destination_pitch,
                                  cudaArray_const_t source, size_t x, size_t y, size_t width,
                                  size_t height, cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Rows(destination, destination_pitch), Part(source, x, y), width, height,
                  kind, Order());
  });
}

cudaError_t cudaMemcpy2DFromArrayAsync(void* destination, size_t destination_pitch,
                                       cudaArray_const_t source, size_t x, size_t y, size_t width,
                                       size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Rows(destination, destination_pitch), Part(source, x, y), width, height,
                  kind, On(stream));
  });
}

cudaError_t cudaMemcpy2DArrayToArray(cudaArray_t destination, size_t destination_x,
                                     size_t destination_y, cudaArray_const_t source,
                                     size_t source_x, size_t source_y, size_t width, size_t height,
                                     cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return Copy2D(driver, Part(destination, destination_x, destination_y),
                  Part(source, source_x, source_y), width, height, kind, Order());
  });
}

// Lines in arrays: deprecated, and exported still.

cudaError_t cudaMemcpyToArray(cudaArray_t destination, size_t x, size_t y, const void* source,
                              size_t size, cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return CopyLine(driver, Part(destination, x, y), Rows(source, size), size, kind, Order());
  });
}

cudaError_t cudaMemcpyToArrayAsync(cudaArray_t destination, size_t x, size_t y, const void* source,
                                   size_t size, cudaMemcpyKind kind, cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return CopyLine(driver, Part(destination, x, y), Rows(source, size), size, kind, On(stream));
  });
}

cudaError_t cudaMemcpyFromArray(void* destination, cudaArray_const_t source, size_t x, size_t y,
                                size_t size, cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return CopyLine(driver, Rows(destination, size), Part(source, x, y), size, kind, Order());
  });
}

cudaError_t cudaMemcpyFromArrayAsync(void* destination, cudaArray_const_t source, size_t x,
                                     size_t y, size_t size, cudaMemcpyKind kind,
                                     cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return CopyLine(driver, Rows(destination, size), Part(source, x, y), size, kind, On(stream));
  });
}

cudaError_t cudaMemcpyArrayToArray(cudaArray_t destination, size_t destination_x,
                                   size_t destination_y, cudaArray_const_t source, size_t source_x,
                                   size_t source_y, size_t size, cudaMemcpyKind kind) {
  return WithContext([&](const Driver& driver) {
    return CopyLine(driver, Part(destination, destination_x, destination_y),
                    Part(source, source_x, source_y), size, kind, Order());
  });
}

// Boxes.

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* copy) { return Copy3D(copy, Order()); }
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* copy, cudaStream_t stream) {
  return Copy3D(copy, On(stream));
}
cudaError_t cudaMemcpy3DPeer(const cudaMemcpy3DPeerParms* copy) {
  return Copy3DPeer(copy, Order());
}
cudaError_t cudaMemcpy3DPeerAsync(const cudaMemcpy3DPeerParms* copy, cudaStream_t stream) {
  return Copy3DPeer(copy, On(stream));
}

// Many at once.

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaMemcpyBatchAsync(void** destinations, void** sources, size_t* sizes, size_t count,
                                 cudaMemcpyAttributes* attributes, size_t* attribute_indices,
                                 size_t attribute_count, size_t* failed, cudaStream_t stream) {
  return Forward(&Driver::cuMemcpyBatchAsync, destinations, sources, sizes, count, attributes,
                 attribute_indices, attribute_count, failed, stream);
}

cudaError_t cudaMemcpy3DBatchAsync(size_t count, cudaMemcpy3DBatchOp* copies, size_t* failed,
                                   uint64_t flags, cudaStream_t stream) {
  return Forward(&Driver::cuMemcpy3DBatchAsync, count, copies, failed, flags, stream);
}
#else
cudaError_t cudaMemcpyBatchAsync(void* const* destinations, const void* const* sources,
                                 const size_t* sizes, size_t count,
                                 cudaMemcpyAttributes* attributes, size_t* attribute_indices,
                                 size_t attribute_count, cudaStream_t stream) {
  return Forward(&Driver::cuMemcpyBatchAsync_v2, destinations, sources, sizes, count, attributes,
                 attribute_indices, attribute_count, stream);
}

cudaError_t cudaMemcpy3DBatchAsync(size_t count, cudaMemcpy3DBatchOp* copies, uint64_t flags,
                                   cudaStream_t stream) {
  return Forward(&Driver::cuMemcpy3DBatchAsync_v2, count, copies, flags, stream);
}

cudaError_t cudaMemcpyWithAttributesAsync(void* destination, const void* source, size_t size,
                                          cudaMemcpyAttributes* attributes, cudaStream_t stream) {
  return Forward(&Driver::cuMemcpyWithAttributesAsync, destination, source, size, attributes,
                 stream);
}

cudaError_t cudaMemcpy3DWithAttributesAsync(cudaMemcpy3DBatchOp* copy, uint64_t flags,
                                            cudaStream_t stream) {
  return Forward(&Driver::cuMemcpy3DWithAttributesAsync, copy, flags, stream);
}
#endif

// Variables.

cudaError_t cudaGetSymbolAddress(void** address, const void* symbol) {
  return WithContext([&](const Driver& driver) {
    if (address == nullptr) return cudaErrorInvalidValue;
    return SymbolRange(driver, symbol, 0, 0, false, address);
  });
}

cudaError_t cudaGetSymbolSize(size_t* size, const void* symbol) {
  return WithContext([&](const Driver&) {
    VariableInfo variable;
    if (size == nullptr) return cudaErrorInvalidValue;
    if (!FindVariable(symbol, &variable)) return cudaErrorInvalidSymbol;
    *size = variable.size;
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* source, size_t size, size_t offset,
                               cudaMemcpyKind kind) {
  return CopyToSymbol(symbol, source, size, offset, kind, Order());
}

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* source, size_t size,
                                    size_t offset, cudaMemcpyKind kind, cudaStream_t stream) {
  return CopyToSymbol(symbol, source, size, offset, kind, On(stream));
}

cudaError_t cudaMemcpyFromSymbol(void* destination, const void* symbol, size_t size, size_t offset,
                                 cudaMemcpyKind kind) {
  return CopyFromSymbol(destination, symbol, size, offset, kind, Order());
}

cudaError_t cudaMemcpyFromSymbolAsync(void* destination, const void* symbol, size_t size,
                                      size_t offset, cudaMemcpyKind kind, cudaStream_t stream) {
  return CopyFromSymbol(destination, symbol, size, offset, kind, On(stream));
}

// Sets.

cudaError_t cudaMemset(void* address, int value, size_t size) {
  return WithContext([&](const Driver& driver) {
    if (size == 0) return cudaSuccess;
    return FromDriver(driver.cuMemsetD8_v2(address, static_cast<unsigned char>(value), size));
  });
}

cudaError_t cudaMemsetAsync(void* address, int value, size_t size, cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    if (size == 0) return cudaSuccess;
    return FromDriver(
        driver.cuMemsetD8Async(address, static_cast<unsigned char>(value), size, stream));
  });
}

cudaError_t cudaMemset2D(void* address, size_t pitch, int value, size_t width, size_t height) {
  return WithContext([&](const Driver& driver) {
    return Set2D(driver, address, pitch, value, width, height, Order());
  });
}

cudaError_t cudaMemset2DAsync(void* address, size_t pitch, int value, size_t width, size_t height,
                              cudaStream_t stream) {
  return WithContext([&](const Driver& driver) {
    return Set2D(driver, address, pitch, value, width, height, On(stream));
  });
}

cudaError_t cudaMemset3D(cudaPitchedPtr to, int value, cudaExtent extent) {
  return Set3D(to, value, extent, Order());
}

cudaError_t cudaMemset3DAsync(cudaPitchedPtr to, int value, cudaExtent extent,
                              cudaStream_t stream) {
  return Set3D(to, value, extent, On(stream));
}

}  // namespace vgpu::cudart
