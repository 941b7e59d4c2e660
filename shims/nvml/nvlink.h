// What more than one function says of a device's links.

#ifndef SHIMS_NVML_NVLINK_H_
#define SHIMS_NVML_NVLINK_H_

#include "shims/abi/nvml_types.h"
#include "shims/device/device.h"

namespace vgpu::nvml {

nvmlNvlinkVersion_t NvlinkVersion(const device::Device& device);

}  // namespace vgpu::nvml

#endif  // SHIMS_NVML_NVLINK_H_
