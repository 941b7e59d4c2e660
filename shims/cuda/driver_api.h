// The functions of the driver API that shims/cuda has, as our own code calls them. What each one
// does is NVIDIA's to say (CUDA Driver API Reference 12.8 and 13); where ours differs, the file
// that defines it says so.
//
// Thread-safe, all of them; none throws; errno is kept.

#ifndef SHIMS_CUDA_DRIVER_API_H_
#define SHIMS_CUDA_DRIVER_API_H_

#include <cstddef>

#include "shims/abi/cuda_types.h"

extern "C" {

// --- init.cc
CUresult cuInit(unsigned flags);
CUresult cuDriverGetVersion(int* version);

// --- device.cc
CUresult cuDeviceGetCount(int* count);
CUresult cuDeviceGet(CUdevice* out, int ordinal);
CUresult cuDeviceGetName(char* name, int size, CUdevice ordinal);
CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice ordinal);
CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice ordinal);
CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice ordinal);
CUresult cuDeviceTotalMem(unsigned* bytes, CUdevice ordinal);
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice ordinal);
CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice ordinal);
CUresult cuDeviceGetProperties(CUdevprop* properties, CUdevice ordinal);
CUresult cuDeviceGetPCIBusId(char* text, int size, CUdevice ordinal);
CUresult cuDeviceGetByPCIBusId(CUdevice* out, const char* text);
CUresult cuDeviceGetLuid(char* luid, unsigned* node_mask, CUdevice ordinal);
CUresult cuDeviceGetTexture1DLinearMaxWidth(size_t* elements, CUarray_format format,
                                            unsigned channels, CUdevice ordinal);
CUresult cuDeviceGetExecAffinitySupport(int* supported, CUexecAffinityType type, CUdevice ordinal);

// --- context.cc
CUresult cuCtxCreate(CUcontext* context, unsigned flags, CUdevice ordinal);
CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice ordinal);
CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam* affinity, int count,
                        unsigned flags, CUdevice ordinal);
CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* parameters, unsigned flags,
                        CUdevice ordinal);
CUresult cuCtxDestroy_v2(CUcontext handle);
CUresult cuCtxAttach(CUcontext* out, unsigned flags);
CUresult cuCtxDetach(CUcontext handle);
CUresult cuDevicePrimaryCtxRetain(CUcontext* out, CUdevice ordinal);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice ordinal);
CUresult cuDevicePrimaryCtxReset_v2(CUdevice ordinal);
CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice ordinal, unsigned flags);
CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned* flags, int* active);
CUresult cuCtxPushCurrent_v2(CUcontext handle);
CUresult cuCtxPopCurrent_v2(CUcontext* out);
CUresult cuCtxSetCurrent(CUcontext handle);
CUresult cuCtxGetCurrent(CUcontext* out);
CUresult cuCtxGetDevice_v2(CUdevice* out, CUcontext handle);
CUresult cuCtxGetDevice(CUdevice* out);
CUresult cuCtxGetId(CUcontext handle, unsigned long long* id);
CUresult cuCtxGetApiVersion(CUcontext handle, unsigned* version);
CUresult cuCtxGetFlags(unsigned* flags);
CUresult cuCtxSetFlags(unsigned flags);
CUresult cuCtxSynchronize_v2(CUcontext handle);
CUresult cuCtxSynchronize();
CUresult cuCtxGetLimit(size_t* value, CUlimit limit);
CUresult cuCtxSetLimit(CUlimit limit, size_t value);
CUresult cuCtxGetCacheConfig(CUfunc_cache* config);
CUresult cuCtxSetCacheConfig(CUfunc_cache config);
CUresult cuCtxGetSharedMemConfig(CUsharedconfig* config);
CUresult cuCtxSetSharedMemConfig(CUsharedconfig config);
CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest);
CUresult cuCtxGetExecAffinity(CUexecAffinityParam* affinity, CUexecAffinityType type);
CUresult cuCtxResetPersistingL2Cache();
CUresult cuDeviceCanAccessPeer(int* can, CUdevice ordinal, CUdevice peer);
CUresult cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute, CUdevice source,
                                 CUdevice destination);
CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags);
CUresult cuCtxDisablePeerAccess(CUcontext peer);

// --- memory_api.cc
CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total);
CUresult cuMemGetInfo(unsigned* free_bytes, unsigned* total);
CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t size);
CUresult cuMemAlloc(CUdeviceptr_v1* pointer, unsigned size);
CUresult cuMemAllocPitch_v2(CUdeviceptr* pointer, size_t* pitch, size_t width, size_t height,
                            unsigned element);
CUresult cuMemAllocPitch(CUdeviceptr_v1* pointer, unsigned* pitch, unsigned width, unsigned height,
                         unsigned element);
