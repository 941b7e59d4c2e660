// Devices: their number, properties, limits, peers, and which one a thread uses.

#include <string.h>

#include "shims/cudart/api.h"
#include "shims/cudart/format.h"
#include "shims/cudart/runtime.h"
#include "shims/cudart/thread.h"

namespace vgpu::cudart {
namespace {

// Flags that programs may give (cudaDeviceMask), and the one that is always on.
constexpr unsigned kDeviceFlags = 0xff;
constexpr unsigned kDeviceMapHost = 0x08;
constexpr unsigned kInitDeviceFlagsAreValid = 0x01;

// Some attributes, into the elements of a field; none, and the field stays as it is.
template <int... kAttributes, typename T>
void FillAttributes([[maybe_unused]] const Driver& driver, [[maybe_unused]] int device,
                    [[maybe_unused]] T* values) {
  if constexpr (sizeof...(kAttributes) > 0) {
    constexpr int kNumbers[] = {kAttributes...};
    for (size_t i = 0; i < sizeof...(kAttributes); ++i) {
      int value = 0;
      // One that the driver does not know stays 0, as a field of an older header would.
      driver.cuDeviceGetAttribute(&value, kNumbers[i], device);
      values[i] = static_cast<T>(value);
    }
  }
}

cudaError_t CheckDevice(const Driver& driver, int device) {
  int count = 0;
  if (CUresult result = driver.cuDeviceGetCount(&count)) return FromDriver(result);
  return device >= 0 && device < count ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t FillProperties(const Driver& driver, int device, cudaDeviceProp* properties) {
  if (cudaError_t error = CheckDevice(driver, device); error != cudaSuccess) return error;
  memset(properties, 0, sizeof(*properties));
#define VGPU_DEVICE_PROP(majors, type, name, count, ...) \
  VGPU_IF_##majors(FillAttributes<__VA_ARGS__>(driver, device, properties->name);)
#include "shims/abi/cudart_device_prop.inc"
#undef VGPU_DEVICE_PROP
  CUresult result = driver.cuDeviceGetName(properties->name, sizeof(properties->name), device);
  if (result == CUDA_SUCCESS) result = driver.cuDeviceGetUuid_v2(properties->uuid, device);
  if (result == CUDA_SUCCESS)
    result = driver.cuDeviceTotalMem_v2(properties->totalGlobalMem, device);
  return FromDriver(result);
}

cudaError_t SetFlags(const Driver& driver, int device, unsigned flags) {
  if ((flags & ~kDeviceFlags) != 0) return cudaErrorInvalidValue;
  return FromDriver(driver.cuDevicePrimaryCtxSetFlags_v2(device, flags & ~kDeviceMapHost));
}

// For a call that wants a pointer: null is an error of its own.
template <typename Body>
cudaError_t WithResult(const void* result, Body body) {
  return WithDriver([&](const Driver& driver) {
    return result == nullptr ? cudaErrorInvalidValue : body(driver);
  });
}

}  // namespace

cudaError_t cudaGetDeviceCount(int* count) {
  if (count != nullptr) *count = 0;
  return WithResult(count, [&](const Driver& driver) {
    if (CUresult result = driver.cuDeviceGetCount(count)) return FromDriver(result);
    return *count == 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return WithDriver([&](const Driver& driver) {
    if (cudaError_t error = CheckDevice(driver, device); error != cudaSuccess) return error;
    // Since CUDA 12 the context is made here, and not at the first use.
    CUcontext context = nullptr;
    if (cudaError_t error = RetainPrimary(driver, device, &context); error != cudaSuccess) {
      return error;
    }
    if (CUresult result = driver.cuCtxSetCurrent(context)) return FromDriver(result);
    thread.device = device;
    return cudaSuccess;
  });
}

cudaError_t cudaInitDevice(int device, unsigned device_flags, unsigned flags) {
  return WithDriver([&](const Driver& driver) {
    if (cudaError_t error = CheckDevice(driver, device); error != cudaSuccess) return error;
    if ((flags & ~kInitDeviceFlagsAreValid) != 0) return cudaErrorInvalidValue;
    if ((flags & kInitDeviceFlagsAreValid) != 0) {
      if (cudaError_t error = SetFlags(driver, device, device_flags); error != cudaSuccess) {
        return error;
      }
    }
    return RetainPrimary(driver, device, nullptr);
  });
}

cudaError_t cudaGetDevice(int* device) {
  return WithResult(device, [&](const Driver& driver) {
    *device = CurrentDevice(driver);
    return cudaSuccess;
  });
}

cudaError_t cudaSetDeviceFlags(unsigned flags) {
  return WithDriver(
      [&](const Driver& driver) { return SetFlags(driver, CurrentDevice(driver), flags); });
}

cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  return WithResult(flags, [&](const Driver& driver) {
    int active = 0;
    CUresult result = driver.cuDevicePrimaryCtxGetState(CurrentDevice(driver), flags, &active);
    *flags |= kDeviceMapHost;
    return FromDriver(result);
  });
}

// The first that can be used is the calling thread's, as in "the devices to try": one that is
// visible can be used.
cudaError_t cudaSetValidDevices(int* devices, int count) {
  return WithDriver([&](const Driver& driver) {
    if (count < 0 || (count > 0 && devices == nullptr)) return cudaErrorInvalidValue;
    for (int i = 0; i < count; ++i) {
      if (cudaError_t error = CheckDevice(driver, devices[i]); error != cudaSuccess) return error;
    }
    thread.device = count == 0 ? 0 : devices[0];
    return cudaSuccess;
  });
}

// The first that has what is asked for; else the first of all.
cudaError_t cudaChooseDevice(int* device, const cudaDeviceProp* wanted) {
  return WithDriver([&](const Driver& driver) {
    if (device == nullptr || wanted == nullptr) return cudaErrorInvalidValue;
    int count = 0;
    if (CUresult result = driver.cuDeviceGetCount(&count)) return FromDriver(result);
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp has;
      if (cudaError_t error = FillProperties(driver, i, &has); error != cudaSuccess) return error;
      bool newer = has.major[0] != wanted->major[0] ? has.major[0] > wanted->major[0]
                                                    : has.minor[0] >= wanted->minor[0];
      if (!newer || has.totalGlobalMem[0] < wanted->totalGlobalMem[0]) continue;
      *device = i;
      return cudaSuccess;
    }
    *device = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return WithResult(value, [&](const Driver& driver) {
    return FromDriver(driver.cuDeviceGetAttribute(value, attribute, device));
  });
}

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* properties, int device) {
  return WithResult(
      properties, [&](const Driver& driver) { return FillProperties(driver, device, properties); });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp_v1* properties, int device) {
  return WithResult(properties, [&](const Driver& driver) {
    cudaDeviceProp all;
    cudaError_t error = FillProperties(driver, device, &all);
    if (error == cudaSuccess) memcpy(properties->bytes, &all, sizeof(properties->bytes));
    return error;
  });
}
#else
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return WithResult(
      properties, [&](const Driver& driver) { return FillProperties(driver, device, properties); });
}
#endif

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return WithResult(text, [&](const Driver& driver) {
    return FromDriver(driver.cuDeviceGetPCIBusId(text, length, device));
  });
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* text) {
  return WithResult(device, [&](const Driver& driver) {
    return FromDriver(driver.cuDeviceGetByPCIBusId(device, text));
  });
}

// Versions.

cudaError_t cudaDriverGetVersion(int* version) {
  ErrnoKeeper keeper;
  if (version == nullptr) return Record(cudaErrorInvalidValue);
  *version = 0;  // what the documentation promises where no driver is installed
  const Driver* driver = FoundDriver();
  return driver == nullptr ? cudaSuccess : Record(FromDriver(driver->cuDriverGetVersion(version)));
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return Record(cudaErrorInvalidValue);
  *version = kRuntimeVersion;
  return cudaSuccess;
}

// Contexts.

cudaError_t cudaDeviceSynchronize() { return Forward(&Driver::cuCtxSynchronize); }

cudaError_t cudaDeviceReset() {
  return WithDriver([&](const Driver& driver) {
    cudaError_t error = ResetDevice(driver, CurrentDevice(driver));
    // The next call makes a context anew.
    CUresult result = driver.cuCtxSetCurrent(nullptr);
    return error != cudaSuccess ? error : FromDriver(result);
  });
}

cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit limit) {
  return Forward(&Driver::cuCtxGetLimit, value, limit);
}

