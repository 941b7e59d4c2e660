// NVML as nvml.h of version 12 has it: names, structures and the order of calls.

#include <stdio.h>

#include "tools/vgpu_probe/library.h"
#include "tools/vgpu_probe/steps.h"

namespace vgpu::probe_program {
namespace {

constexpr unsigned kMaxDevices = 64;

struct Memory {
  unsigned long long total, free, used;
};

// nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3. Of _v2, which older drivers have, the first three
// numbers lie at the same place; where _v3 has the long form of the address it has numbers that
// are NVIDIA's own.
struct PciInfo {
  char short_address[16];
  unsigned domain, bus, device, ids, subsystem_ids;
  char address[32];
  char room[64];
};

using Device = void*;
using Init = int (*)();
using ErrorString = const char* (*)(int);
using Count = int (*)(unsigned*);
using ByIndex = int (*)(unsigned, Device*);
using DeviceText = int (*)(Device, char*, unsigned);
using GetPciInfo = int (*)(Device, PciInfo*);
using GetMemory = int (*)(Device, Memory*);
using Version = int (*)(char*, unsigned);

class Nvml {
 public:
  Nvml(const Library& library, Answer& answer)
      : error_string_(library.Find<ErrorString>("nvmlErrorString")), answer_(answer) {}

  // False: a call went wrong, and `answer` says which.
  bool Ok(const char* call, int result) const {
    if (result == 0) return true;
    const char* text = error_string_ == nullptr ? nullptr : error_string_(result);
    answer_.Fail(call, "%s returned %d%s%s%s", call, result, text == nullptr ? "" : " (",
                 text == nullptr ? "" : text, text == nullptr ? "" : ")");
    return false;
  }

 private:
  ErrorString error_string_;
  Answer& answer_;
};

// Calls and checks. A macro, so that the call's name is written once.
#define NVML_CALL(name, ...) (Call(#name), nvml.Ok(#name, name(__VA_ARGS__)))

}  // namespace

void NvmlStep(Words words, Answer& answer) {
  const Library library(words[0] == nullptr ? "libnvidia-ml.so.1" : words[0],
                        RTLD_LAZY | RTLD_LOCAL, answer);
  if (!library.ok()) return;
  const auto nvmlInit_v2 = library.Get<Init>("nvmlInit_v2");
  const auto nvmlShutdown = library.Get<Init>("nvmlShutdown");
  const auto nvmlDeviceGetCount_v2 = library.Get<Count>("nvmlDeviceGetCount_v2");
  const auto nvmlDeviceGetHandleByIndex_v2 = library.Get<ByIndex>("nvmlDeviceGetHandleByIndex_v2");
  const auto nvmlDeviceGetName = library.Get<DeviceText>("nvmlDeviceGetName");
  const auto nvmlDeviceGetUUID = library.Get<DeviceText>("nvmlDeviceGetUUID");
  const auto nvmlDeviceGetMemoryInfo = library.Get<GetMemory>("nvmlDeviceGetMemoryInfo");
  const auto pci_v3 = library.Find<GetPciInfo>("nvmlDeviceGetPciInfo_v3");
  const auto pci_v2 = library.Find<GetPciInfo>("nvmlDeviceGetPciInfo_v2");
  const auto nvmlSystemGetDriverVersion = library.Find<Version>("nvmlSystemGetDriverVersion");
  if (answer.failed()) return;

  const Nvml nvml(library, answer);
  if (!NVML_CALL(nvmlInit_v2)) return;
  char text[128] = "";
  if (nvmlSystemGetDriverVersion != nullptr &&
      NVML_CALL(nvmlSystemGetDriverVersion, text, sizeof(text))) {
    answer.Text("driver", text);
  }
  unsigned count = 0;
  if (!NVML_CALL(nvmlDeviceGetCount_v2, &count)) return;
  answer.Number("count", count);
  answer.BeginList("devices");
  for (unsigned i = 0; i < count && i < kMaxDevices; ++i) {
    Device device = nullptr;
    if (!NVML_CALL(nvmlDeviceGetHandleByIndex_v2, i, &device)) break;
    answer.BeginObject();
    // Large enough for every version of the library (NVML_DEVICE_NAME_V2_BUFFER_SIZE is 96).
    char name[256] = "", uuid[256] = "";
    if (NVML_CALL(nvmlDeviceGetName, device, name, 96)) answer.Text("name", name);
    if (NVML_CALL(nvmlDeviceGetUUID, device, uuid, 96)) answer.Text("uuid", uuid);
    Memory memory = {};
    if (NVML_CALL(nvmlDeviceGetMemoryInfo, device, &memory)) {
      answer.Number("memory_bytes", memory.total);
    }
    PciInfo pci = {};
    const GetPciInfo nvmlDeviceGetPciInfo = pci_v3 != nullptr ? pci_v3 : pci_v2;
    if (nvmlDeviceGetPciInfo != nullptr && NVML_CALL(nvmlDeviceGetPciInfo, device, &pci)) {
      snprintf(text, sizeof(text), "%08X:%02X:%02X.0", pci.domain, pci.bus, pci.device);
      pci.address[sizeof(pci.address) - 1] = '\0';
      const bool has_address = pci_v3 != nullptr && pci.address[0] != '\0';
      answer.Text("pci_address", has_address ? pci.address : text);
    }
    answer.EndObject();
  }
  answer.EndList();
  if (!answer.failed()) NVML_CALL(nvmlShutdown);
}

}  // namespace vgpu::probe_program
