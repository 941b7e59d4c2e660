// The driver's library as cuda.h of version 12 has it: names and types.

#include <stdio.h>

#include "tools/vgpu_probe/library.h"
#include "tools/vgpu_probe/steps.h"
#include "tools/vgpu_probe/uuid.h"

namespace vgpu::probe_program {
namespace {

constexpr int kMaxDevices = 64;
constexpr int kComputeMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kComputeMinor = 76;

struct Uuid {
  unsigned char bytes[16];
};

using Init = int (*)(unsigned);
using GetInt = int (*)(int*);
using GetDevice = int (*)(int*, int);
using DeviceText = int (*)(char*, int, int);
using GetUuid = int (*)(Uuid*, int);
using GetMemory = int (*)(size_t*, int);
using GetAttribute = int (*)(int*, int, int);
using ErrorText = int (*)(int, const char**);

class Cuda {
 public:
  Cuda(const Library& library, Answer& answer)
      : error_name_(library.Find<ErrorText>("cuGetErrorName")), answer_(answer) {}

  bool Ok(const char* call, int result) const {
    if (result == 0) return true;
    const char* text = nullptr;
    if (error_name_ != nullptr && error_name_(result, &text) != 0) text = nullptr;
    answer_.Fail(call, "%s returned %d%s%s%s", call, result, text == nullptr ? "" : " (",
                 text == nullptr ? "" : text, text == nullptr ? "" : ")");
    return false;
  }

 private:
  ErrorText error_name_;
  Answer& answer_;
};

#define CUDA_CALL(name, ...) (Call(#name), cuda.Ok(#name, name(__VA_ARGS__)))

}  // namespace

void CudaStep(Words words, Answer& answer) {
  const Library library(words[0] == nullptr ? "libcuda.so.1" : words[0], RTLD_LAZY | RTLD_LOCAL,
                        answer);
  if (!library.ok()) return;
  const auto cuInit = library.Get<Init>("cuInit");
  const auto cuDriverGetVersion = library.Get<GetInt>("cuDriverGetVersion");
  const auto cuDeviceGetCount = library.Get<GetInt>("cuDeviceGetCount");
  const auto cuDeviceGet = library.Get<GetDevice>("cuDeviceGet");
  const auto cuDeviceGetName = library.Get<DeviceText>("cuDeviceGetName");
  const auto cuDeviceGetAttribute = library.Get<GetAttribute>("cuDeviceGetAttribute");
  const auto cuDeviceTotalMem_v2 = library.Get<GetMemory>("cuDeviceTotalMem_v2");
  const auto cuDeviceGetPCIBusId = library.Find<DeviceText>("cuDeviceGetPCIBusId");
  // The second form gives a part of a card its own id.
  const auto uuid_v2 = library.Find<GetUuid>("cuDeviceGetUuid_v2");
  const auto cuDeviceGetUuid =
      uuid_v2 != nullptr ? uuid_v2 : library.Get<GetUuid>("cuDeviceGetUuid");
  if (answer.failed()) return;

  const Cuda cuda(library, answer);
  if (!CUDA_CALL(cuInit, 0)) return;
  int version = 0, count = 0;
  char text[256] = "";
  if (CUDA_CALL(cuDriverGetVersion, &version)) {
    snprintf(text, sizeof(text), "%d.%d", version / 1000, version % 1000 / 10);
    answer.Text("version", text);
  }
  if (!CUDA_CALL(cuDeviceGetCount, &count)) return;
  answer.Number("count", static_cast<uint64_t>(count < 0 ? 0 : count));
  answer.BeginList("devices");
  for (int i = 0; i < count && i < kMaxDevices; ++i) {
    int device = 0, major = 0, minor = 0;
    if (!CUDA_CALL(cuDeviceGet, &device, i)) break;
    answer.BeginObject();
    if (CUDA_CALL(cuDeviceGetName, text, 128, device)) answer.Text("name", text);
    Uuid uuid = {};
    if (CUDA_CALL(cuDeviceGetUuid, &uuid, device)) {
      answer.Text("uuid", UuidText(uuid.bytes).text);
    }
    if (cuDeviceGetPCIBusId != nullptr && CUDA_CALL(cuDeviceGetPCIBusId, text, 64, device)) {
      answer.Text("pci_address", text);
    }
    size_t memory = 0;
    if (CUDA_CALL(cuDeviceTotalMem_v2, &memory, device)) answer.Number("memory_bytes", memory);
    if (CUDA_CALL(cuDeviceGetAttribute, &major, kComputeMajor, device) &&
        CUDA_CALL(cuDeviceGetAttribute, &minor, kComputeMinor, device)) {
      snprintf(text, sizeof(text), "%d.%d", major, minor);
      answer.Text("compute", text);
    }
    answer.EndObject();
  }
  answer.EndList();
}

}  // namespace vgpu::probe_program
