#include "diag/facts/device_facts.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::facts {

bool PciFunction::IsNvidiaGpu() const {
  return vendor.present() && *vendor == "0x10de" &&
         (!device_class.present() || absl::StartsWith(*device_class, "0x03"));
}

bool DeviceFacts::IsPhysical() const {
  if (IsVirtual()) return false;
  if (!driver_libraries.empty() || module_version.present()) return true;
  return HasNvidiaGpu().value_or(false);
}

host::Observed<bool> DeviceFacts::HasNvidiaGpu() const {
  if (!functions.present()) return host::NotObserved{std::string(functions.why_not())};
  host::Observed<bool> has = false;
  for (const PciFunction& function : *functions) {
    if (function.IsNvidiaGpu()) return true;
    if (function.vendor.present()) continue;
    const absl::string_view why =
        function.vendor.absent() ? "not captured" : function.vendor.why_not();
    has = host::NotObserved{absl::StrCat("the vendor of ", function.address, ": ", why)};
  }
  return has;
}

const PciFunction* DeviceFacts::FunctionAt(absl::string_view address) const {
  if (!functions.present()) return nullptr;
  for (const PciFunction& function : *functions) {
    if (function.address == address) return &function;
  }
  return nullptr;
}

}  // namespace vgpu::facts
