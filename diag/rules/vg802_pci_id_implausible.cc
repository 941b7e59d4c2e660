// VG802 pci-id-implausible: the address has impossible parts, or differs from line to line.
//
// ggml prints "%04x:%02x:%02x.0" of domain, bus and device (ggml-cuda.cu): a bus has 8
// bits and a device 5 (PCI Local Bus Specification). Uninitialised memory gives
// pci_id=99fff950:99fff9 or 0000:17361170:7, and another one at the next start. Nothing
// selects a device by it, so this hides no GPU.

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/devices.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/reported_device.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

bool IsPossible(const std::string& address) {
  if (facts::CanonicalPciAddress(address)) return true;
  // Short forms that a version may print: no function, fewer digits.
  static const RE2& form =
      *new RE2("(?i)(?:[0-9a-f]{1,8}:)?[0-9a-f]{1,2}:[01]?[0-9a-f](?:\\.[0-7])?");
  return RE2::FullMatch(address, form);
}

// The addresses of a single device at the last few starts, where each start had one.
std::set<std::string> OfEarlierStarts(const facts::Facts& facts) {
  constexpr size_t kStarts = 8;
  std::set<std::string> seen;
  if (!facts.log.ServersLog().present()) return seen;
  const auto& starts = facts.log.ServersLog()->starts;
  for (size_t i = starts.size() > kStarts ? starts.size() - kStarts : 0; i < starts.size(); ++i) {
    std::set<std::string> of_start;
    for (const ReportedDevice& device : ReportedDevices(starts[i])) {
      if (!device.pci_id.empty()) of_start.insert(device.pci_id);
    }
    if (of_start.size() == 1) seen.insert(*of_start.begin());
  }
  return seen;
}

}  // namespace

Judgement PciIdImplausible(const facts::Facts& facts) {
  const std::vector<ReportedDevice> reported = AllReportedDevices(facts);
  if (std::optional<Judgement> none = WithoutReports(facts, reported)) return *none;

  Holds holds;
  std::string possible;
  for (const ReportedDevice& device : reported) {
    if (device.pci_id.empty()) continue;
    if (IsPossible(device.pci_id)) {
      possible = device.pci_id;
    } else if (holds.evidence.size() < 8) {
      holds.evidence.push_back(
          FromReport(facts, device,
                     absl::StrCat(device.pci_id,
                                  " is no PCI address: a bus has two digits, a "
                                  "device at most 1f")));
    }
  }
  holds.confidence = Confidence::kLikely;
  if (holds.evidence.empty()) {
    // A machine has its card at one place; a virtual device that moves at every start reads
    // what happens to lie in memory.
    const std::set<std::string> addresses = OfEarlierStarts(facts);
    if (addresses.size() < 3 || !facts.devices.IsVirtual()) {
      if (!possible.empty()) {
        return Contradicted{absl::StrCat("pci_id=", possible, " is an address that can be")};
      }
      if (facts.ollama.era == ollama::Era::kA) {
        return Contradicted{"this version of Ollama asks for no PCI address"};
      }
      return CannotTell{"the PCI address that CUDA gives", "no line that was seen has one",
                        HowToLogMore(facts)};
    }
    holds.confidence = Confidence::kPossible;
    for (const ReportedDevice& device : reported) {
      if (device.pci_id.empty()) continue;
      holds.evidence.push_back(
          FromReport(facts, device,
                     absl::StrCat("the log has ", addresses.size(),
                                  " addresses of one device, another one at other starts")));
      break;
    }
  }
  holds.acts = Acts::kNextStart;
  holds.headline =
      "The device's PCI address is memory that nobody wrote: the library that describes it leaves "
      "the field out.";
  if (facts.devices.IsVirtual()) {
    holds.fix = ReplaceShimSteps(facts,
                                 "a build that fills pciDomainID, pciBusID and pciDeviceID in the "
                                 "layout of the backend's CUDA version");
  } else {
    holds.fix.push_back({"nvidia-smi --query-gpu=pci.bus_id --format=csv",
                         "shows the address that the driver itself gives", "", ""});
  }
  holds.expect = {"pci_id=0000:00:05.0, or whatever address is configured, at every start"};
  return holds;
}

}  // namespace vgpu::rules
