// The functions of shims/abi/nvml.inc that are not ours, made from that table.
//
// One is defined with at most its first parameter: on x86-64 the caller passes arguments in
// registers and cleans the stack up, so that the ones not looked at do no harm (System V ABI, AMD64
// supplement 1.0, 3.2.3).

#include <unistd.h>

#include "shims/log/log.h"
#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

nvmlReturn_t NotSupported(const char* function) {
  if (log::Enabled(log::Level::kTrace)) {
    log::Write(log::Level::kTrace, kLibrary, "not supported", {{"func", function}});
  }
  return NVML_ERROR_NOT_SUPPORTED;
}

nvmlReturn_t OfSystem(const char* function) {
  return Initialized() == nullptr ? NVML_ERROR_UNINITIALIZED : NotSupported(function);
}

nvmlReturn_t OfDevice(const char* function, nvmlDevice_t handle) {
  const Device* device;
  const nvmlReturn_t error = Find(handle, &device);
  return error == NVML_SUCCESS ? NotSupported(function) : error;
}

nvmlReturn_t OfEventSet(const char* function, nvmlEventSet_t set) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  return IsEventSet(set) ? NotSupported(function) : NVML_ERROR_INVALID_ARGUMENT;
}

nvmlReturn_t OfUnknownHandle() {
  return Initialized() == nullptr ? NVML_ERROR_UNINITIALIZED : NVML_ERROR_INVALID_ARGUMENT;
}

// What would change something is refused to all: to those who might not, for that reason.
nvmlReturn_t Refused(nvmlReturn_t otherwise) {
  return otherwise == NVML_ERROR_NOT_SUPPORTED && geteuid() != 0 ? NVML_ERROR_NO_PERMISSION
                                                                 : otherwise;
}

}  // namespace

#define VGPU_NVML_Ours(name)
#define VGPU_NVML_System(name) \
  NVML_API nvmlReturn_t name() { return OfSystem(#name); }
#define VGPU_NVML_SetSystem(name) \
  NVML_API nvmlReturn_t name() { return Refused(OfSystem(#name)); }
#define VGPU_NVML_Device(name) \
  NVML_API nvmlReturn_t name(nvmlDevice_t device) { return OfDevice(#name, device); }
#define VGPU_NVML_SetDevice(name) \
  NVML_API nvmlReturn_t name(nvmlDevice_t device) { return Refused(OfDevice(#name, device)); }
#define VGPU_NVML_EventSet(name) \
  NVML_API nvmlReturn_t name(nvmlEventSet_t set) { return OfEventSet(#name, set); }
#define VGPU_NVML_Handle(name) \
  NVML_API nvmlReturn_t name() { return OfUnknownHandle(); }

#define NVML_FUNCTION(kind, name) VGPU_NVML_##kind(name)
#include "shims/abi/nvml.inc"
#undef NVML_FUNCTION

}  // namespace vgpu::nvml
