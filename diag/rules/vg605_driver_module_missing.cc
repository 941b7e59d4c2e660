// VG605 driver-module-missing: the kernel module nvidia or nvidia_uvm is not loaded.
//
// For NVIDIA's own driver only. nvidia_uvm is loaded when CUDA first wants it, by the
// set-uid nvidia-modprobe: that it is not there yet proves nothing before a discovery.

#include <variant>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

// Another driver has the card: "nouveau", "vfio-pci".
const facts::PciFunction* TakenByOther(const facts::DeviceFacts& devices) {
  if (!devices.functions.present()) return nullptr;
  for (const facts::PciFunction& function : *devices.functions) {
    if (function.IsNvidiaGpu() && function.driver.present() && *function.driver != "nvidia") {
      return &function;
    }
  }
  return nullptr;
}

}  // namespace

Judgement DriverModuleMissing(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.IsVirtual()) return Contradicted{"the device is virtual: it needs no kernel module"};
  if (devices.wsl) return Contradicted{"under Windows the driver is Windows' own"};
  if (devices.l4t_major.present()) return Contradicted{"a Jetson's GPU has modules of other names"};
  if (auto unseen = DeviceNotSeen(facts)) return *unseen;
  if (!devices.IsPhysical()) return Contradicted{"no NVIDIA driver or device was seen"};
  if (!devices.modules.present()) {
    // The module's own file is as good.
    if (devices.module_version.present()) {
      return Contradicted{
          absl::StrCat("/proc/driver/nvidia/version: ", *devices.module_version, " is loaded")};
    }
    return CannotTell{"the kernel's modules", std::string(devices.modules.why_not()),
                      "grep nvidia /proc/modules"};
  }
  const host::Observed<bool> listed = devices.modules->Has("nvidia");
  const host::Observed<bool> uvm = devices.modules->Has("nvidia_uvm");
  const bool driver = listed.value_or(false) || devices.module_version.present();
  if (driver && uvm.value_or(false)) return Contradicted{"/proc/modules has nvidia and nvidia_uvm"};
  if (DiscoveryFoundGpu(facts)) return Contradicted{"discovery found the GPU through its driver"};
  if (!devices.HasNvidiaGpu().value_or(true) && !devices.functions->empty()) {
    return Contradicted{"there is no NVIDIA GPU on the PCI bus that a module could drive"};
  }
  if (const auto& unread = driver ? uvm : listed; !unread.present()) {
    return CannotTell{"the kernel's modules", std::string(unread.why_not()),
                      "grep nvidia /proc/modules"};
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (driver && effect.empty()) {
    return CannotTell{"whether nvidia_uvm loads when CUDA wants it",
                      "it is not loaded, and no discovery was seen that wanted it",
                      "sudo nvidia-modprobe -u && grep nvidia_uvm /proc/modules"};
  }
  const std::string name = driver ? "nvidia_uvm" : "nvidia";
  Holds holds;
  holds.acts = ActsNowIfRunning(facts);
  holds.evidence.push_back({"/proc/modules", 0, absl::StrCat("(no ", name, ")"),
                            absl::StrCat(devices.modules->names.size(), " modules are loaded, and ",
                                         name, " is none of them")});
  if (const facts::PciFunction* other = TakenByOther(devices)) {
    holds.evidence.push_back({absl::StrCat("/sys/bus/pci/devices/", other->address, "/driver"), 0,
                              *other->driver, "another driver has the card"});
  }
  // CUDA has nvidia_uvm loaded when it begins: where the device is hidden from it, that it is not
  // loaded may come of that.
  const bool hidden = driver && std::holds_alternative<Holds>(VisibleDevicesHide(facts));
  holds.confidence = effect.empty() || hidden ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG604", "VG607", "VG611", "VG704", "VG707"};
  holds.headline = absl::StrCat(
      "The kernel module ", name, " is not loaded: ",
      driver ? "without it CUDA does not begin." : "libcuda finds no driver to speak to.");
  if (driver) {
    // The module makes no node of its own; this program of the driver's does both.
    holds.fix.push_back({"sudo nvidia-modprobe -u -c 0",
                         "loads it and makes /dev/nvidia-uvm, as CUDA does when it begins", "",
                         "sudo rmmod nvidia_uvm"});
  } else {
    holds.fix.push_back({"sudo modprobe nvidia && sudo modprobe nvidia_uvm",
                         "loads it; an error names what is in the way (no module for this kernel: "
                         "`sudo dkms autoinstall`; nouveau or vfio-pci has the card)",
                         "", "sudo rmmod nvidia_uvm nvidia"});
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {"grep nvidia_uvm /proc/modules prints a line", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
