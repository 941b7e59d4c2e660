// Arrays, mipmapped arrays, textures and surfaces: the driver's, described in its terms.

#include "shims/abi/cuda_work_types.h"
#include "shims/cudart/api.h"
#include "shims/cudart/format.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Flags of cudaMallocArray and its kin have the driver's numbers (cudaArrayLayered …).
cudaError_t Describe(const cudaChannelFormatDesc* channels, const cudaExtent& extent,
                     unsigned flags, CUDA_ARRAY3D_DESCRIPTOR* descriptor) {
  ArrayFormat format;
  if (channels == nullptr) return cudaErrorInvalidValue;
  if (!ToArrayFormat(*channels, &format)) return cudaErrorInvalidChannelDescriptor;
  *descriptor = {extent.width, extent.height, extent.depth, format.format, format.channels, flags};
  return cudaSuccess;
}

// The flags of CUDA_TEXTURE_DESC (cuda.h).
constexpr unsigned CU_TRSF_READ_AS_INTEGER = 0x01;
constexpr unsigned CU_TRSF_NORMALIZED_COORDINATES = 0x02;
constexpr unsigned CU_TRSF_SRGB = 0x10;
constexpr unsigned CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION = 0x20;
constexpr unsigned CU_TRSF_SEAMLESS_CUBEMAP = 0x40;

CUdeviceptr Address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }
void* Pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

cudaError_t ToDriver(const cudaResourceDesc& resource, CUDA_RESOURCE_DESC* out) {
  *out = {};
  out->resType = static_cast<CUresourcetype>(resource.resType);
  ArrayFormat format;
  switch (resource.resType) {
    case cudaResourceTypeArray:
      out->res.array.hArray = resource.res.array.array;
      return cudaSuccess;
    case cudaResourceTypeMipmappedArray:
      out->res.mipmap.hMipmappedArray = resource.res.mipmap.mipmap;
      return cudaSuccess;
    case cudaResourceTypeLinear:
      if (!ToArrayFormat(resource.res.linear.desc, &format)) break;
      out->res.linear = {Address(resource.res.linear.devPtr), format.format, format.channels,
                         resource.res.linear.sizeInBytes};
      return cudaSuccess;
    case cudaResourceTypePitch2D:
      if (!ToArrayFormat(resource.res.pitch2D.desc, &format)) break;
      out->res.pitch2D = {Address(resource.res.pitch2D.devPtr),
                          format.format,
                          format.channels,
                          resource.res.pitch2D.width,
                          resource.res.pitch2D.height,
                          resource.res.pitch2D.pitchInBytes};
      return cudaSuccess;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaErrorInvalidChannelDescriptor;
}

cudaError_t FromDriverResource(const CUDA_RESOURCE_DESC& resource, cudaResourceDesc* out) {
  *out = {};
  out->resType = static_cast<cudaResourceType>(resource.resType);
  switch (out->resType) {
    case cudaResourceTypeArray:
      out->res.array.array = resource.res.array.hArray;
      return cudaSuccess;
    case cudaResourceTypeMipmappedArray:
      out->res.mipmap.mipmap = resource.res.mipmap.hMipmappedArray;
      return cudaSuccess;
    case cudaResourceTypeLinear:
      out->res.linear.devPtr = Pointer(resource.res.linear.devPtr);
      out->res.linear.sizeInBytes = resource.res.linear.sizeInBytes;
      return ToChannels({resource.res.linear.format, resource.res.linear.numChannels},
                        &out->res.linear.desc)
                 ? cudaSuccess
                 : cudaErrorInvalidChannelDescriptor;
    case cudaResourceTypePitch2D:
      out->res.pitch2D.devPtr = Pointer(resource.res.pitch2D.devPtr);
      out->res.pitch2D.width = resource.res.pitch2D.width;
      out->res.pitch2D.height = resource.res.pitch2D.height;
      out->res.pitch2D.pitchInBytes = resource.res.pitch2D.pitchInBytes;
      return ToChannels({resource.res.pitch2D.format, resource.res.pitch2D.numChannels},
                        &out->res.pitch2D.desc)
                 ? cudaSuccess
                 : cudaErrorInvalidChannelDescriptor;
  }
  return cudaErrorInvalidValue;
}

CUDA_TEXTURE_DESC ToDriver(const cudaTextureDesc& texture) {
  CUDA_TEXTURE_DESC out = {};
  for (int i = 0; i < 3; ++i) out.addressMode[i] = texture.addressMode[i];
  for (int i = 0; i < 4; ++i) out.borderColor[i] = texture.borderColor[i];
  out.filterMode = texture.filterMode;
  out.flags =
      (texture.readMode == 0 ? CU_TRSF_READ_AS_INTEGER : 0) |
      (texture.normalizedCoords != 0 ? CU_TRSF_NORMALIZED_COORDINATES : 0) |
      (texture.sRGB != 0 ? CU_TRSF_SRGB : 0) |
      (texture.disableTrilinearOptimization != 0 ? CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION : 0) |
      (texture.seamlessCubemap != 0 ? CU_TRSF_SEAMLESS_CUBEMAP : 0);
  out.maxAnisotropy = texture.maxAnisotropy;
  out.mipmapFilterMode = texture.mipmapFilterMode;
  out.mipmapLevelBias = texture.mipmapLevelBias;
  out.minMipmapLevelClamp = texture.minMipmapLevelClamp;
  out.maxMipmapLevelClamp = texture.maxMipmapLevelClamp;
  return out;
}

cudaTextureDesc FromDriverTexture(const CUDA_TEXTURE_DESC& texture) {
  cudaTextureDesc out = {};
  for (int i = 0; i < 3; ++i) out.addressMode[i] = texture.addressMode[i];
  for (int i = 0; i < 4; ++i) out.borderColor[i] = texture.borderColor[i];
  out.filterMode = texture.filterMode;
  out.readMode = (texture.flags & CU_TRSF_READ_AS_INTEGER) != 0 ? 0 : 1;
  out.normalizedCoords = (texture.flags & CU_TRSF_NORMALIZED_COORDINATES) != 0;
  out.sRGB = (texture.flags & CU_TRSF_SRGB) != 0;
  out.disableTrilinearOptimization = (texture.flags & CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION) != 0;
  out.seamlessCubemap = (texture.flags & CU_TRSF_SEAMLESS_CUBEMAP) != 0;
  out.maxAnisotropy = texture.maxAnisotropy;
  out.mipmapFilterMode = texture.mipmapFilterMode;
  out.mipmapLevelBias = texture.mipmapLevelBias;
  out.minMipmapLevelClamp = texture.minMipmapLevelClamp;
  out.maxMipmapLevelClamp = texture.maxMipmapLevelClamp;
  return out;
}

CUarray Mutable(cudaArray_const_t array) { return const_cast<CUarray>(array); }

}  // namespace

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w,
                                            cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}

cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc* channels, cudaArray_const_t array) {
  return WithContext([&](const Driver& driver) {
    if (channels == nullptr) return cudaErrorInvalidValue;
    CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
    if (CUresult result = driver.cuArray3DGetDescriptor_v2(&descriptor, Mutable(array))) {
      return FromDriver(result);
    }
    return ToChannels({descriptor.Format, descriptor.NumChannels}, channels)
               ? cudaSuccess
               : cudaErrorInvalidChannelDescriptor;
  });
}

cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* channels, size_t width,
                            size_t height, unsigned flags) {
  return cudaMalloc3DArray(array, channels, {width, height, 0}, flags);
}

cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* channels,
                              cudaExtent extent, unsigned flags) {
  return WithContext([&](const Driver& driver) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor;
    if (array == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = Describe(channels, extent, flags, &descriptor); error != cudaSuccess) {
      return error;
    }
    return FromDriver(driver.cuArray3DCreate_v2(array, &descriptor));
  });
}

cudaError_t cudaFreeArray(cudaArray_t array) {
  return WithContext([&](const Driver& driver) {
    return array == nullptr ? cudaSuccess : FromDriver(driver.cuArrayDestroy(array));
  });
}

cudaError_t cudaArrayGetInfo(cudaChannelFormatDesc* channels, cudaExtent* extent, unsigned* flags,
                             cudaArray_t array) {
  return WithContext([&](const Driver& driver) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor = {};
    if (CUresult result = driver.cuArray3DGetDescriptor_v2(&descriptor, array)) {
      return FromDriver(result);
    }
    if (extent != nullptr) *extent = {descriptor.Width, descriptor.Height, descriptor.Depth};
    if (flags != nullptr) *flags = descriptor.Flags;
    if (channels == nullptr || ToChannels({descriptor.Format, descriptor.NumChannels}, channels)) {
      return cudaSuccess;
    }
    return cudaErrorInvalidChannelDescriptor;
  });
}

cudaError_t cudaArrayGetPlane(cudaArray_t* plane, cudaArray_t array, unsigned index) {
  return Forward(&Driver::cuArrayGetPlane, plane, array, index);
}

cudaError_t cudaArrayGetMemoryRequirements(cudaArrayMemoryRequirements* requirements,
                                           cudaArray_t array, int device) {
  return Forward(&Driver::cuArrayGetMemoryRequirements, requirements, array, device);
}

cudaError_t cudaArrayGetSparseProperties(cudaArraySparseProperties* properties, cudaArray_t array) {
  return Forward(&Driver::cuArrayGetSparseProperties, properties, array);
}

cudaError_t cudaMallocMipmappedArray(cudaMipmappedArray_t* array,
                                     const cudaChannelFormatDesc* channels, cudaExtent extent,
                                     unsigned levels, unsigned flags) {
  return WithContext([&](const Driver& driver) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor;
    if (array == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = Describe(channels, extent, flags, &descriptor); error != cudaSuccess) {
      return error;
    }
    return FromDriver(driver.cuMipmappedArrayCreate(array, &descriptor, levels));
  });
}

