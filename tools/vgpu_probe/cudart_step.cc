// The runtime as cuda_runtime_api.h of versions 11, 12 and 13 has it. What a device says of
// itself is a structure whose layout differs between them; a reader of the wrong one finds a
// size where an id should be.

#include <stdio.h>
#include <string.h>

#include "tools/vgpu_probe/library.h"
#include "tools/vgpu_probe/steps.h"
#include "tools/vgpu_probe/uuid.h"

namespace vgpu::probe_program {
namespace {

constexpr int kMaxDevices = 64;

// Where cudaDeviceProp has what is read here (driver_types.h). Name, id, memory and compute
// capability lie alike in all.
struct Layout {
  const char* soname;
  const char* function;
  size_t bus, device, domain;
};
constexpr Layout kLayouts[] = {
    {"libcudart.so.13", "cudaGetDeviceProperties", 568, 572, 576},
    {"libcudart.so.12", "cudaGetDeviceProperties_v2", 584, 588, 592},
    {"libcudart.so.11", "cudaGetDeviceProperties", 584, 588, 592},
};
constexpr size_t kUuid = 256, kMemory = 288, kMajor = 360, kMinor = 364;
// More than any of them has.
constexpr size_t kRoom = 4096;

using GetInt = int (*)(int*);
using GetProperties = int (*)(void*, int);
using ErrorText = const char* (*)(int);

class Cudart {
 public:
  Cudart(const Library& library, Answer& answer)
      : error_name_(library.Find<ErrorText>("cudaGetErrorName")), answer_(answer) {}

  bool Ok(const char* call, int result) const {
    if (result == 0) return true;
    const char* text = error_name_ == nullptr ? nullptr : error_name_(result);
    answer_.Fail(call, "%s returned %d%s%s%s", call, result, text == nullptr ? "" : " (",
                 text == nullptr ? "" : text, text == nullptr ? "" : ")");
    return false;
  }

 private:
  ErrorText error_name_;
  Answer& answer_;
};

template <typename T>
T At(const unsigned char* structure, size_t offset) {
  T value;
  memcpy(&value, structure + offset, sizeof(value));
  return value;
}

}  // namespace

void CudartStep(Words words, Answer& answer) {
  const char* name = words[0] == nullptr ? "libcudart.so.12" : words[0];
  const char* slash = strrchr(name, '/');
  const Layout* layout = nullptr;
  for (const Layout& known : kLayouts) {
    const char* base = slash == nullptr ? name : slash + 1;
    if (strncmp(base, known.soname, strlen(known.soname)) == 0) layout = &known;
  }
  if (layout == nullptr) {
    answer.Fail("", "%s: its structures are not known", name);
    return;
  }
  const Library library(name, RTLD_LAZY | RTLD_LOCAL, answer);
  if (!library.ok()) return;
  const auto count_devices = library.Get<GetInt>("cudaGetDeviceCount");
  const auto get_properties = library.Get<GetProperties>(layout->function);
  const auto runtime_version = library.Find<GetInt>("cudaRuntimeGetVersion");
  if (answer.failed()) return;

  const Cudart cudart(library, answer);
  char text[64];
  int version = 0, count = 0;
  if (runtime_version != nullptr) {
    Call("cudaRuntimeGetVersion");
    if (cudart.Ok("cudaRuntimeGetVersion", runtime_version(&version))) {
      snprintf(text, sizeof(text), "%d.%d", version / 1000, version % 1000 / 10);
      answer.Text("version", text);
    }
  }
  Call("cudaGetDeviceCount");
  if (!cudart.Ok("cudaGetDeviceCount", count_devices(&count))) return;
  answer.Number("count", static_cast<uint64_t>(count < 0 ? 0 : count));
  answer.BeginList("devices");
  for (int i = 0; i < count && i < kMaxDevices; ++i) {
    alignas(16) static unsigned char properties[kRoom];
    memset(properties, 0, sizeof(properties));
    Call(layout->function);
    if (!cudart.Ok(layout->function, get_properties(properties, i))) break;
    answer.BeginObject();
    char device_name[kUuid];
    memcpy(device_name, properties, sizeof(device_name));
    device_name[sizeof(device_name) - 1] = '\0';
    answer.Text("name", device_name);
    unsigned char uuid[16];
    memcpy(uuid, properties + kUuid, sizeof(uuid));
    answer.Text("uuid", UuidText(uuid).text);
    answer.Number("memory_bytes", At<uint64_t>(properties, kMemory));
    // As ggml writes it (ggml-cuda.cu, v0.13.5): always function 0.
    snprintf(text, sizeof(text), "%04x:%02x:%02x.0", At<unsigned>(properties, layout->domain),
             At<unsigned>(properties, layout->bus), At<unsigned>(properties, layout->device));
    answer.Text("pci_address", text);
    snprintf(text, sizeof(text), "%d.%d", At<int>(properties, kMajor), At<int>(properties, kMinor));
    answer.Text("compute", text);
    answer.EndObject();
  }
  answer.EndList();
}

}  // namespace vgpu::probe_program
