// Launches, which are refused, and what can be said of kernels without their code.
//
// A kernel's attributes are those of its device where the code would say more: nothing is known of
// its registers and memory, so 0 bytes of static, constant and local memory are reported, and
// kRegisters registers, with which no device here runs out of them. Occupancy is computed from
// these and is an upper bound.

#include "shims/cudart/kernel.h"

#include "shims/cudart/api.h"
#include "shims/log/log.h"

namespace vgpu::cudart {
namespace {

constexpr int kRegisters = 32;

// What a cluster may have at most on every device that has clusters (CUDA C++ Programming Guide
// 12.8, "Thread Block Clusters").
constexpr int kPortableCluster = 8;

int Attribute(const Driver& driver, CUdevice_attribute attribute) {
  int value = 0;
  driver.cuDeviceGetAttribute(&value, attribute, CurrentDevice(driver));
  return value;
}

int Or(int set, int otherwise) { return set < 0 ? otherwise : set; }

int MaxDynamicShared(const Driver& driver, const KernelInfo& kernel) {
  return Or(kernel.settings.max_dynamic_shared_bytes,
            Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK));
}

bool FitsInto(const dim3& size, int x, int y, int z) {
  return size.x > 0 && size.y > 0 && size.z > 0 && size.x <= static_cast<unsigned>(x) &&
         size.y <= static_cast<unsigned>(y) && size.z <= static_cast<unsigned>(z);
}

// What the device would refuse too.
cudaError_t CheckShape(const Driver& driver, const KernelInfo& kernel, const dim3& grid,
                       const dim3& block, size_t shared) {
  if (!FitsInto(grid, Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X),
                Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y),
                Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)) ||
      !FitsInto(block, Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X),
                Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y),
                Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z))) {
    return cudaErrorInvalidConfiguration;
  }
  uint64_t threads = uint64_t{block.x} * block.y * block.z;
  auto limit = static_cast<uint64_t>(Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
  if (threads > limit) return cudaErrorInvalidConfiguration;
  if (shared > static_cast<size_t>(MaxDynamicShared(driver, kernel))) return cudaErrorInvalidValue;
  return cudaSuccess;
}

cudaError_t Launch(const char* called, const void* function, const dim3& grid, const dim3& block,
                   size_t shared) {
  return WithContext([&](const Driver& driver) {
    KernelInfo kernel;
    if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
      return error;
    }
    if (cudaError_t error = CheckShape(driver, kernel, grid, block, shared); error != cudaSuccess) {
      return error;
    }
    return RefuseLaunch(driver, called, kernel.name);
  });
}

// Blocks of one multiprocessor at once.
int MaxActiveBlocks(const Driver& driver, int block, size_t shared) {
  int warp = Attribute(driver, CU_DEVICE_ATTRIBUTE_WARP_SIZE);
  int rounded = (block + warp - 1) / warp * warp;
  int blocks = Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
  auto limit = [&blocks](uint64_t most) {
    if (most < static_cast<uint64_t>(blocks)) blocks = static_cast<int>(most);
  };
  limit(
      static_cast<uint64_t>(Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR)) /
      rounded);
  limit(static_cast<uint64_t>(
            Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR)) /
        (static_cast<uint64_t>(rounded) * kRegisters));
  size_t reserved =
      static_cast<size_t>(Attribute(driver, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK));
  size_t all = static_cast<size_t>(
      Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR));
  if (shared + reserved > 0) limit(all / (shared + reserved));
  return blocks;
}

// A number of a kernel that cudaFuncSetAttribute sets; null: none.
int* Setting(KernelSettings* settings, int attribute) {
  switch (attribute) {
    case cudaFuncAttributeMaxDynamicSharedMemorySize:
      return &settings->max_dynamic_shared_bytes;
    case cudaFuncAttributePreferredSharedMemoryCarveout:
      return &settings->shared_carveout;
    case cudaFuncAttributeClusterDimMustBeSet:
      return &settings->cluster_must_be_set;
    case cudaFuncAttributeRequiredClusterWidth:
      return &settings->cluster[0];
    case cudaFuncAttributeRequiredClusterHeight:
      return &settings->cluster[1];
    case cudaFuncAttributeRequiredClusterDepth:
      return &settings->cluster[2];
    case cudaFuncAttributeNonPortableClusterSizeAllowed:
      return &settings->non_portable_cluster;
    case cudaFuncAttributeClusterSchedulingPolicyPreference:
      return &settings->cluster_policy;
    case cudaFuncAttributeSharedMemoryMode:
      return kMajor >= 13 ? &settings->shared_memory_mode : nullptr;
    default:
      return nullptr;
  }
}

