// VG602 pci-ids-wrong: at the configured address stands a function with other ids.
//
// Common where the default address is taken (a virtio device at 0000:00:05.0), and where a
// bind over sysfs missed: its colons unescaped (VG209), or made over the link instead of
// the directory. Ollama's discovery itself reads none of it; a shim that looks for its
// device in sysfs does, and so do lspci and its kin.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

using facts::ConfiguredDevice;
using facts::PciFunction;

struct Id {
  absl::string_view file;
  const host::Observed<std::string>* seen;
  std::string wanted;
};

std::vector<Id> IdsOf(const PciFunction& function, const ConfiguredDevice& device) {
  return {{"vendor", &function.vendor, absl::StrFormat("0x%04x", device.pci_vendor_id)},
          {"device", &function.device, absl::StrFormat("0x%04x", device.pci_device_id)},
          {"class", &function.device_class, absl::StrFormat("0x%06x", device.pci_class)}};
}

// libvgpu-syscall answers in the process for what it reads there: the files say nothing
// about what the process sees.
bool ShimAnswers(const facts::Facts& facts) {
  if (facts.process.present() && facts.process->maps.present()) {
    for (const procfs::MappedFile& file : facts.process->maps->files) {
      std::optional<facts::ShimName> shim = facts::ShimOf(file.path);
      if (shim && shim->named_as_shim && shim->shim == facts::Shim::kSyscall) return true;
    }
    return false;
  }
  const facts::PreloadList* list = facts.Preload();
  if (list == nullptr) return false;
  for (const facts::PreloadEntry& entry : list->entries) {
    if (entry.shim == facts::Shim::kSyscall && !entry.file.found.absent()) return true;
  }
  return false;
}

// A process without shims reads no ids of theirs.
bool HasShims(const facts::Facts& facts) {
  if (!facts.process.present()) return true;
  if (!NoShimMapped(facts).value_or(true)) return true;
  if (!facts.PreloadsNow().empty()) return true;
  return facts.process->environ.present() &&
         facts.process->environ->FindAsLoader("LD_LIBRARY_PATH").has_value();
}

// The unit puts a tree of its own over sysfs.
const systemd::Setting* BindOverPci(const facts::Facts& facts,
                                    std::vector<systemd::Setting>& binds) {
  for (absl::string_view key : {"BindReadOnlyPaths", "BindPaths"}) {
    for (systemd::Setting& setting : facts.unit.on_disk.All("Service", key)) {
      if (absl::StrContains(setting.value, "/sys/")) binds.push_back(std::move(setting));
    }
  }
  return binds.empty() ? nullptr : &binds.front();
}

}  // namespace

Judgement PciIdsWrong(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (!devices.IsVirtual() && devices.configured.not_observed()) {
    return CannotTell{"the configured devices",
                      Because(devices.config_source, devices.configured.why_not()),
                      absl::StrCat("sudo cat ", facts::kDeviceConfigFile)};
  }
  if (!devices.IsVirtual()) {
    return Contradicted{"no virtual device is configured, and no shim was seen"};
  }
  if (!devices.configured.present()) {
    return CannotTell{"the configured devices",
                      Because(devices.config_source, devices.configured.why_not()),
                      absl::StrCat("sudo cat ", facts::kDeviceConfigFile)};
  }
  if (!devices.functions.present()) {
    return CannotTell{"the PCI functions as the service sees them",
                      std::string(devices.functions.why_not()), "lspci -nn"};
  }
  Holds holds;
  std::string right, address;
  bool bound_over = false;
  for (const ConfiguredDevice& device : devices.configured->devices) {
    const PciFunction* function = devices.FunctionAt(device.pci_address);
    if (function == nullptr) continue;
    for (const Id& id : IdsOf(*function, device)) {
      const std::string path = absl::StrCat(function->directory, "/", id.file);
      if (id.seen->not_observed()) {
        return CannotTell{path, std::string(id.seen->why_not()), absl::StrCat("cat ", path)};
      }
      if (!id.seen->present()) continue;
      if (absl::EqualsIgnoreCase(**id.seen, id.wanted)) {
        right = absl::StrCat(function->address, " has ", id.file, " ", id.wanted);
        continue;
      }
      address = function->address;
      bound_over = bound_over || function->bound_over;
      if (holds.evidence.size() < 9) {
        holds.evidence.push_back(
            {path, 0, **id.seen,
             absl::StrCat("configured is ", id.wanted, " (", devices.config_source, ")")});
      }
    }
  }
  if (holds.evidence.empty()) {
    return Contradicted{right.empty() ? "no function stands at a configured address" : right};
  }
  if (!bound_over && ShimAnswers(facts)) {
    return CannotTell{"the PCI ids as the process reads them",
                      absl::StrCat("libvgpu-syscall answers for them there; the files of ", address,
                                   " are the host's"),
                      "vgpu-doctor verify"};
  }
  if (DiscoveryFoundGpu(facts)) {
    return Contradicted{absl::StrCat("discovery found the device, although ", address,
                                     " has other ids: it does not read them")};
  }
  if (!HasShims(facts)) {
    return Contradicted{"the process has no shim that would read them"};
  }
  std::vector<systemd::Setting> binds;
  const systemd::Setting* bind = BindOverPci(facts, binds);
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  // The address is taken on every virtual machine that has a device of its own there.
  if (bind == nullptr && effect.empty() && facts.process.present()) {
    return CannotTell{
        absl::StrCat("whether the service needs the ids of ", address),
        "what discovery found was not seen, and it does not read them itself",
        absl::StrCat("sudo systemctl restart ", facts.unit.name, ", and its log after that")};
  }
  holds.confidence = bind == nullptr ? Confidence::kPossible : Confidence::kLikely;
  holds.acts = ActsNowIfRunning(facts);
  if (bind != nullptr) {
    holds.evidence.push_back({bind->place.file, bind->place.line, bind->value,
                              "is there to show other ids, and does not"});
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline =
      absl::StrCat("At ", address,
                   " the service sees another device than the one that is configured: bind the "
                   "virtual device over it, or configure a free address.");
  if (bind != nullptr) {
    holds.fix.push_back(
        {absl::StrCat("sudoedit ", bind->place.file),
         "binds over the directory below /sys/devices that `readlink -f /sys/bus/pci/devices/" +
             address + "` names, with each colon of it escaped as `\\:`",
         "", "put the line back as it was"});
    holds.fix.push_back(ReloadStep("systemd reads the unit again"));
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "binds are made when the service starts"));
    }
  } else {
    holds.fix = EditDevicesSteps(
        facts, absl::StrCat("gives the device a pci_address that no other function has; ", address,
                            " is taken"));
  }
  holds.expect = {absl::StrCat("the service reads 0x10de in /sys/bus/pci/devices/", address,
                               "/vendor, or no device is configured there"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
