#include "tools/vgpu_doctor/live/stand_in/backend.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace vgpu::stand_in {
namespace {

template <typename Function>
Function* Find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

void Check(int result, const char* call) {
  if (result == 0) return;
  std::fprintf(stderr, "CUDA error: %d\n  %s\n", result, call);
  std::abort();
}

// ggml-cuda.cu, ggml_backend_cuda_device_id: "GPU-" and the bytes in groups of 4, 2, 2, 2, 6.
std::string Uuid(const unsigned char* bytes) {
  std::string text = "GPU-";
  for (int at = 0; at < 16; ++at) {
    if (at == 4 || at == 6 || at == 8 || at == 10) text += '-';
    char pair[3];
    std::snprintf(pair, sizeof(pair), "%02x", bytes[at]);
    text += pair;
  }
  return text;
}

// NVML's figure, by the UUID, as mem_nvml.cpp takes it; anything that fails is passed over, and the
// runtime's figure stays.
void AskNvml(Device& device) {
  void* nvml = dlopen("libnvidia-ml.so.1", RTLD_LAZY);
  if (nvml == nullptr) return;
  auto* init = Find<int()>(nvml, "nvmlInit_v2");
  auto* by_uuid = Find<int(const char*, void**)>(nvml, "nvmlDeviceGetHandleByUUID");
  struct Memory {
    unsigned long long total, free, used;
  } memory = {};
  auto* get_memory = Find<int(void*, Memory*)>(nvml, "nvmlDeviceGetMemoryInfo");
  auto* shut_down = Find<int()>(nvml, "nvmlShutdown");
  void* handle = nullptr;
  if (init == nullptr || by_uuid == nullptr || get_memory == nullptr || shut_down == nullptr)
    return;
  if (init() != 0) return;
  if (by_uuid(device.uuid.c_str(), &handle) == 0 && get_memory(handle, &memory) == 0) {
    device.total = memory.total;
    device.free = memory.free;
  }
  shut_down();
}

}  // namespace

Opened OpenBackend(const std::string& path) {
  Opened result;
  void* backend = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (backend == nullptr) {
    const char* error = dlerror();
    result.error = error != nullptr ? error : "";
    return result;
  }
  // A handle finds what its dependencies define: ggml-base, and the runtime.
  auto* registry = Find<void*()>(backend, "ggml_backend_cuda_reg");
  auto* count_of = Find<size_t(void*)>(backend, "ggml_backend_reg_dev_count");
  auto* device_of = Find<void*(void*, size_t)>(backend, "ggml_backend_reg_dev_get");
  auto* name_of = Find<const char*(void*)>(backend, "ggml_backend_dev_name");
  auto* description_of = Find<const char*(void*)>(backend, "ggml_backend_dev_description");
  auto* properties = Find<int(void*, int)>(backend, "cudaGetDeviceProperties_v2");
  if (properties == nullptr) properties = Find<int(void*, int)>(backend, "cudaGetDeviceProperties");
  auto* attribute = Find<int(int*, int, int)>(backend, "cudaDeviceGetAttribute");
  auto* pci = Find<int(char*, int, int)>(backend, "cudaDeviceGetPCIBusId");
  auto* driver = Find<int(int*)>(backend, "cudaDriverGetVersion");
  auto* select = Find<int(int)>(backend, "cudaSetDevice");
  auto* memory = Find<int(size_t*, size_t*)>(backend, "cudaMemGetInfo");
  if (registry == nullptr || count_of == nullptr || device_of == nullptr || name_of == nullptr ||
      description_of == nullptr || properties == nullptr || attribute == nullptr ||
      pci == nullptr || driver == nullptr || select == nullptr || memory == nullptr) {
    result.error = path + ": undefined symbol";
    return result;
  }
  result.loaded = true;
  void* cuda = registry();
  const size_t count = cuda == nullptr ? 0 : count_of(cuda);
  for (size_t index = 0; index < count; ++index) {
    const int ordinal = static_cast<int>(index);
    void* of_ggml = device_of(cuda, index);
    Device device;
    device.name = name_of(of_ggml);
    device.description = description_of(of_ggml);
    // cudaDeviceProp begins with char name[256] and cudaUUID_t uuid (driver_types.h, CUDA 12).
    alignas(16) unsigned char structure[8192] = {};
    Check(properties(structure, ordinal), "cudaGetDeviceProperties(&prop, id)");
    device.uuid = Uuid(structure + 256);
    // cudaDevAttrComputeCapabilityMajor and -Minor
    Check(attribute(&device.compute_major, 75, ordinal), "cudaDeviceGetAttribute");
    Check(attribute(&device.compute_minor, 76, ordinal), "cudaDeviceGetAttribute");
    char address[32] = {};
    Check(pci(address, sizeof(address), ordinal), "cudaDeviceGetPCIBusId");
    device.pci_id = address;
    Check(driver(&device.driver), "cudaDriverGetVersion(&driverVersion)");
    Check(select(ordinal), "cudaSetDevice(device)");
    size_t free = 0, total = 0;
    Check(memory(&free, &total), "cudaMemGetInfo(free, total)");
    device.free = free;
    device.total = total;
    AskNvml(device);
    result.devices.push_back(device);
  }
  return result;
}

}  // namespace vgpu::stand_in