cudaError_t SetAttribute(const Driver& driver, const void* function, int attribute, int value) {
  KernelInfo kernel;
  if (!FindKernel(function, &kernel)) {
    if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
      return error;
    }
    auto* own = static_cast<CUkernel>(const_cast<void*>(function));
    return FromDriver(driver.cuKernelSetAttribute(attribute, value, own, CurrentDevice(driver)));
  }
  int* setting = Setting(&kernel.settings, attribute);
  if (setting == nullptr) return cudaErrorInvalidValue;
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) {
    if (value < -1 || value > 100) return cudaErrorInvalidValue;
  } else if (value < 0) {
    return cudaErrorInvalidValue;
  }
  if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize &&
      value > Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)) {
    return cudaErrorInvalidValue;
  }
  *setting = value;
  return SetKernelSettings(function, kernel.settings) ? cudaSuccess
                                                      : cudaErrorInvalidDeviceFunction;
}

}  // namespace

cudaError_t LookUpKernel(const Driver& driver, const void* function, KernelInfo* kernel) {
  KernelInfo unused;
  if (kernel == nullptr) kernel = &unused;
  if (function == nullptr) return cudaErrorInvalidDeviceFunction;
  if (FindKernel(function, kernel)) return cudaSuccess;
  *kernel = KernelInfo();
  auto* own = static_cast<CUkernel>(const_cast<void*>(function));
  return driver.cuKernelGetName(&kernel->name, own) == CUDA_SUCCESS
             ? cudaSuccess
             : cudaErrorInvalidDeviceFunction;
}

cudaError_t RefuseLaunch(const Driver& driver, const char* function, const char* name) {
  log::Write(log::Level::kError, kLibrary, "kernel launch refused",
             {{"func", function},
              {"device", CurrentDevice(driver)},
              {"reason", "no compute backend"},
              {"kernel", name}});
  return cudaErrorNotSupported;
}

cudaError_t RefuseKernel(const Driver& driver, const char* called, const void* function) {
  KernelInfo kernel;
  if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
    return error;
  }
  return RefuseLaunch(driver, called, kernel.name);
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void**, size_t shared,
                             cudaStream_t) {
  return Launch("cudaLaunchKernel", function, grid, block, shared);
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void**, size_t shared,
                               cudaStream_t) {
  return Launch("cudaLaunchKernel", kernel, grid, block, shared);
}

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void**,
                                        size_t shared, cudaStream_t) {
  return Launch("cudaLaunchCooperativeKernel", function, grid, block, shared);
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* configuration, const void* function,
                                void**) {
  if (configuration == nullptr) return Record(cudaErrorInvalidValue);
  return Launch("cudaLaunchKernelExC", function, configuration->gridDim, configuration->blockDim,
                configuration->dynamicSmemBytes);
}

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaLaunchCooperativeKernelMultiDevice(cudaLaunchParams* launches, unsigned count,
                                                   unsigned) {
  if (launches == nullptr || count == 0) return Record(cudaErrorInvalidValue);
  return Launch("cudaLaunchCooperativeKernelMultiDevice", launches->func, launches->gridDim,
                launches->blockDim, launches->sharedMem);
}
#endif

// A registered kernel's handle is its host function.
cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return WithContext([&](const Driver&) {
    KernelInfo info;
    if (kernel == nullptr) return cudaErrorInvalidValue;
    if (!FindKernel(function, &info)) return cudaErrorInvalidDeviceFunction;
    *kernel = static_cast<cudaKernel_t>(const_cast<void*>(function));
    return cudaSuccess;
  });
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return cudaGetKernel(kernel, function);
}

// The driver has no function for code that was never loaded into it.
cudaError_t cudaGetFuncBySymbol(cudaFunction_t* function, const void* symbol) {
  return WithContext([&](const Driver& driver) {
    if (function == nullptr) return cudaErrorInvalidValue;
    *function = nullptr;
    cudaError_t error = LookUpKernel(driver, symbol, nullptr);
    return error == cudaSuccess ? cudaErrorNotSupported : error;
  });
}

cudaError_t cudaFuncGetName(const char** name, const void* function) {
  return WithContext([&](const Driver& driver) {
    KernelInfo kernel;
    if (name == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
      return error;
    }
    *name = kernel.name;
    return cudaSuccess;
  });
}

// How a kernel takes its parameters is in its code.
cudaError_t cudaFuncGetParamInfo(const void* function, size_t, size_t*, size_t*) {
  return WithContext([&](const Driver& driver) {
    cudaError_t error = LookUpKernel(driver, function, nullptr);
    return error == cudaSuccess ? cudaErrorNotSupported : error;
  });
}

