// Which devices a CUDA program sees, and in which order: CUDA_VISIBLE_DEVICES and
// CUDA_DEVICE_ORDER, as the CUDA C++ Programming Guide (12.8, "CUDA Environment Variables")
// says and the driver does. NVML looks at neither.
//
//   Visible visible = SelectVisible(*configuration, getenv("CUDA_VISIBLE_DEVICES"),
//                                   getenv("CUDA_DEVICE_ORDER"));
//   configuration->devices[visible.device[0]]    // what the program calls device 0
//
// Pure; thread-safe.

#ifndef SHIMS_DEVICE_VISIBLE_H_
#define SHIMS_DEVICE_VISIBLE_H_

#include <array>

#include "shims/device/device.h"

namespace vgpu::device {

struct Visible {
  int count = 0;
  std::array<int, kMaxDevices> device = {};  // index into Configuration::devices
};

// `names` and `order` are the variables' values, null where unset. Unset names: all devices, in
// the order that `order` asks for: FASTEST_FIRST (the default) or PCI_BUS_ID. Names are ordinals
// of that order and UUIDs, or the beginning of one that fits one device alone, and what stands
// behind the first that is none of these (-1, an unknown name, one ordinal too many) is not seen;
// a device named twice makes the whole list invalid, and nothing is seen.
Visible SelectVisible(const Configuration& configuration, const char* names, const char* order);

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_VISIBLE_H_
