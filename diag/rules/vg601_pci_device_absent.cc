// VG601 pci-device-absent: there is no PCI function with the configured ids.
//
// NVIDIA's own driver needs one. A virtual device does not: Ollama reads no file of an
// NVIDIA device in sysfs (ollama/ollama v0.5.7 to v0.33.0-rc2), it asks libcuda and
// libcudart. So there it is a cause only where a shim says that it looked and found none.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

using facts::DeviceFacts;
using facts::PciFunction;

constexpr char kList[] = "/sys/bus/pci/devices";

std::string Ids(const facts::ConfiguredDevice& device) {
  return absl::StrFormat("%04x:%04x", device.pci_vendor_id, device.pci_device_id);
}

// A function with the ids of `device`, wherever it is.
const PciFunction* WithIds(const std::vector<PciFunction>& functions,
                           const facts::ConfiguredDevice& device) {
  for (const PciFunction& function : functions) {
    if (function.vendor.value_or("") == absl::StrFormat("0x%04x", device.pci_vendor_id) &&
        function.device.value_or("") == absl::StrFormat("0x%04x", device.pci_device_id)) {
      return &function;
    }
  }
  return nullptr;
}

// /dev/nvidia0 or a further one, or it was not seen that there is none.
bool HasCardNode(const DeviceFacts& devices) {
  for (const facts::DeviceNode& node : devices.nodes) {
    static const RE2& form = *new RE2("/dev/nvidia[0-9]+");
    if (!node.found.absent() && RE2::FullMatch(node.path, form)) return true;
  }
  return false;
}

std::string Count(const std::vector<PciFunction>& functions) {
  return absl::StrCat(rules::Count(functions.size(), "PCI function", "PCI functions"));
}

Judgement OfCard(const facts::Facts& facts, const std::vector<PciFunction>& functions) {
  const DeviceFacts& devices = facts.devices;
  for (const PciFunction& function : functions) {
    if (function.IsNvidiaGpu()) {
      return Contradicted{absl::StrCat(function.address, " is a GPU of NVIDIA (", *function.vendor,
                                       ":", function.device.value_or("?"), ")")};
    }
  }
  if (DiscoveryFoundGpu(facts)) return Contradicted{"discovery found a GPU"};
  if (const auto has = devices.HasNvidiaGpu(); has.not_observed()) {
    return CannotTell{"the PCI functions of the host", std::string(has.why_not()), "lspci -nn"};
  }
  // A bus without a single function may be one that was not captured. The driver that is
  // loaded, and made no node for a card, decides then.
  if (functions.empty() && (!devices.module_version.present() || HasCardNode(devices))) {
    return CannotTell{"the PCI functions of the host", absl::StrCat(kList, " is not there"),
                      "lspci -nn"};
  }
  Holds holds;
  holds.acts = ActsNowIfRunning(facts);
  holds.evidence.push_back({kList, 0, Count(functions),
                            "none of them is a display or 3D controller of NVIDIA (0x10de)"});
  if (!devices.driver_libraries.empty()) {
    holds.evidence.push_back({devices.driver_libraries.front().path, 0, "",
                              "NVIDIA's driver is installed, and has no card to drive"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence =
      effect.empty() || functions.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG604", "VG605", "VG704", "VG707"};
  holds.headline =
      "NVIDIA's driver is installed and this machine has no NVIDIA GPU on its PCI bus: pass one "
      "through to it, or put the card back.";
  holds.fix.push_back({"lspci -nn -d 10de:",
                       "shows what of NVIDIA is on the bus; a card that is there and off it "
                       "comes back with `echo 1 | sudo tee /sys/bus/pci/rescan`, one of a virtual "
                       "machine through the hypervisor's pass-through",
                       "", ""});
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {"lspci -nn -d 10de: prints a line", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement PciDeviceAbsent(const facts::Facts& facts) {
  const DeviceFacts& devices = facts.devices;
  if (devices.wsl) return Contradicted{"under Windows the GPU is /dev/dxg, and no PCI function"};
  if (devices.l4t_major.present()) return Contradicted{"a Jetson's GPU is no PCI function"};
  if (auto unseen = DeviceNotSeen(facts)) return *unseen;
  if (!devices.IsVirtual() && !devices.IsPhysical()) {
    return Contradicted{"no NVIDIA driver, device or shim was seen that would need one"};
  }
  if (!devices.functions.present()) {
    return CannotTell{"the PCI functions of the host", std::string(devices.functions.why_not()),
                      "lspci -nn"};
  }
  if (devices.IsPhysical()) return OfCard(facts, *devices.functions);
  if (!devices.configured.present()) {
    return CannotTell{"the configured devices",
                      Because(devices.config_source, devices.configured.why_not()),
                      absl::StrCat("sudo cat ", facts::kDeviceConfigFile)};
  }
  for (const facts::ConfiguredDevice& device : devices.configured->devices) {
    if (const PciFunction* function = WithIds(*devices.functions, device)) {
      return Contradicted{absl::StrCat(function->address, " has the ids ", Ids(device))};
    }
    if (devices.FunctionAt(device.pci_address) != nullptr) {
      return Contradicted{absl::StrCat(device.pci_address, " is there, with other ids")};
    }
  }
  return Contradicted{
      absl::StrCat("no function has the ids ", Ids(devices.configured->devices.front()),
                   ", and discovery of a virtual device asks the shims and reads no PCI function")};
}

}  // namespace vgpu::rules
