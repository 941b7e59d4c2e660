// What CUDA_VISIBLE_DEVICES leaves visible.
//
// A list parted by commas, of indices and of beginnings of ids ("GPU-d110a105"). The driver
// takes it entry by entry and stops at the first that names no device; what came before
// stays visible. An empty value, "-1" and "NoDevFiles" therefore hide everything. Source:
// NVIDIA, CUDA C++ Programming Guide, "CUDA Environment Variables".
//
// Pure; thread-safe.

#ifndef DIAG_OLLAMA_VISIBLE_DEVICES_H_
#define DIAG_OLLAMA_VISIBLE_DEVICES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::ollama {

// The devices that there are, in their order. One whose id is not known has none here.
using DeviceIds = std::vector<std::optional<std::string>>;

struct VisibleDevices {
  std::vector<size_t> indices;  // of the devices that stay visible
  // The entry that ends the list: it names no device. Empty where there is none.
  std::string stopped_at;
  // Whether an entry names a device cannot be told (an id that is not known, an entry that
  // begins as a number and is none): `indices` is what came before it.
  bool uncertain = false;
};

// Without `devices`: how many there are is not known, and any index may be one.
VisibleDevices ParseVisibleDevices(absl::string_view value,
                                   const std::optional<DeviceIds>& devices);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_VISIBLE_DEVICES_H_
