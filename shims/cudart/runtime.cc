#include "shims/cudart/runtime.h"

#include <stdlib.h>

#include <atomic>

#include "shims/cudart/registration.h"
#include "shims/cudart/thread.h"
#include "shims/log/log.h"

namespace vgpu::cudart {
namespace {

// The driver's entry points; kNone where there is no driver. Threads that race look each for
// themselves and the first publishes: there is no lock that a fork could leave locked.
constinit const Driver kNone = {};
constinit std::atomic<const Driver*> found = nullptr;

constinit std::atomic<bool> initialized = false;
constinit std::atomic<bool> told_too_old = false;

// Which primary contexts this process holds through the runtime, and what they are.
constinit std::atomic<bool> retained[kMaxDevices] = {};
constinit std::atomic<CUcontext> primary[kMaxDevices] = {};
constinit std::atomic<int> primaries = 0;  // none is behind this

bool IsReleasedPrimary(CUcontext context, int* device) {
  for (int i = 0; i < primaries.load(std::memory_order_acquire); ++i) {
    if (primary[i].load(std::memory_order_acquire) != context) continue;
    *device = i;
    return !retained[i].load(std::memory_order_acquire);
  }
  return false;
}

bool TooOld(const Driver& driver) {
  int version = 0;
  if (driver.cuDriverGetVersion(&version) != CUDA_SUCCESS) return false;
  // A driver runs every runtime of its major version (CUDA Compatibility, "Minor Version
  // Compatibility").
  if (version / 1000 >= kMajor) return false;
  if (!told_too_old.exchange(true, std::memory_order_relaxed)) {
    log::Write(log::Level::kError, kLibrary, "driver too old",
               {{"driver", version}, {"runtime", kRuntimeVersion}});
  }
  return true;
}

}  // namespace

constinit thread_local Thread thread = {};

const Driver* FoundDriver() {
  const Driver* driver = found.load(std::memory_order_acquire);
  if (driver == nullptr) {
    auto* mine = static_cast<Driver*>(malloc(sizeof(Driver)));
    if (mine == nullptr) return nullptr;
    const Driver* result = ResolveDriver(mine) ? mine : &kNone;
    if (found.compare_exchange_strong(driver, result, std::memory_order_acq_rel)) driver = result;
    if (driver != mine) free(mine);
  }
  return driver == &kNone ? nullptr : driver;
}

const Driver* InitializedDriver(cudaError_t* error) {
  const Driver* driver = FoundDriver();
  if (driver == nullptr) {
    *error = cudaErrorInsufficientDriver;
    return nullptr;
  }
  if (initialized.load(std::memory_order_acquire)) return driver;
  if (CUresult result = driver->cuInit(0); result != CUDA_SUCCESS) {
    *error = FromDriver(result);
    return nullptr;
  }
  if (TooOld(*driver)) {
    *error = cudaErrorInsufficientDriver;
    return nullptr;
  }
  initialized.store(true, std::memory_order_release);
  return driver;
}

cudaError_t FromDriver(CUresult result) {
  switch (static_cast<int>(result)) {
#define VGPU_CUDART_ERROR(majors, name, number, text) VGPU_IF_##majors(case number : return name;)
#include "shims/abi/cudart_errors.inc"
#undef VGPU_CUDART_ERROR
  }
  return cudaErrorUnknown;
}

cudaError_t Record(cudaError_t error) {
  if (error != cudaSuccess) thread.last_error = error;
  return error;
}

int CurrentDevice(const Driver& driver) {
  CUcontext context = nullptr;
  int device = 0;
  if (driver.cuCtxGetCurrent(&context) == CUDA_SUCCESS && context != nullptr) {
    if (IsReleasedPrimary(context, &device)) return device;
    if (driver.cuCtxGetDevice(&device) == CUDA_SUCCESS) return device;
  }
  return thread.device;
}

cudaError_t RetainPrimary(const Driver& driver, int device, CUcontext* context) {
  if (device < 0 || device >= kMaxDevices) return cudaErrorInvalidDevice;
  if (retained[device].load(std::memory_order_acquire)) {
    if (context != nullptr) *context = primary[device].load(std::memory_order_acquire);
    return cudaSuccess;
  }
  CUcontext handle = nullptr;
  if (CUresult result = driver.cuDevicePrimaryCtxRetain(&handle, device)) {
    return FromDriver(result);
  }
  primary[device].store(handle, std::memory_order_release);
  int behind = primaries.load(std::memory_order_relaxed);
  while (behind <= device && !primaries.compare_exchange_weak(behind, device + 1)) {
  }
  // Two threads may have come here; one reference is what the process keeps.
  if (retained[device].exchange(true, std::memory_order_acq_rel)) {
    driver.cuDevicePrimaryCtxRelease_v2(device);
  }
  if (context != nullptr) *context = handle;
  return cudaSuccess;
}

cudaError_t EnsureContext(const Driver& driver) {
  CUcontext context = nullptr;
  if (CUresult result = driver.cuCtxGetCurrent(&context)) return FromDriver(result);
  int device = thread.device;
  if (context != nullptr && !IsReleasedPrimary(context, &device)) return cudaSuccess;
  if (cudaError_t error = RetainPrimary(driver, device, &context); error != cudaSuccess) {
    return error;
  }
  return FromDriver(driver.cuCtxSetCurrent(context));
}

cudaError_t ResetDevice(const Driver& driver, int device) {
  if (device < 0 || device >= kMaxDevices) return cudaErrorInvalidDevice;
  ForgetVariables(device);
  if (retained[device].exchange(false, std::memory_order_acq_rel)) {
    driver.cuDevicePrimaryCtxRelease_v2(device);
  }
  return FromDriver(driver.cuDevicePrimaryCtxReset_v2(device));
}

}  // namespace vgpu::cudart
