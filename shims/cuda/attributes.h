// The attributes of a device, by number.

#ifndef SHIMS_CUDA_ATTRIBUTES_H_
#define SHIMS_CUDA_ATTRIBUTES_H_

#include <optional>

#include "shims/abi/cuda_types.h"
#include "shims/device/device.h"

namespace vgpu::cuda {

// `ordinal` is what the program calls the device. Nothing: there is no attribute of this number.
// Pure.
std::optional<int> Attribute(const device::Device& device, int ordinal,
                             CUdevice_attribute attribute);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_ATTRIBUTES_H_