cudaError_t cudaDeviceSetLimit(cudaLimit limit, size_t value) {
  return Forward(&Driver::cuCtxSetLimit, limit, value);
}

cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  return Forward(&Driver::cuCtxGetCacheConfig, config);
}

cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache config) {
  return Forward(&Driver::cuCtxSetCacheConfig, config);
}

cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  return Forward(&Driver::cuCtxGetSharedMemConfig, config);
}

cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig config) {
  return Forward(&Driver::cuCtxSetSharedMemConfig, config);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return Forward(&Driver::cuCtxGetStreamPriorityRange, least, greatest);
}

cudaError_t cudaCtxResetPersistingL2Cache() {
  return Forward(&Driver::cuCtxResetPersistingL2Cache);
}

cudaError_t cudaDeviceFlushGPUDirectRDMAWrites(cudaFlushGPUDirectRDMAWritesTarget target,
                                               cudaFlushGPUDirectRDMAWritesScope scope) {
  return Forward(&Driver::cuFlushGPUDirectRDMAWrites, target, scope);
}

#if VGPU_CUDART_MAJOR == 12
// Deprecated names of CUDA 4 for whole processes.
cudaError_t cudaThreadExit() { return cudaDeviceReset(); }
cudaError_t cudaThreadSynchronize() { return cudaDeviceSynchronize(); }
cudaError_t cudaThreadGetLimit(size_t* value, cudaLimit limit) {
  return cudaDeviceGetLimit(value, limit);
}
cudaError_t cudaThreadSetLimit(cudaLimit limit, size_t value) {
  return cudaDeviceSetLimit(limit, value);
}
cudaError_t cudaThreadGetCacheConfig(cudaFuncCache* config) {
  return cudaDeviceGetCacheConfig(config);
}
cudaError_t cudaThreadSetCacheConfig(cudaFuncCache config) {
  return cudaDeviceSetCacheConfig(config);
}
// Conversions for devices without double precision, of which there are none left.
cudaError_t cudaSetDoubleForDevice(double*) { return cudaSuccess; }
cudaError_t cudaSetDoubleForHost(double*) { return cudaSuccess; }
#endif

