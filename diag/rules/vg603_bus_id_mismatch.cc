// VG603 bus-id-mismatch: configuration or sysfs, and CUDA, name different addresses, each
// possible in itself (impossible ones: VG802).
//
// Ollama selects a device by its UUID or index and takes NVML's figures by UUID, so this
// hides no GPU of one device; era B and C drop a device of another library that has the
// same address (discover/runner.go), and tools that join sysfs and CUDA go wrong.

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

// ggml always prints function 0.
std::string WithoutFunction(absl::string_view address) {
  return std::string(address.substr(0, address.rfind('.')));
}

struct Known {
  std::set<std::string> addresses;
  std::string source;
};

// Where devices are, as the configuration says, else as the PCI bus does.
host::Observed<Known> KnownAddresses(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  Known known;
  if (devices.IsVirtual()) {
    if (!devices.configured.present()) {
      return host::NotObserved{Because(devices.config_source, devices.configured.why_not())};
    }
    known.source = devices.config_source;
    for (const facts::ConfiguredDevice& device : devices.configured->devices) {
      if (device.pci_address.empty()) {
        return host::NotObserved{
            absl::StrCat(devices.config_source, ": a further device is given no pci_address")};
      }
      known.addresses.insert(device.pci_address);
    }
    return known;
  }
  if (!devices.functions.present()) {
    return host::NotObserved{std::string(devices.functions.why_not())};
  }
  known.source = "/sys/bus/pci/devices";
  for (const facts::PciFunction& function : *devices.functions) {
    if (function.IsNvidiaGpu()) known.addresses.insert(function.address);
    if (!function.vendor.present()) {
      return host::NotObserved{absl::StrCat("the vendor of ", function.address, " was not read")};
    }
  }
  if (known.addresses.empty()) return host::NotObserved{"no NVIDIA GPU is on the PCI bus"};
  return known;
}

}  // namespace

Judgement BusIdMismatch(const facts::Facts& facts) {
  if (facts.devices.wsl || facts.devices.l4t_major.present()) {
    return Contradicted{"this machine's GPU is no PCI function"};
  }
  const std::vector<ReportedDevice> reported = AllReportedDevices(facts);
  if (std::optional<Judgement> none = WithoutReports(facts, reported)) return *none;
  host::Observed<Known> known = KnownAddresses(facts);
  if (!known.present()) {
    return CannotTell{"where the devices should be", std::string(known.why_not()), "lspci -nn"};
  }
  std::set<std::string> wanted;
  for (const std::string& address : known->addresses) wanted.insert(WithoutFunction(address));

  Holds holds;
  std::string same;
  bool filtered = false;
  for (const ReportedDevice& device : reported) {
    std::optional<std::string> address = facts::CanonicalPciAddress(device.pci_id);
    if (!address) continue;
    if (wanted.contains(WithoutFunction(*address))) {
      same = *address;
      continue;
    }
    filtered = filtered || device.where == ReportedDevice::Where::kFiltered;
    if (holds.evidence.size() < 8) {
      holds.evidence.push_back(FromReport(
          facts, device,
          absl::StrCat(device.step.empty() ? "CUDA" : device.step, " names ", *address)));
    }
  }
  if (holds.evidence.empty()) {
    if (!same.empty()) {
      return Contradicted{absl::StrCat("CUDA and ", known->source, " both name ", same)};
    }
    if (facts.ollama.era == ollama::Era::kA) {
      return Contradicted{"this version of Ollama asks for no PCI address"};
    }
    return CannotTell{"the PCI address that CUDA gives",
                      "no line that was seen gives one that can be", HowToLogMore(facts)};
  }
  holds.evidence.push_back({known->source, 0, absl::StrJoin(known->addresses, " "),
                            "the address that the device should have"});
  holds.confidence = Confidence::kPossible;
  holds.acts = Acts::kNextStart;
  // Where the second pass lost that very device, nothing rules out that something joins
  // the two addresses.
  if (std::vector<Evidence> effect = NoGpuEvidence(facts); filtered && !effect.empty()) {
    holds.acts = ActsNowIfRunning(facts);
    holds.explains = {"VG703", "VG704", "VG708"};
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  }
  holds.headline =
      absl::StrCat("CUDA and ", known->source, " name different PCI addresses for the device.");
  if (facts.devices.IsVirtual()) {
    holds.fix = ReplaceShimSteps(facts,
                                 "a build whose pciDomainID, pciBusID and pciDeviceID are those of "
                                 "pci_address in devices.toml");
  } else {
    holds.fix.push_back({"nvidia-smi --query-gpu=pci.bus_id --format=csv",
                         "shows the address that the driver itself gives", "", ""});
  }
  holds.expect = {absl::StrCat("pci_id=", *known->addresses.begin())};
  return holds;
}

}  // namespace vgpu::rules
