#include <algorithm>
#include <optional>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"
#include "shims/usage/usage.h"

namespace vgpu::nvml {
namespace {

// Another process may have a configuration with more memory, and hold more than there is in ours.
uint64_t Used(const Device& device) { return std::min(usage::Used(device), device.memory_bytes); }

std::optional<nvmlEnableState_t> Ecc(const Device& device) {
  if (!device.profile->ecc) return std::nullopt;
  return NVML_FEATURE_ENABLED;
}

// GPUs before Ampere retire pages that go bad, those since remap rows ("GPU Memory Error
// Management", NVIDIA, R535). Either is part of ECC.
bool RemapsRows(const Device& device) {
  return device.profile->ecc && device.profile->nvml_architecture >= int{NVML_DEVICE_ARCH_AMPERE};
}

bool RetiresPages(const Device& device) {
  return device.profile->ecc && device.profile->nvml_architecture < int{NVML_DEVICE_ARCH_AMPERE};
}

nvmlReturn_t FindWithEcc(nvmlDevice_t handle, nvmlMemoryErrorType_t type,
                         nvmlEccCounterType_t counter, const void* result) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, result); error != NVML_SUCCESS) return error;
  if (type >= NVML_MEMORY_ERROR_TYPE_COUNT || counter >= NVML_ECC_COUNTER_TYPE_COUNT) {
    return NVML_ERROR_INVALID_ARGUMENT;
  }
  return device->profile->ecc ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

nvmlReturn_t GetRetiredPages(nvmlDevice_t handle, nvmlPageRetirementCause_t cause,
                             unsigned int* count) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, count); error != NVML_SUCCESS) return error;
  if (cause >= NVML_PAGE_RETIREMENT_CAUSE_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  if (!RetiresPages(*device)) return NVML_ERROR_NOT_SUPPORTED;
  *count = 0;
  return NVML_SUCCESS;
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t* memory) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, memory); error != NVML_SUCCESS) return error;
  const uint64_t used = Used(*found);
  *memory = {.total = found->memory_bytes, .free = found->memory_bytes - used, .used = used};
  return NVML_SUCCESS;
}

// Nothing is reserved for a driver or for firmware.
NVML_API nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t* memory) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, memory); error != NVML_SUCCESS) return error;
  if (!HasVersion(*memory, 2)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  const uint64_t used = Used(*found);
  memory->total = found->memory_bytes;
  memory->reserved = 0;
  memory->free = found->memory_bytes - used;
  memory->used = used;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device,
                                                  nvmlBAR1Memory_t* bar1Memory) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, bar1Memory); error != NVML_SUCCESS) return error;
  const unsigned long long total = found->profile->bar1_mib << 20;
  *bar1Memory = {.bar1Total = total, .bar1Free = total, .bar1Used = 0};
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, nvmlEnableState_t* current,
                                           nvmlEnableState_t* pending) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, current, pending); error != NVML_SUCCESS) {
    return error;
  }
  const auto ecc = Ecc(*found);
  if (!ecc) return NVML_ERROR_NOT_SUPPORTED;
  *current = *pending = *ecc;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetDefaultEccMode(nvmlDevice_t device,
                                                  nvmlEnableState_t* defaultMode) {
  return Answer(device, defaultMode, Ecc);
}

NVML_API nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device,
                                                  nvmlMemoryErrorType_t errorType,
                                                  nvmlEccCounterType_t counterType,
                                                  unsigned long long* eccCounts) {
  const nvmlReturn_t error = FindWithEcc(device, errorType, counterType, eccCounts);
  if (error == NVML_SUCCESS) *eccCounts = 0;
  return error;
}

NVML_API nvmlReturn_t nvmlDeviceGetDetailedEccErrors(nvmlDevice_t device,
                                                     nvmlMemoryErrorType_t errorType,
                                                     nvmlEccCounterType_t counterType,
                                                     nvmlEccErrorCounts_t* eccCounts) {
  const nvmlReturn_t error = FindWithEcc(device, errorType, counterType, eccCounts);
  if (error == NVML_SUCCESS) *eccCounts = {};
  return error;
}

NVML_API nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(nvmlDevice_t device,
                                                      nvmlMemoryErrorType_t errorType,
                                                      nvmlEccCounterType_t counterType,
                                                      nvmlMemoryLocation_t locationType,
                                                      unsigned long long* count) {
  const nvmlReturn_t error = FindWithEcc(device, errorType, counterType, count);
  if (error != NVML_SUCCESS) return error;
  if (locationType >= NVML_MEMORY_LOCATION_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  *count = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetSramEccErrorStatus(nvmlDevice_t device,
                                                      nvmlEccSramErrorStatus_t* status) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, status); error != NVML_SUCCESS) return error;
  if (!HasVersion(*status, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  if (!RemapsRows(*found)) return NVML_ERROR_NOT_SUPPORTED;
  const unsigned int version = status->version;
  *status = {};
  status->version = version;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetRetiredPages(nvmlDevice_t device,
                                                nvmlPageRetirementCause_t cause,
                                                unsigned int* pageCount, unsigned long long*) {
  return GetRetiredPages(device, cause, pageCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetRetiredPages_v2(nvmlDevice_t device,
                                                   nvmlPageRetirementCause_t cause,
                                                   unsigned int* pageCount, unsigned long long*,
                                                   unsigned long long*) {
  return GetRetiredPages(device, cause, pageCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetRetiredPagesPendingStatus(nvmlDevice_t device,
                                                             nvmlEnableState_t* isPending) {
  return Answer(device, isPending, [](const Device& found) -> std::optional<nvmlEnableState_t> {
    if (!RetiresPages(found)) return std::nullopt;
    return NVML_FEATURE_DISABLED;
  });
}

NVML_API nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned int* corrRows,
                                                unsigned int* uncRows, unsigned int* isPending,
                                                unsigned int* failureOccurred) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, corrRows, uncRows, isPending, failureOccurred);
      error != NVML_SUCCESS) {
    return error;
  }
  if (!RemapsRows(*found)) return NVML_ERROR_NOT_SUPPORTED;
  *corrRows = *uncRows = *isPending = *failureOccurred = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetRemappedRows_v2(nvmlDevice_t device,
                                                   nvmlRemappedRowsInfo_v2_t* info) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, info); error != NVML_SUCCESS) return error;
  if (!RemapsRows(*found)) return NVML_ERROR_NOT_SUPPORTED;
  *info = {};
  return NVML_SUCCESS;
}

}  // namespace vgpu::nvml