cudaError_t cudaFreeMipmappedArray(cudaMipmappedArray_t array) {
  return WithContext([&](const Driver& driver) {
    return array == nullptr ? cudaSuccess : FromDriver(driver.cuMipmappedArrayDestroy(array));
  });
}

cudaError_t cudaGetMipmappedArrayLevel(cudaArray_t* level, cudaMipmappedArray_const_t array,
                                       unsigned index) {
  return Forward(&Driver::cuMipmappedArrayGetLevel, level, const_cast<CUmipmappedArray>(array),
                 index);
}

cudaError_t cudaMipmappedArrayGetMemoryRequirements(cudaArrayMemoryRequirements* requirements,
                                                    cudaMipmappedArray_t array, int device) {
  return Forward(&Driver::cuMipmappedArrayGetMemoryRequirements, requirements, array, device);
}

cudaError_t cudaMipmappedArrayGetSparseProperties(cudaArraySparseProperties* properties,
                                                  cudaMipmappedArray_t array) {
  return Forward(&Driver::cuMipmappedArrayGetSparseProperties, properties, array);
}

// Textures and surfaces.

cudaError_t cudaCreateTextureObject(cudaTextureObject_t* object, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* texture,
                                    const cudaResourceViewDesc* view) {
  return WithContext([&](const Driver& driver) {
    if (object == nullptr || resource == nullptr || texture == nullptr) {
      return cudaErrorInvalidValue;
    }
    CUDA_RESOURCE_DESC driver_resource;
    if (cudaError_t error = ToDriver(*resource, &driver_resource); error != cudaSuccess) {
      return error;
    }
    CUDA_TEXTURE_DESC driver_texture = ToDriver(*texture);
    CUDA_RESOURCE_VIEW_DESC driver_view = {};
    if (view != nullptr) {
      driver_view = {view->format,
                     view->width,
                     view->height,
                     view->depth,
                     view->firstMipmapLevel,
                     view->lastMipmapLevel,
                     view->firstLayer,
                     view->lastLayer,
                     {}};
    }
    return FromDriver(driver.cuTexObjectCreate(object, &driver_resource, &driver_texture,
                                               view == nullptr ? nullptr : &driver_view));
  });
}

cudaError_t cudaDestroyTextureObject(cudaTextureObject_t object) {
  return Forward(&Driver::cuTexObjectDestroy, object);
}

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* resource,
                                             cudaTextureObject_t object) {
  return WithContext([&](const Driver& driver) {
    CUDA_RESOURCE_DESC found = {};
    if (resource == nullptr) return cudaErrorInvalidValue;
    if (CUresult result = driver.cuTexObjectGetResourceDesc(&found, object)) {
      return FromDriver(result);
    }
    return FromDriverResource(found, resource);
  });
}

cudaError_t cudaGetTextureObjectTextureDesc(cudaTextureDesc* texture, cudaTextureObject_t object) {
  return WithContext([&](const Driver& driver) {
    CUDA_TEXTURE_DESC found = {};
    if (texture == nullptr) return cudaErrorInvalidValue;
    if (CUresult result = driver.cuTexObjectGetTextureDesc(&found, object)) {
      return FromDriver(result);
    }
    *texture = FromDriverTexture(found);
    return cudaSuccess;
  });
}

cudaError_t cudaGetTextureObjectResourceViewDesc(cudaResourceViewDesc* view,
                                                 cudaTextureObject_t object) {
  return WithContext([&](const Driver& driver) {
    CUDA_RESOURCE_VIEW_DESC found = {};
    if (view == nullptr) return cudaErrorInvalidValue;
    if (CUresult result = driver.cuTexObjectGetResourceViewDesc(&found, object)) {
      return FromDriver(result);
    }
    *view = {};
    view->format = found.format;
    view->width = found.width;
    view->height = found.height;
    view->depth = found.depth;
    view->firstMipmapLevel = found.firstMipmapLevel;
    view->lastMipmapLevel = found.lastMipmapLevel;
    view->firstLayer = found.firstLayer;
    view->lastLayer = found.lastLayer;
    return cudaSuccess;
  });
}

cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t* object, const cudaResourceDesc* resource) {
  return WithContext([&](const Driver& driver) {
    CUDA_RESOURCE_DESC driver_resource;
    if (object == nullptr || resource == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = ToDriver(*resource, &driver_resource); error != cudaSuccess) {
      return error;
    }
    return FromDriver(driver.cuSurfObjectCreate(object, &driver_resource));
  });
}

cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t object) {
  return Forward(&Driver::cuSurfObjectDestroy, object);
}

cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* resource,
                                             cudaSurfaceObject_t object) {
  return WithContext([&](const Driver& driver) {
    CUDA_RESOURCE_DESC found = {};
    if (resource == nullptr) return cudaErrorInvalidValue;
    if (CUresult result = driver.cuSurfObjectGetResourceDesc(&found, object)) {
      return FromDriver(result);
    }
    return FromDriverResource(found, resource);
  });
}

}  // namespace vgpu::cudart
