// What a child of discovery does with a CUDA backend: it opens it as ggml does, and asks the
// runtime beneath it for the devices.

#ifndef TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_BACKEND_H_
#define TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_BACKEND_H_

#include <cstdint>
#include <string>
#include <vector>

namespace vgpu::stand_in {

struct Device {
  std::string name;         // ggml's: "CUDA0"
  std::string description;  // the runtime's: "NVIDIA H100 80GB HBM3"
  std::string uuid;         // "GPU-..."
  std::string pci_id;       // "0000:00:05.0"
  int compute_major = 0, compute_minor = 0;
  int driver = 0;  // of CUDA: 12080
  uint64_t total = 0, free = 0;
};

struct Opened {
  bool loaded = false;
  std::string error;  // the loader's, where it is not
  std::vector<Device> devices;
};

// dlopen with RTLD_NOW | RTLD_LOCAL (ggml-backend-reg.cpp), the registry, and the devices. Where a
// call fails that ggml checks (CUDA_CHECK), the process aborts, as with ggml.
Opened OpenBackend(const std::string& path);

}  // namespace vgpu::stand_in

#endif  // TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_BACKEND_H_