// Peers.

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return WithResult(can, [&](const Driver& driver) {
    return FromDriver(driver.cuDeviceCanAccessPeer(can, device, peer));
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  return WithContext([&](const Driver& driver) {
    if (cudaError_t error = CheckDevice(driver, peer); error != cudaSuccess) return error;
    CUcontext context = nullptr;
    if (cudaError_t error = RetainPrimary(driver, peer, &context); error != cudaSuccess) {
      return error;
    }
    return FromDriver(driver.cuCtxEnablePeerAccess(context, flags));
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return WithContext([&](const Driver& driver) {
    if (cudaError_t error = CheckDevice(driver, peer); error != cudaSuccess) return error;
    CUcontext context = nullptr;
    if (cudaError_t error = RetainPrimary(driver, peer, &context); error != cudaSuccess) {
      return error;
    }
    return FromDriver(driver.cuCtxDisablePeerAccess(context));
  });
}

cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attribute, int source,
                                      int destination) {
  return WithResult(value, [&](const Driver& driver) {
    return FromDriver(driver.cuDeviceGetP2PAttribute(value, attribute, source, destination));
  });
}

#if VGPU_CUDART_MAJOR == 13
cudaError_t cudaDeviceGetHostAtomicCapabilities(unsigned* capabilities,
                                                const cudaAtomicOperation* operations,
                                                unsigned count, int device) {
  return Forward(&Driver::cuDeviceGetHostAtomicCapabilities, capabilities, operations, count,
                 device);
}

cudaError_t cudaDeviceGetP2PAtomicCapabilities(unsigned* capabilities,
                                               const cudaAtomicOperation* operations,
                                               unsigned count, int source, int destination) {
  return Forward(&Driver::cuDeviceGetP2PAtomicCapabilities, capabilities, operations, count, source,
                 destination);
}
#endif

cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(size_t* width, const cudaChannelFormatDesc* format,
                                                 int device) {
  return WithResult(width, [&](const Driver& driver) {
    ArrayFormat array;
    if (format == nullptr || !ToArrayFormat(*format, &array)) {
      return cudaErrorInvalidChannelDescriptor;
    }
    return FromDriver(
        driver.cuDeviceGetTexture1DLinearMaxWidth(width, array.format, array.channels, device));
  });
}

// No OpenGL context can belong to a virtual device.
cudaError_t cudaGLGetDevices(unsigned* count, int* devices, unsigned capacity, int list) {
  return Forward(&Driver::cuGLGetDevices_v2, count, devices, capacity, list);
}

// Profilers, and what only NVIDIA's own parts of CUDA know.

cudaError_t cudaProfilerStart() { return Forward(&Driver::cuProfilerStart); }
cudaError_t cudaProfilerStop() { return Forward(&Driver::cuProfilerStop); }

cudaError_t cudaGetExportTable(const void** table, const cudaUUID_t*) {
  if (table != nullptr) *table = nullptr;
  return Record(cudaErrorSymbolNotFound);
}

}  // namespace vgpu::cudart
