#include "diag/facts/device_facts.h"

#include "absl/strings/match.h"

namespace vgpu::facts {

bool PciFunction::IsNvidiaGpu() const {
  return vendor.present() && *vendor == "0x10de" &&
         (!device_class.present() || absl::StartsWith(*device_class, "0x03"));
}

bool DeviceFacts::IsPhysical() const {
  if (IsVirtual()) return false;
  if (!driver_libraries.empty() || module_version.present()) return true;
  for (const PciFunction& function : functions.value_or({})) {
    if (function.IsNvidiaGpu()) return true;
  }
  return false;
}

const PciFunction* DeviceFacts::FunctionAt(absl::string_view address) const {
  if (!functions.present()) return nullptr;
  for (const PciFunction& function : *functions) {
    if (function.address == address) return &function;
  }
  return nullptr;
}

}  // namespace vgpu::facts
