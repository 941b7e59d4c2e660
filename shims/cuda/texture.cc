// Texture and surface objects: what a program registers is kept and shown again. Nothing samples
// them, as no kernel runs.

#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/array.h"
#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/object.h"
#include "shims/cuda/state.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

struct Texture {
  CUDA_RESOURCE_DESC resource = {};
  CUDA_TEXTURE_DESC texture = {};
  CUDA_RESOURCE_VIEW_DESC view = {};
  bool has_view = false;
};

struct Surface {
  CUDA_RESOURCE_DESC resource = {};
};

constinit Handles<Texture, HandleKind::kTexture> g_textures;
constinit Handles<Surface, HandleKind::kSurface> g_surfaces;

// Whether [address, address + size) is memory of a device.
bool IsDeviceMemory(CUdeviceptr address, size_t size) {
  const Allocation* allocation = FindAllocation(static_cast<uintptr_t>(address));
  return allocation != nullptr && size <= allocation->range.end - address;
}

CUresult Check(const CUDA_RESOURCE_DESC& resource) {
  size_t bytes;
  if (resource.flags != 0) return CUDA_ERROR_INVALID_VALUE;
  switch (resource.resType) {
    case CU_RESOURCE_TYPE_ARRAY:
      return FindArray(resource.res.array.hArray) == nullptr ? CUDA_ERROR_INVALID_HANDLE
                                                             : CUDA_SUCCESS;
    case CU_RESOURCE_TYPE_MIPMAPPED_ARRAY:
      return resource.res.mipmap.hMipmappedArray == nullptr ? CUDA_ERROR_INVALID_HANDLE
                                                            : CUDA_SUCCESS;
    case CU_RESOURCE_TYPE_LINEAR:
      return IsDeviceMemory(resource.res.linear.devPtr, resource.res.linear.sizeInBytes)
                 ? CUDA_SUCCESS
                 : CUDA_ERROR_INVALID_VALUE;
    case CU_RESOURCE_TYPE_PITCH2D:
      return !__builtin_mul_overflow(resource.res.pitch2D.pitchInBytes, resource.res.pitch2D.height,
                                     &bytes) &&
                     IsDeviceMemory(resource.res.pitch2D.devPtr, bytes)
                 ? CUDA_SUCCESS
                 : CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult FindTexture(const Call& call, CUtexObject handle, Texture** texture) {
  if (CUresult error = call.Current()) return error;
  *texture = g_textures.Find(handle);
  return *texture == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult FindSurface(const Call& call, CUsurfObject handle, Surface** surface) {
  if (CUresult error = call.Current()) return error;
  *surface = g_surfaces.Find(handle);
  return *surface == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

}  // namespace
}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

VGPU_API cuTexObjectCreate(CUtexObject* object, const CUDA_RESOURCE_DESC* resource,
                           const CUDA_TEXTURE_DESC* texture, const CUDA_RESOURCE_VIEW_DESC* view) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (object == nullptr || resource == nullptr || texture == nullptr) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = Check(*resource)) return error;
  // A view is of an array.
  if (view != nullptr && resource->resType != CU_RESOURCE_TYPE_ARRAY &&
      resource->resType != CU_RESOURCE_TYPE_MIPMAPPED_ARRAY) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto* made = Make<Texture>();
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  made->resource = *resource;
  made->texture = *texture;
  made->has_view = view != nullptr;
  if (view != nullptr) made->view = *view;
  *object = g_textures.Add(made);
  if (*object != 0) return CUDA_SUCCESS;
  Destroy(made);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_API cuTexObjectDestroy(CUtexObject object) {
  Call call;
  Texture* texture;
  if (CUresult error = FindTexture(call, object, &texture)) return error;
  g_textures.Remove(object);
  Destroy(texture);
  return CUDA_SUCCESS;
}

VGPU_API cuTexObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUtexObject object) {
  Call call;
  Texture* texture;
  if (CUresult error = FindTexture(call, object, &texture)) return error;
  if (resource == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *resource = texture->resource;
  return CUDA_SUCCESS;
}

VGPU_API cuTexObjectGetTextureDesc(CUDA_TEXTURE_DESC* description, CUtexObject object) {
  Call call;
  Texture* texture;
  if (CUresult error = FindTexture(call, object, &texture)) return error;
  if (description == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *description = texture->texture;
  return CUDA_SUCCESS;
}

VGPU_API cuTexObjectGetResourceViewDesc(CUDA_RESOURCE_VIEW_DESC* view, CUtexObject object) {
  Call call;
  Texture* texture;
  if (CUresult error = FindTexture(call, object, &texture)) return error;
  if (view == nullptr || !texture->has_view) return CUDA_ERROR_INVALID_VALUE;
  *view = texture->view;
  return CUDA_SUCCESS;
}

VGPU_API cuSurfObjectCreate(CUsurfObject* object, const CUDA_RESOURCE_DESC* resource) {
  Call call;
  if (CUresult error = call.Current()) return error;
  // A surface is of an array.
  if (object == nullptr || resource == nullptr || resource->resType != CU_RESOURCE_TYPE_ARRAY) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = Check(*resource)) return error;
  auto* made = Make<Surface>();
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  made->resource = *resource;
  *object = g_surfaces.Add(made);
  if (*object != 0) return CUDA_SUCCESS;
  Destroy(made);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_API cuSurfObjectDestroy(CUsurfObject object) {
  Call call;
  Surface* surface;
  if (CUresult error = FindSurface(call, object, &surface)) return error;
  g_surfaces.Remove(object);
  Destroy(surface);
  return CUDA_SUCCESS;
}

VGPU_API cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUsurfObject object) {
  Call call;
  Surface* surface;
  if (CUresult error = FindSurface(call, object, &surface)) return error;
  if (resource == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *resource = surface->resource;
  return CUDA_SUCCESS;
}
