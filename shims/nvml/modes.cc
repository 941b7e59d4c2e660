#include <optional>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

nvmlReturn_t GetDisabled(nvmlDevice_t handle, nvmlEnableState_t* result) {
  return Answer(handle, result, [](const Device&) { return NVML_FEATURE_DISABLED; });
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetPersistenceMode(nvmlDevice_t device, nvmlEnableState_t* mode) {
  return GetDisabled(device, mode);
}

NVML_API nvmlReturn_t nvmlDeviceGetDisplayMode(nvmlDevice_t device, nvmlEnableState_t* display) {
  return GetDisabled(device, display);
}

NVML_API nvmlReturn_t nvmlDeviceGetDisplayActive(nvmlDevice_t device, nvmlEnableState_t* isActive) {
  return GetDisabled(device, isActive);
}

NVML_API nvmlReturn_t nvmlDeviceGetComputeMode(nvmlDevice_t device, nvmlComputeMode_t* mode) {
  return Answer(device, mode, [](const Device&) { return NVML_COMPUTEMODE_DEFAULT; });
}

// Clocks are root's to set, if anyone's; there is no automatic boost that could be switched.
NVML_API nvmlReturn_t nvmlDeviceGetAPIRestriction(nvmlDevice_t device, nvmlRestrictedAPI_t apiType,
                                                  nvmlEnableState_t* isRestricted) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, isRestricted); error != NVML_SUCCESS) return error;
  if (apiType >= NVML_RESTRICTED_API_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  if (apiType != NVML_RESTRICTED_API_SET_APPLICATION_CLOCKS) return NVML_ERROR_NOT_SUPPORTED;
  *isRestricted = NVML_FEATURE_ENABLED;
  return NVML_SUCCESS;
}

// A kind of device that could be partitioned is not.
NVML_API nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int* currentMode,
                                           unsigned int* pendingMode) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, currentMode, pendingMode); error != NVML_SUCCESS) {
    return error;
  }
  if (!found->profile->mig) return NVML_ERROR_NOT_SUPPORTED;
  *currentMode = *pendingMode = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int* count) {
  return Answer(device, count, [](const Device&) { return 0; });
}

NVML_API nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int,
                                                          nvmlDevice_t* migDevice) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, migDevice); error != NVML_SUCCESS) return error;
  return found->profile->mig ? NVML_ERROR_NOT_FOUND : NVML_ERROR_NOT_SUPPORTED;
}

NVML_API nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int* isMigDevice) {
  return Answer(device, isMigDevice, [](const Device&) { return 0; });
}

// What runs on the device sees all of it: no part that a hypervisor gave.
NVML_API nvmlReturn_t nvmlDeviceGetVirtualizationMode(nvmlDevice_t device,
                                                      nvmlGpuVirtualizationMode_t* pVirtualMode) {
  return Answer(device, pVirtualMode,
                [](const Device&) { return NVML_GPU_VIRTUALIZATION_MODE_NONE; });
}

}  // namespace vgpu::nvml
