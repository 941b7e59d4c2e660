#include "shims/nvml/call.h"

#include <time.h>

namespace vgpu::nvml {

// A handle is the address of the device in the configuration, which lives as long as the process:
// so handles outlive nvmlShutdown, and there is nothing to allocate or to lock.
nvmlReturn_t Find(nvmlDevice_t handle, const Device** device) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  for (const Device& known : configuration->All()) {
    if (HandleOf(known) == handle) {
      *device = &known;
      return NVML_SUCCESS;
    }
  }
  return NVML_ERROR_INVALID_ARGUMENT;
}

nvmlDevice_t HandleOf(const Device& device) {
  return reinterpret_cast<nvmlDevice_t>(const_cast<Device*>(&device));
}

int IndexOf(const Device& device) {
  return static_cast<int>(&device - Initialized()->devices.data());
}

unsigned long long Now() {
  const ErrnoKeeper keeper;
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<unsigned long long>(now.tv_sec) * 1'000'000 +
         static_cast<unsigned long long>(now.tv_nsec) / 1'000;
}

}  // namespace vgpu::nvml
