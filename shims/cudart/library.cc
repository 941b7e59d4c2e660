// Device code that a program loads itself, the driver's entry points, and the driver's messages.

#include "shims/cudart/api.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Entry points that programs get through the runtime are the driver's own.
cudaError_t EntryPoint(const char* symbol, void** function, unsigned version, uint64_t flags,
                       cudaDriverEntryPointQueryResult* status) {
  return WithDriver([&](const Driver& driver) {
    if (symbol == nullptr || function == nullptr) return cudaErrorInvalidValue;
    *function = nullptr;
    int found = 0;  // CUdriverProcAddressQueryResult and cudaDriverEntryPointQueryResult agree
    CUresult result =
        driver.cuGetProcAddress_v2(symbol, function, static_cast<int>(version), flags, &found);
    if (status != nullptr) *status = found;
    // With somebody to tell the status to, a name that is not there is no error.
    if (result == CUDA_ERROR_NOT_FOUND && status != nullptr) return cudaSuccess;
    return FromDriver(result);
  });
}

// Without a version, names are those of this runtime, as far as an older driver of the same major
// version has them.
cudaError_t EntryPoint(const char* symbol, void** function, uint64_t flags,
                       cudaDriverEntryPointQueryResult* status) {
  ErrnoKeeper keeper;
  int version = 0;
  if (const Driver* driver = FoundDriver()) driver->cuDriverGetVersion(&version);
  if (version == 0 || version > kRuntimeVersion) version = kRuntimeVersion;
  return EntryPoint(symbol, function, static_cast<unsigned>(version), flags, status);
}

// cudaEnablePerThreadDefaultStream
constexpr uint64_t kPerThread = 2;

}  // namespace

cudaError_t cudaGetDriverEntryPoint(const char* symbol, void** function, uint64_t flags,
                                    cudaDriverEntryPointQueryResult* status) {
  return EntryPoint(symbol, function, flags, status);
}

cudaError_t cudaGetDriverEntryPoint_ptsz(const char* symbol, void** function, uint64_t flags,
                                         cudaDriverEntryPointQueryResult* status) {
  return EntryPoint(symbol, function, flags == 0 ? kPerThread : flags, status);
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned version,
                                             uint64_t flags,
                                             cudaDriverEntryPointQueryResult* status) {
  return EntryPoint(symbol, function, version, flags, status);
}

cudaError_t cudaGetDriverEntryPointByVersion_ptsz(const char* symbol, void** function,
                                                  unsigned version, uint64_t flags,
                                                  cudaDriverEntryPointQueryResult* status) {
  return EntryPoint(symbol, function, version, flags == 0 ? kPerThread : flags, status);
}

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code,
                                cudaJitOption* jit_options, void** jit_values, unsigned jit_count,
                                cudaLibraryOption* library_options, void** library_values,
                                unsigned library_count) {
  return Forward(&Driver::cuLibraryLoadData, library, code, jit_options, jit_values, jit_count,
                 library_options, library_values, library_count);
}

cudaError_t cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* file,
                                    cudaJitOption* jit_options, void** jit_values,
                                    unsigned jit_count, cudaLibraryOption* library_options,
                                    void** library_values, unsigned library_count) {
  return Forward(&Driver::cuLibraryLoadFromFile, library, file, jit_options, jit_values, jit_count,
                 library_options, library_values, library_count);
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  return Forward(&Driver::cuLibraryUnload, library);
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  return Forward(&Driver::cuLibraryGetKernel, kernel, library, name);
}

cudaError_t cudaLibraryGetKernelCount(unsigned* count, cudaLibrary_t library) {
  return Forward(&Driver::cuLibraryGetKernelCount, count, library);
}

cudaError_t cudaLibraryEnumerateKernels(cudaKernel_t* kernels, unsigned count,
                                        cudaLibrary_t library) {
  return Forward(&Driver::cuLibraryEnumerateKernels, kernels, count, library);
}

cudaError_t cudaLibraryGetGlobal(void** address, size_t* size, cudaLibrary_t library,
                                 const char* name) {
  return Forward(&Driver::cuLibraryGetGlobal, address, size, library, name);
}

cudaError_t cudaLibraryGetManaged(void** address, size_t* size, cudaLibrary_t library,
                                  const char* name) {
  return Forward(&Driver::cuLibraryGetManaged, address, size, library, name);
}

cudaError_t cudaLibraryGetUnifiedFunction(void** function, cudaLibrary_t library,
                                          const char* name) {
  return Forward(&Driver::cuLibraryGetUnifiedFunction, function, library, name);
}

#if VGPU_CUDART_MAJOR == 13
cudaError_t cudaLogsCurrent(cudaLogIterator* iterator, unsigned flags) {
  return Forward(&Driver::cuLogsCurrent, iterator, flags);
}

cudaError_t cudaLogsDumpToFile(cudaLogIterator* iterator, const char* path, unsigned flags) {
  return Forward(&Driver::cuLogsDumpToFile, iterator, path, flags);
}

cudaError_t cudaLogsDumpToMemory(cudaLogIterator* iterator, char* buffer, size_t* size,
                                 unsigned flags) {
  return Forward(&Driver::cuLogsDumpToMemory, iterator, buffer, size, flags);
}

cudaError_t cudaLogsRegisterCallback(cudaLogsCallback_t callback, void* user_data,
                                     cudaLogsCallbackHandle* handle) {
  return Forward(&Driver::cuLogsRegisterCallback, callback, user_data, handle);
}

cudaError_t cudaLogsUnregisterCallback(cudaLogsCallbackHandle handle) {
  return Forward(&Driver::cuLogsUnregisterCallback, handle);
}
#endif

}  // namespace vgpu::cudart
