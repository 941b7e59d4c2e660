// A kind of device with NVLink has its links, and nothing is at their other ends.

#include "shims/nvml/nvlink.h"

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

nvmlReturn_t FindLink(nvmlDevice_t handle, unsigned int link, const Device** device,
                      const void* result) {
  if (nvmlReturn_t error = Find(handle, device, result); error != NVML_SUCCESS) return error;
  const unsigned int links = static_cast<unsigned int>((*device)->profile->nvlinks);
  if (links == 0) return NVML_ERROR_NOT_SUPPORTED;
  return link < links ? NVML_SUCCESS : NVML_ERROR_INVALID_ARGUMENT;
}

}  // namespace

nvmlNvlinkVersion_t NvlinkVersion(const Device& device) {
  switch (device.profile->nvlink_version) {
    case 1:
      return NVML_NVLINK_VERSION_1_0;
    case 2:
      return NVML_NVLINK_VERSION_2_0;
    case 3:
      return NVML_NVLINK_VERSION_3_0;
    case 4:
      return NVML_NVLINK_VERSION_4_0;
    case 5:
      return NVML_NVLINK_VERSION_5_0;
    default:
      return NVML_NVLINK_VERSION_INVALID;
  }
}

NVML_API nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned int link,
                                               nvmlEnableState_t* isActive) {
  const Device* found;
  if (nvmlReturn_t error = FindLink(device, link, &found, isActive); error != NVML_SUCCESS) {
    return error;
  }
  *isActive = NVML_FEATURE_DISABLED;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned int link,
                                                 unsigned int* version) {
  const Device* found;
  if (nvmlReturn_t error = FindLink(device, link, &found, version); error != NVML_SUCCESS) {
    return error;
  }
  *version = NvlinkVersion(*found);
  return NVML_SUCCESS;
}

// A link to nothing has no capabilities.
NVML_API nvmlReturn_t nvmlDeviceGetNvLinkCapability(nvmlDevice_t device, unsigned int link,
                                                    nvmlNvLinkCapability_t capability,
                                                    unsigned int* capResult) {
  const Device* found;
  if (nvmlReturn_t error = FindLink(device, link, &found, capResult); error != NVML_SUCCESS) {
    return error;
  }
  if (capability >= NVML_NVLINK_CAP_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  *capResult = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetNvLinkErrorCounter(nvmlDevice_t device, unsigned int link,
                                                      nvmlNvLinkErrorCounter_t counter,
                                                      unsigned long long* counterValue) {
  const Device* found;
  if (nvmlReturn_t error = FindLink(device, link, &found, counterValue); error != NVML_SUCCESS) {
    return error;
  }
  if (counter >= NVML_NVLINK_ERROR_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  *counterValue = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(
    nvmlDevice_t device, unsigned int link, nvmlIntNvLinkDeviceType_t* pNvLinkDeviceType) {
  const Device* found;
  if (nvmlReturn_t error = FindLink(device, link, &found, pNvLinkDeviceType);
      error != NVML_SUCCESS) {
    return error;
  }
  *pNvLinkDeviceType = NVML_NVLINK_DEVICE_TYPE_UNKNOWN;
  return NVML_SUCCESS;
}

// No fabric manager, so no fabric: clients are told so in the state, and the call succeeds.
NVML_API nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device,
                                                 nvmlGpuFabricInfo_t* gpuFabricInfo) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, gpuFabricInfo); error != NVML_SUCCESS) return error;
  *gpuFabricInfo = {};
  gpuFabricInfo->state = NVML_GPU_FABRIC_STATE_NOT_SUPPORTED;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device,
                                                  nvmlGpuFabricInfoV_t* gpuFabricInfo) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, gpuFabricInfo); error != NVML_SUCCESS) return error;
  // A client of the second version has given room for that only.
  const unsigned int version = gpuFabricInfo->version;
  if (version == StructVersion<nvmlGpuFabricInfo_v2_t>(2)) {
    auto* info = reinterpret_cast<nvmlGpuFabricInfo_v2_t*>(gpuFabricInfo);
    *info = {};
    info->version = version;
    info->state = NVML_GPU_FABRIC_STATE_NOT_SUPPORTED;
    return NVML_SUCCESS;
  }
  if (!HasVersion(*gpuFabricInfo, 3)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  *gpuFabricInfo = {};
  gpuFabricInfo->version = version;
  gpuFabricInfo->state = NVML_GPU_FABRIC_STATE_NOT_SUPPORTED;
  return NVML_SUCCESS;
}

}  // namespace vgpu::nvml
