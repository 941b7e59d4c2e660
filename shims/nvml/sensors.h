// Readings of an idle device that more than one function gives.

#ifndef SHIMS_NVML_SENSORS_H_
#define SHIMS_NVML_SENSORS_H_

#include <optional>

#include "shims/abi/nvml_types.h"
#include "shims/device/device.h"

namespace vgpu::nvml {

// MHz; none where the model has no such clock.
std::optional<unsigned int> CurrentClock(const device::Device& device, nvmlClockType_t type);
std::optional<unsigned int> MaxClock(const device::Device& device, nvmlClockType_t type);

// mJ since the machine started: what the idle power comes to, so that two readings differ by what
// nvmlDeviceGetPowerUsage says.
unsigned long long Energy(const device::Device& device);

}  // namespace vgpu::nvml

#endif  // SHIMS_NVML_SENSORS_H_
