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

// `names` and `order` are the variables' values, null where unset.
//
// Documented: `order` is FASTEST_FIRST (the default; "a simple heuristic") or PCI_BUS_ID. Without
// names all devices are seen, in that order. Names have commas between and are ordinals of that
// order and UUIDs as nvidia-smi prints them, or enough of the beginning of one to tell it from the
// others. Devices are seen in the order in which they are named; the first name that names none
// (-1, an ordinal too many, an unknown or ambiguous UUID, nothing) hides itself and all behind it.
// A name of a MIG instance is such a name: the virtual devices have none.
//
// Not documented, and known from those who compared themselves with the driver (PyTorch,
// torch/cuda/__init__.py, _parse_visible_devices, and test/test_cuda_nvml_based_avail.py, 2.x):
// numbers are read as strtol(3) does ("+1", " 1", "1gpu" are 1, "-0" is 0); a device that is named
// twice makes nothing visible.
//
// Not known, and chosen here: ordinals and UUIDs may stand side by side; blanks around a UUID do
// not matter; its digits may be capitals, "GPU-" may not be anything else, and is no name by
// itself; an unknown `order` is FASTEST_FIRST; the faster of two devices is of the higher compute
// capability, then the one whose processors do more in a second, then the one of the lower PCI
// address.
Visible SelectVisible(const Configuration& configuration, const char* names, const char* order);

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_VISIBLE_H_
