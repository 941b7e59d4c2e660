// What the runtime says of every device that it shows; compiled with NVIDIA's own
// cuda_runtime_api.h, once for each major version.
//
//   read_runtime calls         by cudaDeviceGetAttribute and its neighbours
//   read_runtime properties    by cudaGetDeviceProperties
//
// Exit status 1: a call failed, and standard error has "CALL: CODE".

#include <cuda_runtime_api.h>
#include <string.h>

#include "fact.h"

#define DO(call)                                       \
  do {                                                 \
    cudaError_t result = (call);                       \
    if (result != cudaSuccess) {                       \
      fprintf(stderr, "%s: %d\n", #call, (int)result); \
      return 1;                                        \
    }                                                  \
  } while (0)

enum { kAttributes = 162 };  // one more than the last of cuda.h 13.5

static void Properties(const struct cudaDeviceProp* of, int ordinal) {
  Fact("name", "%s", of->name);
  Fact("ordinal", "%d", ordinal);
  Fact("memory_total_bytes", "%zu", of->totalGlobalMem);
  Fact("compute_capability", "%d.%d", of->major, of->minor);
  Fact("pci_domain_bus_slot", "%04x:%02x:%02x", of->pciDomainID, of->pciBusID, of->pciDeviceID);
  Fact("memory_bus_bits", "%d", of->memoryBusWidth);
  Fact("ecc", "%d", of->ECCEnabled);
  AttributeFact(1, of->maxThreadsPerBlock);
  for (int axis = 0; axis < 3; ++axis) {
    AttributeFact(2 + axis, of->maxThreadsDim[axis]);
    AttributeFact(5 + axis, of->maxGridSize[axis]);
    AttributeFact(24 + axis, of->maxTexture3D[axis]);
    AttributeFact(27 + axis, of->maxTexture2DLayered[axis]);
    AttributeFact(47 + axis, of->maxTexture3DAlt[axis]);
    AttributeFact(58 + axis, of->maxSurface3D[axis]);
    AttributeFact(63 + axis, of->maxSurface2DLayered[axis]);
    AttributeFact(70 + axis, of->maxTexture2DLinear[axis]);
  }
  for (int axis = 0; axis < 2; ++axis) {
    AttributeFact(22 + axis, of->maxTexture2D[axis]);
    AttributeFact(42 + axis, of->maxTexture1DLayered[axis]);
    AttributeFact(45 + axis, of->maxTexture2DGather[axis]);
    AttributeFact(53 + axis, of->maxTextureCubemapLayered[axis]);
    AttributeFact(56 + axis, of->maxSurface2D[axis]);
    AttributeFact(61 + axis, of->maxSurface1DLayered[axis]);
    AttributeFact(67 + axis, of->maxSurfaceCubemapLayered[axis]);
    AttributeFact(73 + axis, of->maxTexture2DMipmap[axis]);
  }
  AttributeFact(8, (long long)of->sharedMemPerBlock);
  AttributeFact(9, (long long)of->totalConstMem);
  AttributeFact(10, of->warpSize);
  AttributeFact(11, (long long)of->memPitch);
  AttributeFact(12, of->regsPerBlock);
  AttributeFact(14, (long long)of->textureAlignment);
  AttributeFact(16, of->multiProcessorCount);
  AttributeFact(18, of->integrated);
  AttributeFact(19, of->canMapHostMemory);
  AttributeFact(21, of->maxTexture1D);
  AttributeFact(30, (long long)of->surfaceAlignment);
  AttributeFact(31, of->concurrentKernels);
  AttributeFact(32, of->ECCEnabled);
  AttributeFact(33, of->pciBusID);
  AttributeFact(34, of->pciDeviceID);
  AttributeFact(35, of->tccDriver);
  AttributeFact(37, of->memoryBusWidth);
  AttributeFact(38, of->l2CacheSize);
  AttributeFact(39, of->maxThreadsPerMultiProcessor);
  AttributeFact(40, of->asyncEngineCount);
  AttributeFact(41, of->unifiedAddressing);
  AttributeFact(50, of->pciDomainID);
  AttributeFact(51, (long long)of->texturePitchAlignment);
  AttributeFact(52, of->maxTextureCubemap);
  AttributeFact(55, of->maxSurface1D);
  AttributeFact(66, of->maxSurfaceCubemap);
  AttributeFact(75, of->major);
  AttributeFact(76, of->minor);
  AttributeFact(77, of->maxTexture1DMipmap);
  AttributeFact(78, of->streamPrioritiesSupported);
  AttributeFact(79, of->globalL1CacheSupported);
  AttributeFact(80, of->localL1CacheSupported);
  AttributeFact(81, (long long)of->sharedMemPerMultiprocessor);
  AttributeFact(82, of->regsPerMultiprocessor);
  AttributeFact(83, of->managedMemory);
  AttributeFact(84, of->isMultiGpuBoard);
  AttributeFact(85, of->multiGpuBoardGroupID);
  AttributeFact(86, of->hostNativeAtomicSupported);
  AttributeFact(88, of->pageableMemoryAccess);
  AttributeFact(89, of->concurrentManagedAccess);
  AttributeFact(90, of->computePreemptionSupported);
  AttributeFact(91, of->canUseHostPointerForRegisteredMem);
  AttributeFact(95, of->cooperativeLaunch);
  AttributeFact(97, (long long)of->sharedMemPerBlockOptin);
  AttributeFact(99, of->hostRegisterSupported);
  AttributeFact(100, of->pageableMemoryAccessUsesHostPageTables);
  AttributeFact(101, of->directManagedMemAccessFromHost);
  AttributeFact(106, of->maxBlocksPerMultiProcessor);
  AttributeFact(108, of->persistingL2CacheMaxSize);
  AttributeFact(109, of->accessPolicyMaxWindowSize);
  AttributeFact(111, (long long)of->reservedSharedMemPerBlock);
  AttributeFact(112, of->sparseCudaArraySupported);
  AttributeFact(113, of->hostRegisterReadOnlySupported);
  AttributeFact(114, of->timelineSemaphoreInteropSupported);
  AttributeFact(115, of->memoryPoolsSupported);
  AttributeFact(116, of->gpuDirectRDMASupported);
  AttributeFact(117, (int)of->gpuDirectRDMAFlushWritesOptions);
  AttributeFact(118, of->gpuDirectRDMAWritesOrdering);
  AttributeFact(119, (int)of->memoryPoolSupportedHandleTypes);
  AttributeFact(120, of->clusterLaunch);
  AttributeFact(121, of->deferredMappingCudaArraySupported);
  AttributeFact(125, of->ipcEventSupported);
  AttributeFact(129, of->unifiedFunctionPointers);
#if CUDART_VERSION < 13000
  AttributeFact(13, of->clockRate);
  AttributeFact(15, of->deviceOverlap);
  AttributeFact(17, of->kernelExecTimeoutEnabled);
  AttributeFact(20, of->computeMode);
  AttributeFact(36, of->memoryClockRate);
  AttributeFact(69, of->maxTexture1DLinear);
  AttributeFact(87, of->singleToDoublePrecisionPerfRatio);
  AttributeFact(96, of->cooperativeMultiDeviceLaunch);
#else
  AttributeFact(130, of->deviceNumaConfig);
  AttributeFact(131, of->deviceNumaId);
  AttributeFact(133, of->mpsEnabled);
  AttributeFact(134, of->hostNumaId);
  AttributeFact(143, of->hostNumaMultinodeIpcSupported);
  Fact("pci_ids", "%04x:%04x", of->gpuPciDeviceID & 0xffff, of->gpuPciDeviceID >> 16);
  Fact("pci_subsystem_ids", "%04x:%04x", of->gpuPciSubsystemID & 0xffff,
       of->gpuPciSubsystemID >> 16);
#endif
}

static int Calls(int device) {
  DO(cudaSetDevice(device));
  char pci[32];
  DO(cudaDeviceGetPCIBusId(pci, sizeof pci, device));
  Fact("pci", "%s", pci);
  Fact("ordinal", "%d", device);
  int found = -1;
  DO(cudaDeviceGetByPCIBusId(&found, pci));
  Fact("found_by_pci", "%d", found == device);
  size_t free_bytes = 0, total = 0;
  DO(cudaMemGetInfo(&free_bytes, &total));
  Fact("memory_total_bytes", "%zu", total);
  Fact("memory_free_bytes", "%zu", free_bytes);
  Fact("memory_used_bytes", "%zu", total - free_bytes);
  int values[kAttributes] = {0};
  for (int number = 1; number < kAttributes; ++number) {
    if (cudaDeviceGetAttribute(&values[number], (enum cudaDeviceAttr)number, device) ==
        cudaSuccess) {
      AttributeFact(number, values[number]);
    }
  }
  // Asking for what is unknown left an error behind, which is the runtime's way.
  (void)cudaGetLastError();
  Fact("compute_capability", "%d.%d", values[cudaDevAttrComputeCapabilityMajor],
       values[cudaDevAttrComputeCapabilityMinor]);
  Fact("max_sm_clock_mhz", "%d", values[cudaDevAttrClockRate] / 1000);
  Fact("max_memory_clock_mhz", "%d", values[cudaDevAttrMemoryClockRate] / 1000);
  Fact("memory_bus_bits", "%d", values[cudaDevAttrGlobalMemoryBusWidth]);
  Fact("pci_domain_bus_slot", "%04x:%02x:%02x", values[cudaDevAttrPciDomainId],
       values[cudaDevAttrPciBusId], values[cudaDevAttrPciDeviceId]);
  Fact("compute_mode", "%d", values[cudaDevAttrComputeMode]);
  Fact("ecc", "%d", values[cudaDevAttrEccEnabled]);
  return 0;
}

int main(int count, char** words) {
  int calls = count == 2 && strcmp(words[1], "calls") == 0;
  if (!calls && !(count == 2 && strcmp(words[1], "properties") == 0)) return 64;
  int devices = 0, version = 0;
  cudaError_t counted = cudaGetDeviceCount(&devices);
  // The runtime has an error for what the driver says with a count of zero.
  if (counted == cudaErrorNoDevice) {
    devices = 0;
  } else {
    DO(counted);
  }
  Fact("cuda_devices", "%d", devices);
  if (calls) {
    DO(cudaDriverGetVersion(&version));
    Fact("cuda_driver_version", "%d", version);
  }
  for (int device = 0; device < devices; ++device) {
    struct cudaDeviceProp properties;
    DO(cudaGetDeviceProperties(&properties, device));
    char uuid[64];
    fact_device = UuidText(&properties.uuid, uuid);
    if (calls) {
      if (Calls(device) != 0) return 1;
    } else {
      Properties(&properties, device);
    }
  }
  return 0;
}