#if VGPU_CUDART_MAJOR == 13
cudaError_t cudaFuncGetParamCount(const void* function, size_t*) {
  return WithContext([&](const Driver& driver) {
    cudaError_t error = LookUpKernel(driver, function, nullptr);
    return error == cudaSuccess ? cudaErrorNotSupported : error;
  });
}
#endif

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  return WithContext([&](const Driver& driver) {
    KernelInfo kernel;
    if (attributes == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
      return error;
    }
    const KernelSettings& settings = kernel.settings;
    *attributes = {};
    attributes->maxThreadsPerBlock = Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    attributes->numRegs = kRegisters;
    attributes->binaryVersion =
        Attribute(driver, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
        Attribute(driver, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    attributes->ptxVersion = attributes->binaryVersion;
    attributes->maxDynamicSharedSizeBytes = MaxDynamicShared(driver, kernel);
    attributes->preferredShmemCarveout = settings.shared_carveout;
    attributes->clusterDimMustBeSet = Or(settings.cluster_must_be_set, 0);
    attributes->requiredClusterWidth = Or(settings.cluster[0], 0);
    attributes->requiredClusterHeight = Or(settings.cluster[1], 0);
    attributes->requiredClusterDepth = Or(settings.cluster[2], 0);
    attributes->clusterSchedulingPolicyPreference = Or(settings.cluster_policy, 0);
    attributes->nonPortableClusterSizeAllowed = Or(settings.non_portable_cluster, 0);
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return WithContext(
      [&](const Driver& driver) { return SetAttribute(driver, function, attribute, value); });
}

cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attribute,
                                            int value, int) {
  return WithContext(
      [&](const Driver& driver) { return SetAttribute(driver, kernel, attribute, value); });
}

// Hints.
cudaError_t cudaFuncSetCacheConfig(const void* function, cudaFuncCache) {
  return WithContext([&](const Driver& driver) { return LookUpKernel(driver, function, nullptr); });
}

cudaError_t cudaFuncSetSharedMemConfig(const void* function, cudaSharedMemConfig) {
  return WithContext([&](const Driver& driver) { return LookUpKernel(driver, function, nullptr); });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks,
                                                                   const void* function, int block,
                                                                   size_t shared, unsigned flags) {
  return WithContext([&](const Driver& driver) {
    KernelInfo kernel;
    if (blocks == nullptr || block <= 0 || flags > 1) return cudaErrorInvalidValue;
    if (cudaError_t error = LookUpKernel(driver, function, &kernel); error != cudaSuccess) {
      return error;
    }
    *blocks = 0;
    if (block <= Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK) &&
        shared <= static_cast<size_t>(MaxDynamicShared(driver, kernel))) {
      *blocks = MaxActiveBlocks(driver, block, shared);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function,
                                                          int block, size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, block, shared, 0);
}

cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* shared, const void* function,
                                                      int blocks, int block) {
  return WithContext([&](const Driver& driver) {
    if (shared == nullptr || blocks <= 0 || block <= 0) return cudaErrorInvalidValue;
    if (cudaError_t error = LookUpKernel(driver, function, nullptr); error != cudaSuccess) {
      return error;
    }
    *shared = 0;
    if (MaxActiveBlocks(driver, block, 0) < blocks) return cudaSuccess;
    int share =
        Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR) / blocks -
        Attribute(driver, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
    int most = Attribute(driver, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    if (share > most) share = most;
    *shared = share < 0 ? 0 : static_cast<size_t>(share);
    return cudaSuccess;
  });
}

cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, const void* function,
                                                 const cudaLaunchConfig_t* configuration) {
  return WithContext([&](const Driver& driver) {
    if (size == nullptr || configuration == nullptr) return cudaErrorInvalidValue;
    if (cudaError_t error = LookUpKernel(driver, function, nullptr); error != cudaSuccess) {
      return error;
    }
    *size = Attribute(driver, CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) != 0 ? kPortableCluster : 1;
    return cudaSuccess;
  });
}

// How clusters fall on the device's groups of multiprocessors is not known.
cudaError_t cudaOccupancyMaxActiveClusters(int*, const void* function, const cudaLaunchConfig_t*) {
  return WithContext([&](const Driver& driver) {
    cudaError_t error = LookUpKernel(driver, function, nullptr);
    return error == cudaSuccess ? cudaErrorNotSupported : error;
  });
}

}  // namespace vgpu::cudart
