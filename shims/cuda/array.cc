#include "shims/cuda/array.h"

#include <stdlib.h>

#include <algorithm>
#include <bit>
#include <new>

#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/state.h"

namespace vgpu::cuda {
namespace {

// The largest array of each kind: the texture limits among the device attributes
// (shims/abi/cuda_attributes.inc), which hold for all devices.
constexpr size_t kMax1D = 131072;
constexpr size_t kMax2DHeight = 65536;
constexpr size_t kMax3D = 16384;
constexpr size_t kMaxLayered = 32768;
constexpr size_t kMaxLayers = 2048;
constexpr size_t kMaxCubeFaces = 2046;
constexpr int kMaxLevels = 18;  // 1 + log2(kMax1D)

struct Mipmapped {
  CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
  CUcontext context = nullptr;
  Allocation* memory = nullptr;
  int levels = 0;
  CUarray level[kMaxLevels] = {};
};

constinit Handles<Array, HandleKind::kArray> g_arrays;
constinit Handles<Mipmapped, HandleKind::kMipmappedArray> g_mipmapped;

// Bytes of an element; 0: no such element. Planar, packed and compressed formats are for video and
// graphics, which there are not.
CUresult ElementSize(CUarray_format format, unsigned channels, size_t* size) {
  size_t channel = 0;
  unsigned fixed = 0;  // channels that the format has itself
  switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
    case CU_AD_FORMAT_SIGNED_INT8:
      channel = 1;
      break;
    case CU_AD_FORMAT_UNSIGNED_INT16:
    case CU_AD_FORMAT_SIGNED_INT16:
    case CU_AD_FORMAT_HALF:
      channel = 2;
      break;
    case CU_AD_FORMAT_UNSIGNED_INT32:
    case CU_AD_FORMAT_SIGNED_INT32:
    case CU_AD_FORMAT_FLOAT:
      channel = 4;
      break;
    case CU_AD_FORMAT_UNORM_INT8X1:
    case CU_AD_FORMAT_SNORM_INT8X1:
      channel = 1;
      fixed = 1;
      break;
    case CU_AD_FORMAT_UNORM_INT8X2:
    case CU_AD_FORMAT_SNORM_INT8X2:
      channel = 1;
      fixed = 2;
      break;
    case CU_AD_FORMAT_UNORM_INT8X4:
    case CU_AD_FORMAT_SNORM_INT8X4:
      channel = 1;
      fixed = 4;
      break;
    case CU_AD_FORMAT_UNORM_INT16X1:
    case CU_AD_FORMAT_SNORM_INT16X1:
      channel = 2;
      fixed = 1;
      break;
    case CU_AD_FORMAT_UNORM_INT16X2:
    case CU_AD_FORMAT_SNORM_INT16X2:
      channel = 2;
      fixed = 2;
      break;
    case CU_AD_FORMAT_UNORM_INT16X4:
    case CU_AD_FORMAT_SNORM_INT16X4:
      channel = 2;
      fixed = 4;
      break;
    default: {
      // The numbers of all other formats of cuda.h 13.5.
      const int number = format;
      const bool known = (number >= 0x50 && number <= 0x5e) || (number >= 0x91 && number <= 0xb5);
      return known ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;
    }
  }
  if ((channels != 1 && channels != 2 && channels != 4) || (fixed != 0 && channels != fixed)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *size = channel * channels;
  return CUDA_SUCCESS;
}

bool Layered(const CUDA_ARRAY3D_DESCRIPTOR& d) { return (d.Flags & CUDA_ARRAY3D_LAYERED) != 0; }

// Whether the sizes make one of the kinds of arrays that cuda.h describes at cuArray3DCreate.
bool ValidShape(const CUDA_ARRAY3D_DESCRIPTOR& d) {
  if (d.Width == 0) return false;
  if ((d.Flags & CUDA_ARRAY3D_CUBEMAP) != 0) {
    const bool faces = Layered(d) ? d.Depth % 6 == 0 && d.Depth <= kMaxCubeFaces : d.Depth == 6;
    return d.Width == d.Height && d.Width <= kMaxLayered && d.Depth != 0 && faces;
  }
  if (Layered(d)) {
    return d.Width <= kMaxLayered && d.Height <= kMaxLayered && d.Depth >= 1 &&
           d.Depth <= kMaxLayers;
  }
  if (d.Depth != 0) return d.Height != 0 && std::max({d.Width, d.Height, d.Depth}) <= kMax3D;
  return d.Width <= kMax1D && d.Height <= kMax2DHeight;
}

CUresult Check(const CUDA_ARRAY3D_DESCRIPTOR& d, size_t* element) {
  constexpr unsigned kKnown = CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_SURFACE_LDST |
                              CUDA_ARRAY3D_CUBEMAP | CUDA_ARRAY3D_TEXTURE_GATHER |
                              CUDA_ARRAY3D_DEPTH_TEXTURE | CUDA_ARRAY3D_COLOR_ATTACHMENT |
                              CUDA_ARRAY3D_SPARSE | CUDA_ARRAY3D_DEFERRED_MAPPING;
  if ((d.Flags & ~kKnown) != 0 || !ValidShape(d)) return CUDA_ERROR_INVALID_VALUE;
  // As the device attributes of both say.
  if ((d.Flags & (CUDA_ARRAY3D_SPARSE | CUDA_ARRAY3D_DEFERRED_MAPPING)) != 0) {
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return ElementSize(d.Format, d.NumChannels, element);
}

// Layers and faces are as many at each level of detail.
bool SlicesStay(const CUDA_ARRAY3D_DESCRIPTOR& d) {
  return (d.Flags & (CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_CUBEMAP)) != 0;
}

// Describes level `level` of what `d` describes; 0 is all of it.
Array Describe(const CUDA_ARRAY3D_DESCRIPTOR& d, size_t element, int level) {
  auto at = [level](size_t size) { return size == 0 ? 0 : std::max<size_t>(size >> level, 1); };
  Array array;
  array.descriptor = d;
  array.descriptor.Width = at(d.Width);
  array.descriptor.Height = at(d.Height);
  array.descriptor.Depth = SlicesStay(d) ? d.Depth : at(d.Depth);
  array.element = element;
  array.row = array.descriptor.Width * element;
  array.rows = std::max<size_t>(array.descriptor.Height, 1);
  array.slices = std::max<size_t>(array.descriptor.Depth, 1);
  return array;
}

// Null: no memory.
CUarray Keep(const Array& array) {
  void* memory = malloc(sizeof(Array));
  if (memory == nullptr) return nullptr;
  auto* kept = new (memory) Array(array);
  auto handle = reinterpret_cast<CUarray>(g_arrays.Add(kept));
  if (handle == nullptr) free(kept);
  return handle;
}

CUresult Create(CUarray* out, const CUDA_ARRAY3D_DESCRIPTOR& descriptor) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  size_t element = 0;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = Check(descriptor, &element)) return error;
  Array array = Describe(descriptor, element, 0);
  array.context = context->handle;
  if (CUresult error = Allocate(context, context->ordinal, array.size(),
                                {.kind = MemoryKind::kArray}, &array.memory)) {
    return error;
  }
  array.address = array.memory->range.begin;
  *out = Keep(array);
  if (*out != nullptr) return CUDA_SUCCESS;
  Free(array.memory);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

void Forget(CUarray handle) { free(g_arrays.Remove(handle)); }

void Forget(Mipmapped* mipmapped, CUmipmappedArray handle) {
  for (int i = 0; i < mipmapped->levels; ++i) Forget(mipmapped->level[i]);
  g_mipmapped.Remove(handle);
  free(mipmapped);
}

// The descriptor of an array, or why there is none.
CUresult DescriptorOf(CUarray handle, CUDA_ARRAY3D_DESCRIPTOR* descriptor) {
  Call call;
  if (CUresult error = call.Current()) return error;
  const Array* array = FindArray(handle);
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *descriptor = array->descriptor;
  return CUDA_SUCCESS;
}

template <typename Descriptor>
CUresult GetFlat(Descriptor* out, CUarray handle) {
  CUDA_ARRAY3D_DESCRIPTOR found;
  if (CUresult error = DescriptorOf(handle, &found)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  out->Width = static_cast<decltype(out->Width)>(found.Width);
  out->Height = static_cast<decltype(out->Height)>(found.Height);
  out->Format = found.Format;
  out->NumChannels = found.NumChannels;
  return CUDA_SUCCESS;
}

template <typename Descriptor>
CUresult CreateFlat(CUarray* out, const Descriptor* d) {
  // A descriptor of nothing is as invalid as none.
  CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
  if (d != nullptr) {
    descriptor.Width = d->Width;
    descriptor.Height = d->Height;
    descriptor.Format = d->Format;
    descriptor.NumChannels = d->NumChannels;
  }
  return Create(out, descriptor);
}

}  // namespace

Array* FindArray(CUarray handle) { return g_arrays.Find(handle); }

bool IsMipmappedArray(CUmipmappedArray handle) { return g_mipmapped.Find(handle) != nullptr; }

void ArraysEnd(Context* context) {
  g_mipmapped.ForEach([context](uintptr_t handle, Mipmapped* mipmapped) {
    if (mipmapped->context == context->handle) {
      Forget(mipmapped, reinterpret_cast<CUmipmappedArray>(handle));
    }
  });
  g_arrays.ForEach([context](uintptr_t handle, Array* array) {
    if (array->context == context->handle) Forget(reinterpret_cast<CUarray>(handle));
  });
}

}  // namespace vgpu::cuda

using vgpu::cuda::Array;
using vgpu::cuda::Call;
using vgpu::cuda::Context;

extern "C" {

VGPU_EXPORT CUresult cuArray3DCreate_v2(CUarray* out, const CUDA_ARRAY3D_DESCRIPTOR* descriptor) {
  return vgpu::cuda::Create(out, descriptor == nullptr ? CUDA_ARRAY3D_DESCRIPTOR{} : *descriptor);
}

VGPU_EXPORT CUresult cuArray3DCreate(CUarray* out, const CUDA_ARRAY3D_DESCRIPTOR_v1* d) {
  CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
  if (d != nullptr) {
    descriptor = {d->Width, d->Height, d->Depth, d->Format, d->NumChannels, d->Flags};
  }
  return vgpu::cuda::Create(out, descriptor);
}

VGPU_EXPORT CUresult cuArrayCreate_v2(CUarray* out, const CUDA_ARRAY_DESCRIPTOR* descriptor) {
  return vgpu::cuda::CreateFlat(out, descriptor);
}

VGPU_EXPORT CUresult cuArrayCreate(CUarray* out, const CUDA_ARRAY_DESCRIPTOR_v1* descriptor) {
  return vgpu::cuda::CreateFlat(out, descriptor);
}

VGPU_EXPORT CUresult cuArray3DGetDescriptor_v2(CUDA_ARRAY3D_DESCRIPTOR* descriptor, CUarray array) {
  CUDA_ARRAY3D_DESCRIPTOR found;
  if (CUresult error = vgpu::cuda::DescriptorOf(array, &found)) return error;
  if (descriptor == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *descriptor = found;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuArray3DGetDescriptor(CUDA_ARRAY3D_DESCRIPTOR_v1* descriptor, CUarray array) {
  CUDA_ARRAY3D_DESCRIPTOR found;
  if (CUresult error = vgpu::cuda::DescriptorOf(array, &found)) return error;
  if (descriptor == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *descriptor = {static_cast<unsigned>(found.Width),
                 static_cast<unsigned>(found.Height),
                 static_cast<unsigned>(found.Depth),
                 found.Format,
                 found.NumChannels,
                 found.Flags};
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuArrayGetDescriptor_v2(CUDA_ARRAY_DESCRIPTOR* descriptor, CUarray array) {
  return vgpu::cuda::GetFlat(descriptor, array);
}

VGPU_EXPORT CUresult cuArrayGetDescriptor(CUDA_ARRAY_DESCRIPTOR_v1* descriptor, CUarray array) {
  return vgpu::cuda::GetFlat(descriptor, array);
}

VGPU_EXPORT CUresult cuArrayDestroy(CUarray handle) {
  Call call;
  if (CUresult error = call.Current()) return error;
  Array* array = vgpu::cuda::FindArray(handle);
  // A level goes with its mipmapped array.
  if (array == nullptr || array->memory == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  vgpu::cuda::Free(array->memory);
  vgpu::cuda::Forget(handle);
  return CUDA_SUCCESS;
}

// Of formats that have several planes, which no array here has.
VGPU_EXPORT CUresult cuArrayGetPlane(CUarray*, CUarray handle, unsigned) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (vgpu::cuda::FindArray(handle) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return CUDA_ERROR_INVALID_VALUE;
}

// Of arrays whose memory is mapped later or in parts, which there are not.
VGPU_EXPORT CUresult cuArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS*, CUarray handle,
                                                  CUdevice ordinal) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return vgpu::cuda::FindArray(handle) == nullptr ? CUDA_ERROR_INVALID_HANDLE
                                                  : CUDA_ERROR_INVALID_VALUE;
}

VGPU_EXPORT CUresult cuArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES*, CUarray handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  return vgpu::cuda::FindArray(handle) == nullptr ? CUDA_ERROR_INVALID_HANDLE
                                                  : CUDA_ERROR_INVALID_VALUE;
}

VGPU_EXPORT CUresult cuMipmappedArrayCreate(CUmipmappedArray* out,
                                            const CUDA_ARRAY3D_DESCRIPTOR* descriptor,
                                            unsigned levels) {
  using vgpu::cuda::Mipmapped;
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  size_t element = 0;
  if (out == nullptr || descriptor == nullptr || levels == 0) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = vgpu::cuda::Check(*descriptor, &element)) return error;
  // Down to a single element: more levels than that there are not.
  const size_t longest =
      std::max({descriptor->Width, descriptor->Height,
                vgpu::cuda::SlicesStay(*descriptor) ? size_t{1} : descriptor->Depth});
  const int count = static_cast<int>(std::min<unsigned>(levels, std::bit_width(longest)));
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += vgpu::cuda::Describe(*descriptor, element, i).size();

  void* memory = malloc(sizeof(Mipmapped));
  if (memory == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  auto* mipmapped = new (memory) Mipmapped();
  mipmapped->descriptor = *descriptor;
  mipmapped->context = context->handle;
  if (CUresult error =
          vgpu::cuda::Allocate(context, context->ordinal, size,
                               {.kind = vgpu::cuda::MemoryKind::kArray}, &mipmapped->memory)) {
    free(mipmapped);
    return error;
  }
  uintptr_t address = mipmapped->memory->range.begin;
  bool complete = true;
  for (int i = 0; i < count && complete; ++i) {
    Array level = vgpu::cuda::Describe(*descriptor, element, i);
    level.context = context->handle;
    level.address = address;
    address += level.size();
    mipmapped->level[i] = vgpu::cuda::Keep(level);
    complete = mipmapped->level[i] != nullptr;
    if (complete) ++mipmapped->levels;
  }
  if (complete) *out = reinterpret_cast<CUmipmappedArray>(vgpu::cuda::g_mipmapped.Add(mipmapped));
  if (complete && *out != nullptr) return CUDA_SUCCESS;
  vgpu::cuda::Free(mipmapped->memory);
  vgpu::cuda::Forget(mipmapped, nullptr);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_EXPORT CUresult cuMipmappedArrayGetLevel(CUarray* out, CUmipmappedArray handle,
                                              unsigned level) {
  Call call;
  if (CUresult error = call.Current()) return error;
  const vgpu::cuda::Mipmapped* mipmapped = vgpu::cuda::g_mipmapped.Find(handle);
  if (mipmapped == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (out == nullptr || level >= static_cast<unsigned>(mipmapped->levels)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *out = mipmapped->level[level];
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMipmappedArrayDestroy(CUmipmappedArray handle) {
  Call call;
  if (CUresult error = call.Current()) return error;
  vgpu::cuda::Mipmapped* mipmapped = vgpu::cuda::g_mipmapped.Find(handle);
  if (mipmapped == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  vgpu::cuda::Free(mipmapped->memory);
  vgpu::cuda::Forget(mipmapped, handle);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuMipmappedArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS*,
                                                           CUmipmappedArray handle,
                                                           CUdevice ordinal) {
  Call call;
  const vgpu::device::Device* device;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return vgpu::cuda::IsMipmappedArray(handle) ? CUDA_ERROR_INVALID_VALUE
                                              : CUDA_ERROR_INVALID_HANDLE;
}

VGPU_EXPORT CUresult cuMipmappedArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES*,
                                                         CUmipmappedArray handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  return vgpu::cuda::IsMipmappedArray(handle) ? CUDA_ERROR_INVALID_VALUE
                                              : CUDA_ERROR_INVALID_HANDLE;
}

}  // extern "C"
