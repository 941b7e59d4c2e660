// The device: what is configured, what PCI and /dev show, which driver there is.

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/baseline/take_parts.h"

namespace vgpu::baseline {
namespace {

using facts::DeviceFacts;
using host::Absent;
using host::NotObserved;
using host::Observed;

constexpr char kPciDevices[] = "/sys/bus/pci/devices/";

// Modules that bear on whether a GPU can be used; the others come and go.
constexpr absl::string_view kModules[] = {
    "amdgpu", "bochs", "drm",   "gdrdrv", "i915", "nouveau", "nvgpu",
    "nvidia", "qxl",   "tegra", "ttm",    "vfio", "vgpu",    "virtio_gpu",
};

bool BearsOnGpu(absl::string_view module) {
  return std::any_of(std::begin(kModules), std::end(kModules),
                     [&](absl::string_view prefix) { return absl::StartsWith(module, prefix); });
}

void TakeConfigured(const DeviceFacts& devices, Builder& out) {
  constexpr absl::string_view kProperties[] = {"profile", "address", "uuid",   "ids",
                                               "name",    "memory",  "compute"};
  Observed<bool> looked = devices.configured.Map([](const auto&) { return true; });
  if (looked.absent()) looked = true;
  for (absl::string_view property : kProperties) {
    out.Looked(absl::StrCat("device.*.", property), looked);
  }
  const facts::DeviceConfig none;
  const facts::DeviceConfig& config = devices.configured.present() ? *devices.configured : none;
  for (size_t i = 0; i < config.devices.size(); ++i) {
    const facts::ConfiguredDevice& device = config.devices[i];
    const From from = {devices.config_source, device.line};
    const auto put = [&](absl::string_view property, std::string value) {
      out.Put(absl::StrCat("device.", i, ".", property),
              value.empty() ? Observed<std::string>(Absent{}) : Observed<std::string>(value), from);
    };
    put("profile", device.profile);
    put("address", device.pci_address);
    put("uuid", device.uuid.value_or(""));
    put("ids", absl::StrFormat("0x%04x 0x%04x 0x%06x", device.pci_vendor_id, device.pci_device_id,
                               device.pci_class));
    put("name", device.name);
    put("memory", absl::StrCat(device.memory_mib, " MiB"));
    put("compute", device.compute_capability);
  }
  const auto driver = [&](absl::string_view key, const std::optional<std::string>& version) {
    Observed<std::string> value = NoValue<std::string>(devices.configured);
    if (devices.configured.present()) value = Absent{};
    if (version) value = *version;
    out.Put(key, value, {devices.config_source});
  };
  driver("driver.version", config.driver_version);
  driver("driver.cuda_version", config.cuda_version);
}

Observed<std::string> Ids(const facts::PciFunction& function) {
  for (const Observed<std::string>* part :
       {&function.vendor, &function.device, &function.device_class}) {
    if (!part->present()) return *part;
  }
  return absl::StrCat(*function.vendor, " ", *function.device, " ", *function.device_class);
}

void TakePci(const Subject& subject, Builder& out) {
  const DeviceFacts& devices = subject.facts.devices;
  const Observed<bool> looked = devices.functions.Map([](const auto&) { return true; });
  out.Looked("pci.*", looked);
  out.Looked("pci.*.driver", looked);
  if (!devices.functions.present()) return;
  // Also those that are a GPU no more.
  std::set<std::string> wanted;
  for (const std::string& address : Stars(subject.like, "pci.*")) wanted.insert(address);
  for (const facts::ConfiguredDevice& device : devices.configured.value_or({}).devices) {
    wanted.insert(device.pci_address);
  }
  for (const facts::PciFunction& function : *devices.functions) {
    if (!function.IsNvidiaGpu() && wanted.count(function.address) == 0) continue;
    const std::string key = absl::StrCat("pci.", function.address);
    out.Put(key, Ids(function), {absl::StrCat(kPciDevices, function.address)});
    out.Put(absl::StrCat(key, ".driver"), function.driver,
            {absl::StrCat(kPciDevices, function.address, "/driver")});
  }
}

void TakeNodes(const Subject& subject, Builder& out) {
  std::vector<const facts::DeviceNode*> nodes;
  for (const facts::DeviceNode& node : subject.facts.devices.nodes) nodes.push_back(&node);
  for (const facts::DeviceNode& node : subject.facts.devices.bars) nodes.push_back(&node);
  bool unseen = false;
  for (const facts::DeviceNode* node : nodes) {
    const std::string key = absl::StrCat("node.", node->path);
    unseen = unseen || node->found.not_observed();
    out.Put(key, node->found.Map([](const host::Resolved& found) {
      return std::string(host::FileTypeName(found.meta.type));
    }),
            {node->path});
    if (!node->found.present()) continue;
    out.Put(absl::StrCat(key, ".owner"), OwnerText(node->found->meta), {node->path});
    out.Put(absl::StrCat(key, ".mode"), ModeOf(node->found->meta), {node->path});
  }
  Observed<bool> looked = true;
  if (unseen) looked = NotObserved{"/dev was not seen"};
  for (absl::string_view pattern : {"node.*", "node.*.owner", "node.*.mode"}) {
    out.Looked(pattern, looked);
  }
}

void TakeDriver(const DeviceFacts& devices, Builder& out) {
  out.Put("driver.module", devices.module_version, {"/proc/driver/nvidia/version"});
  for (const facts::DriverLibrary& library : devices.driver_libraries) {
    // "libcuda.so.570.124.06": the version is the value and no part of the key.
    absl::string_view name = library.path;
    name.remove_suffix(std::min(name.size(), library.version.size() + 1));
    out.Put(absl::StrCat("driver.library.", name), library.version, {library.path});
  }
  out.Looked("driver.library.*");
  const Observed<bool> looked =
      devices.modules.Map([](const procfs::Modules& modules) -> Observed<bool> {
        if (modules.truncated) return NotObserved{"/proc/modules could not be read whole"};
        return true;
      });
  out.Looked("module.*", looked);
  for (const std::string& name : devices.modules.value_or({}).names) {
    if (BearsOnGpu(name)) {
      out.Put(absl::StrCat("module.", name), std::string("loaded"), {"/proc/modules"});
    }
  }
}

}  // namespace

void TakeDevices(const Subject& subject, Builder& out) {
  const DeviceFacts& devices = subject.facts.devices;
  TakeConfigured(devices, out);
  TakePci(subject, out);
  TakeNodes(subject, out);
  TakeDriver(devices, out);
  out.Put("driver.fabric_manager", subject.facts.fabric_manager,
          {subject.facts.fabric_manager.source});
}

}  // namespace vgpu::baseline
