// Who uses a device: the processes that hold a context or memory of it (shims/usage). All compute.

#include <algorithm>
#include <cstdlib>
#include <span>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"
#include "shims/usage/usage.h"

namespace vgpu::nvml {
namespace {

// What stands for "the whole device" where a partition of it could be named.
inline constexpr unsigned int kNoInstance = 0xffffffff;

// The processes that use a device at one moment.
class Snapshot {
 public:
  explicit Snapshot(const Device& device) {
    // More may come between the two questions: they are in the next snapshot.
    size_ = usage::Processes(device, {});
    if (size_ == 0) return;
    uses_ = static_cast<usage::ProcessUse*>(calloc(size_, sizeof *uses_));
    if (uses_ == nullptr) {
      size_ = 0;
      failed_ = true;
      return;
    }
    size_ = std::min(usage::Processes(device, {uses_, size_}), size_);
  }
  ~Snapshot() { free(uses_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  bool failed() const { return failed_; }
  std::span<const usage::ProcessUse> uses() const { return {uses_, size_}; }

 private:
  usage::ProcessUse* uses_ = nullptr;
  size_t size_ = 0;
  bool failed_ = false;
};

void Fill(const usage::ProcessUse& use, nvmlProcessInfo_v1_t& info) {
  info = {.pid = static_cast<unsigned int>(use.pid), .usedGpuMemory = use.bytes};
}

void Fill(const usage::ProcessUse& use, nvmlProcessInfo_v2_t& info) {
  info = {.pid = static_cast<unsigned int>(use.pid),
          .usedGpuMemory = use.bytes,
          .gpuInstanceId = kNoInstance,
          .computeInstanceId = kNoInstance};
}

void Fill(const usage::ProcessUse& use, nvmlProcessDetail_v1_t& info) {
  info = {.pid = static_cast<unsigned int>(use.pid),
          .usedGpuMemory = use.bytes,
          .gpuInstanceId = kNoInstance,
          .computeInstanceId = kNoInstance,
          .usedGpuCcProtectedMemory = 0};
}

template <typename Info>
nvmlReturn_t List(const Device& device, unsigned int* count, Info* infos) {
  const Snapshot snapshot(device);
  if (snapshot.failed()) return NVML_ERROR_MEMORY;
  return CopyList(snapshot.uses().size(), count, infos,
                  [&](size_t i, Info& info) { Fill(snapshot.uses()[i], info); });
}

template <typename Info>
nvmlReturn_t GetCompute(nvmlDevice_t handle, unsigned int* count, Info* infos) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, count); error != NVML_SUCCESS) return error;
  return List(*device, count, infos);
}

// No one draws, and there is no MPS server.
nvmlReturn_t GetNone(nvmlDevice_t handle, unsigned int* count) {
  return Answer(handle, count, [](const Device&) { return 0; });
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t device,
                                                           unsigned int* infoCount,
                                                           nvmlProcessInfo_v1_t* infos) {
  return GetCompute(device, infoCount, infos);
}

NVML_API nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t device,
                                                              unsigned int* infoCount,
                                                              nvmlProcessInfo_v2_t* infos) {
  return GetCompute(device, infoCount, infos);
}

NVML_API nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device,
                                                              unsigned int* infoCount,
                                                              nvmlProcessInfo_t* infos) {
  return GetCompute(device, infoCount, infos);
}

NVML_API nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses(nvmlDevice_t device,
                                                            unsigned int* infoCount,
                                                            nvmlProcessInfo_v1_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v2(nvmlDevice_t device,
                                                               unsigned int* infoCount,
                                                               nvmlProcessInfo_v2_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device,
                                                               unsigned int* infoCount,
                                                               nvmlProcessInfo_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses(nvmlDevice_t device,
                                                              unsigned int* infoCount,
                                                              nvmlProcessInfo_v1_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v2(nvmlDevice_t device,
                                                                 unsigned int* infoCount,
                                                                 nvmlProcessInfo_v2_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlDevice_t device,
                                                                 unsigned int* infoCount,
                                                                 nvmlProcessInfo_t*) {
  return GetNone(device, infoCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetRunningProcessDetailList(nvmlDevice_t device,
                                                            nvmlProcessDetailList_t* plist) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, plist); error != NVML_SUCCESS) return error;
  if (!HasVersion(*plist, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  switch (plist->mode) {
    case NVML_PROCESS_MODE_COMPUTE:
    case NVML_PROCESS_MODE_ALL:
      return List(*found, &plist->numProcArrayEntries, plist->procArray);
    case NVML_PROCESS_MODE_GRAPHICS:
    case NVML_PROCESS_MODE_MPS:
      plist->numProcArrayEntries = 0;
      return NVML_SUCCESS;
    default:
      return NVML_ERROR_INVALID_ARGUMENT;
  }
}

// Samples are of processes that utilize something: there are none.
NVML_API nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device,
                                                      nvmlProcessUtilizationSample_t*,
                                                      unsigned int* processSamplesCount,
                                                      unsigned long long) {
  const Device* found;
  const nvmlReturn_t error = Find(device, &found, processSamplesCount);
  return error == NVML_SUCCESS ? NVML_ERROR_NOT_FOUND : error;
}

NVML_API nvmlReturn_t nvmlDeviceGetProcessesUtilizationInfo(
    nvmlDevice_t device, nvmlProcessesUtilizationInfo_t* procesesUtilInfo) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, procesesUtilInfo); error != NVML_SUCCESS) {
    return error;
  }
  return HasVersion(*procesesUtilInfo, 1) ? NVML_ERROR_NOT_FOUND
                                          : NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
}

// And cannot be switched on: what asks for its records is NOT_SUPPORTED, as it is where it is off.
NVML_API nvmlReturn_t nvmlDeviceGetAccountingMode(nvmlDevice_t device, nvmlEnableState_t* mode) {
  return Answer(device, mode, [](const Device&) { return NVML_FEATURE_DISABLED; });
}

}  // namespace vgpu::nvml