CUresult cuMemFree_v2(CUdeviceptr pointer);
CUresult cuMemFree(CUdeviceptr_v1 pointer);
CUresult cuMemAllocManaged(CUdeviceptr* pointer, size_t size, unsigned flags);
CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr pointer);
CUresult cuMemGetAddressRange(CUdeviceptr_v1* base, unsigned* size, CUdeviceptr_v1 pointer);
CUresult cuMemHostAlloc(void** address, size_t size, unsigned flags);
CUresult cuMemAllocHost_v2(void** address, size_t size);
CUresult cuMemAllocHost(void** address, unsigned size);
CUresult cuMemFreeHost(void* address);
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* pointer, void* address, unsigned flags);
CUresult cuMemHostGetDevicePointer(CUdeviceptr_v1* pointer, void* address, unsigned flags);
CUresult cuMemHostGetFlags(unsigned* flags, void* address);
CUresult cuMemHostRegister_v2(void* address, size_t size, unsigned flags);
CUresult cuMemHostUnregister(void* address);

// --- copy_api.cc
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t size);
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream);
CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                      CUcontext from_context, size_t size);
CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                           CUcontext from_context, size_t size, CUstream stream);
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t size);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t size, CUstream stream);
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t size);
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t size, CUstream stream);
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t size);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream);
CUresult cuMemcpyHtoD(CUdeviceptr_v1 to, const void* from, unsigned size);
CUresult cuMemcpyHtoDAsync(CUdeviceptr_v1 to, const void* from, unsigned size, CUstream stream);
CUresult cuMemcpyDtoH(void* to, CUdeviceptr_v1 from, unsigned size);
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr_v1 from, unsigned size, CUstream stream);
CUresult cuMemcpyDtoD(CUdeviceptr_v1 to, CUdeviceptr_v1 from, unsigned size);
CUresult cuMemcpyDtoDAsync(CUdeviceptr_v1 to, CUdeviceptr_v1 from, unsigned size, CUstream stream);
CUresult cuMemcpyDtoA_v2(CUarray to, size_t offset, CUdeviceptr from, size_t size);
CUresult cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t size);
CUresult cuMemcpyHtoA_v2(CUarray to, size_t offset, const void* from, size_t size);
CUresult cuMemcpyHtoAAsync_v2(CUarray to, size_t offset, const void* from, size_t size,
                              CUstream stream);
CUresult cuMemcpyAtoH_v2(void* to, CUarray from, size_t offset, size_t size);
CUresult cuMemcpyAtoHAsync_v2(void* to, CUarray from, size_t offset, size_t size, CUstream stream);
CUresult cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset,
                         size_t size);
CUresult cuMemcpyDtoA(CUarray to, unsigned offset, CUdeviceptr_v1 from, unsigned size);
CUresult cuMemcpyAtoD(CUdeviceptr_v1 to, CUarray from, unsigned offset, unsigned size);
CUresult cuMemcpyHtoA(CUarray to, unsigned offset, const void* from, unsigned size);
CUresult cuMemcpyHtoAAsync(CUarray to, unsigned offset, const void* from, unsigned size,
                           CUstream stream);
CUresult cuMemcpyAtoH(void* to, CUarray from, unsigned offset, unsigned size);
CUresult cuMemcpyAtoHAsync(void* to, CUarray from, unsigned offset, unsigned size, CUstream stream);
CUresult cuMemcpyAtoA(CUarray to, unsigned to_offset, CUarray from, unsigned from_offset,
                      unsigned size);
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* p);
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* p, CUstream stream);
CUresult cuMemcpy2D(const CUDA_MEMCPY2D_v1* p);
CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D_v1* p, CUstream stream);
CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* p);
CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* p, CUstream stream);
CUresult cuMemcpy3D(const CUDA_MEMCPY3D_v1* p);
CUresult cuMemcpy3DAsync(const CUDA_MEMCPY3D_v1* p, CUstream stream);
CUresult cuMemcpy3DPeer(const CUDA_MEMCPY3D_PEER* p);
CUresult cuMemcpy3DPeerAsync(const CUDA_MEMCPY3D_PEER* p, CUstream stream);
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count);
CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count);
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count);
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream);
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream);
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream);
CUresult cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value, size_t width,
                         size_t height);
CUresult cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch, unsigned short value, size_t width,
                          size_t height);
CUresult cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned value, size_t width,
                          size_t height);
CUresult cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value, size_t width,
                           size_t height, CUstream stream);
CUresult cuMemsetD2D16Async(CUdeviceptr to, size_t pitch, unsigned short value, size_t width,
                            size_t height, CUstream stream);
CUresult cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned value, size_t width,
                            size_t height, CUstream stream);
CUresult cuMemsetD8(CUdeviceptr_v1 to, unsigned char value, unsigned count);
CUresult cuMemsetD16(CUdeviceptr_v1 to, unsigned short value, unsigned count);
CUresult cuMemsetD32(CUdeviceptr_v1 to, unsigned value, unsigned count);
CUresult cuMemsetD2D8(CUdeviceptr_v1 to, unsigned pitch, unsigned char value, unsigned width,
                      unsigned height);
CUresult cuMemsetD2D16(CUdeviceptr_v1 to, unsigned pitch, unsigned short value, unsigned width,
                       unsigned height);
CUresult cuMemsetD2D32(CUdeviceptr_v1 to, unsigned pitch, unsigned value, unsigned width,
                       unsigned height);

}  // extern "C"

#endif  // SHIMS_CUDA_DRIVER_API_H_
