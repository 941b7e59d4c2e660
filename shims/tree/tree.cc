#include "shims/tree/tree.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::tree {
namespace {

constexpr char kDevices[] = "sys/bus/pci/devices";
constexpr char kDrivers[] = "sys/bus/pci/drivers";
constexpr char kDriver[] = "sys/bus/pci/drivers/nvidia";
constexpr char kProc[] = "proc/driver/nvidia";

// Base address registers as GPUs of these kinds have them: 16 MiB of registers, the
// framebuffer's aperture, 32 MiB more; the latter two 64 bits wide and prefetchable.
constexpr uint64_t kRegisters = uint64_t{16} << 20;
constexpr uint64_t kThirdRegion = uint64_t{32} << 20;
// Where a virtual device's regions lie: above what machines of today map, apart from each
// other by the largest aperture. Nothing answers there.
constexpr uint64_t kRegionBase = uint64_t{0x380000000000};
constexpr uint64_t kRegionStride = uint64_t{1} << 40;
constexpr uint64_t kLowBase = 0xc0000000;

// include/linux/ioport.h (Linux 6.1), as the third number of `resource` has them.
constexpr uint64_t kMemory32 = 0x40200;           // MEM | SIZEALIGN
constexpr uint64_t kMemory64Prefetch = 0x14220c;  // MEM | MEM_64 | SIZEALIGN | PREFETCH, BAR flags

struct Region {
  uint64_t start = 0;
  uint64_t size = 0;
  uint64_t flags = 0;
};

// By its place in the configuration space: BAR0 to BAR5.
std::array<Region, 6> Regions(const device::Device& device) {
  // By address, so that two devices never overlap and one keeps its own.
  uint64_t slot = (uint64_t{device.pci.bus} << 5) | device.pci.device;
  uint64_t base = kRegionBase + slot * kRegionStride;
  std::array<Region, 6> regions = {};
  regions[0] = {kLowBase + (slot % 32) * kRegisters, kRegisters, kMemory32};
  regions[1] = {base, device.profile->bar1_mib << 20, kMemory64Prefetch};
  regions[3] = {base + kRegionStride / 2, kThirdRegion, kMemory64Prefetch};
  return regions;
}

std::string AddressText(const device::PciAddress& address) {
  std::array<char, device::kPciText> text = {};
  device::FormatPci(address, text);
  return text.data();
}

std::string UuidText(const device::Uuid& uuid) {
  std::array<char, device::kUuidText> text = {};
  device::FormatUuid(uuid, text);
  return text.data();
}

absl::string_view Parent(absl::string_view path) {
  size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

// From the directory of the link `from` to `to`: "../../../devices/pci0000:00/0000:00:05.0".
std::string Relative(absl::string_view from, absl::string_view to) {
  std::vector<absl::string_view> start = absl::StrSplit(Parent(from), '/', absl::SkipEmpty());
  std::vector<absl::string_view> end = absl::StrSplit(to, '/', absl::SkipEmpty());
  size_t common = 0;
  while (common < start.size() && common < end.size() && start[common] == end[common]) ++common;
  std::vector<absl::string_view> steps(start.size() - common, "..");
  steps.insert(steps.end(), end.begin() + static_cast<std::ptrdiff_t>(common), end.end());
  return absl::StrJoin(steps, "/");
}

class Builder {
 public:
  explicit Builder(const HostPci& host) : host_(host) {}

  void Directory(absl::string_view path) {
    if (path.empty()) return;
    Directory(Parent(path));
    tree_.entries.try_emplace(std::string(path), Entry{Entry::Kind::kDirectory, "", 0555});
  }

  void File(absl::string_view path, std::string content, int mode = 0444) {
    Directory(Parent(path));
    tree_.entries.insert_or_assign(std::string(path),
                                   Entry{Entry::Kind::kFile, std::move(content), mode});
  }

  void Link(absl::string_view path, absl::string_view to) {
    Directory(Parent(path));
    tree_.entries.insert_or_assign(std::string(path),
                                   Entry{Entry::Kind::kLink, Relative(path, to), 0777});
  }

  void Own(absl::string_view path) {
    Directory(path);
    tree_.owned.emplace_back(path);
  }

  // A link to an owned directory: the host's own of that name is replaced.
  void Alias(const std::string& path, const std::string& to) {
    Link(path, to);
    tree_.aliases[path] = to;
  }

  // Shows the host's names too.
  void Merge(absl::string_view path) {
    std::string name(path);
    if (std::find(tree_.merged.begin(), tree_.merged.end(), name) != tree_.merged.end()) return;
    Directory(name);
    tree_.merged.push_back(name);
    auto directory = host_.directories.find(name);
    if (directory == host_.directories.end()) return;
    for (const auto& [child, node] : directory->second) {
      std::string inside = absl::StrCat(name, "/", child);
      if (tree_.entries.contains(inside)) continue;
      if (node.is_directory) {
        Directory(inside);
      } else if (!node.target.empty()) {
        tree_.entries[inside] = Entry{Entry::Kind::kLink, node.target, 0777};
      } else {
        File(inside, "");
      }
    }
  }

  // A merged directory in which the host has all names of ours needs no merging: links and
  // subdirectories lead to ours by themselves.
  Tree Take() {
    std::erase_if(tree_.merged, [this](const std::string& path) {
      auto listed = host_.directories.find(path);
      if (listed == host_.directories.end()) return false;
      return std::none_of(tree_.entries.begin(), tree_.entries.end(), [&](const auto& entry) {
        return Parent(entry.first) == path &&
               !listed->second.contains(entry.first.substr(path.size() + 1));
      });
    });
    return std::move(tree_);
  }

 private:
  const HostPci& host_;
  Tree tree_;
};

// Where a function lives that the host has not: below the bridge of its bus, else the host bridge
// of its domain with the highest bus below it.
std::string PlaceOf(const device::PciAddress& address, const HostPci& host) {
  std::string bus = absl::StrFormat("%04x:%02x", address.domain, address.bus);
  auto bridge = host.buses.find(bus);
  if (bridge != host.buses.end()) return absl::StrCat(bridge->second, "/", AddressText(address));
  return absl::StrCat("sys/devices/pci", bus, "/", AddressText(address));
}

std::string Modalias(const device::Device& device) {
  const device::Profile& profile = *device.profile;
  return absl::StrFormat("pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", device.pci_vendor,
                         device.pci_device, profile.pci_subsystem_vendor,
                         profile.pci_subsystem_device, device.pci_class >> 16,
                         (device.pci_class >> 8) & 0xff, device.pci_class & 0xff);
}

std::string ResourceFile(const device::Device& device) {
  std::string text;
  for (const Region& region : Regions(device)) {
    uint64_t end = region.size == 0 ? 0 : region.start + region.size - 1;
    absl::StrAppendFormat(&text, "0x%016x 0x%016x 0x%016x\n", region.start, end, region.flags);
  }
  // The expansion ROM, which it does not have.
  absl::StrAppendFormat(&text, "0x%016x 0x%016x 0x%016x\n", 0, 0, 0);
  return text;
}

// pcie_link_speed, drivers/pci/probe.c: "16.0 GT/s PCIe".
absl::string_view LinkSpeed(int generation) {
  switch (generation) {
    case 1:
      return "2.5 GT/s PCIe";
    case 2:
      return "5.0 GT/s PCIe";
    case 3:
      return "8.0 GT/s PCIe";
    case 4:
      return "16.0 GT/s PCIe";
    case 5:
      return "32.0 GT/s PCIe";
    case 6:
      return "64.0 GT/s PCIe";
    default:
      return "Unknown";
  }
}

void AddFunction(const device::Device& device, const HostPci& host, Builder& builder) {
  const device::Profile& profile = *device.profile;
  std::string address = AddressText(device.pci);
  auto existing = host.functions.find(address);
  bool is_new = existing == host.functions.end();
  std::string directory = is_new ? PlaceOf(device.pci, host) : existing->second;

  builder.Own(directory);
  auto file = [&](absl::string_view name, std::string content, int mode = 0444) {
    builder.File(absl::StrCat(directory, "/", name), std::move(content), mode);
  };
  file("vendor", absl::StrFormat("0x%04x\n", device.pci_vendor));
  file("device", absl::StrFormat("0x%04x\n", device.pci_device));
  file("class", absl::StrFormat("0x%06x\n", device.pci_class));
  file("revision", absl::StrFormat("0x%02x\n", profile.pci_revision));
  file("subsystem_vendor", absl::StrFormat("0x%04x\n", profile.pci_subsystem_vendor));
  file("subsystem_device", absl::StrFormat("0x%04x\n", profile.pci_subsystem_device));
  file("irq", "0\n");
  file("resource", ResourceFile(device));
  file("config", ConfigurationSpace(device), 0644);
  file("modalias", absl::StrCat(Modalias(device), "\n"));
  file("uevent",
       absl::StrFormat("DRIVER=nvidia\nPCI_CLASS=%X\nPCI_ID=%04X:%04X\n"
                       "PCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=%s\n",
                       device.pci_class, device.pci_vendor, device.pci_device,
                       profile.pci_subsystem_vendor, profile.pci_subsystem_device, address,
                       Modalias(device)),
       0644);
  file("numa_node", "-1\n", 0644);
  file("local_cpus", absl::StrCat(host.local_cpus, "\n"));
  file("local_cpulist", absl::StrCat(host.local_cpulist, "\n"));
  file("enable", "1\n", 0644);
  file("power_state", "D0\n");
  file("dma_mask_bits", "52\n");
  file("consistent_dma_mask_bits", "52\n");
  file("broken_parity_status", "0\n", 0644);
  file("d3cold_allowed", "1\n", 0644);
  file("msi_bus", "1\n", 0644);
  file("ari_enabled", "0\n");
  file("driver_override", "(null)\n", 0644);
  file("max_link_speed", absl::StrCat(LinkSpeed(profile.pcie_generation), "\n"));
  file("current_link_speed", absl::StrCat(LinkSpeed(profile.pcie_generation), "\n"));
  file("max_link_width", absl::StrCat(profile.pcie_width, "\n"));
  file("current_link_width", absl::StrCat(profile.pcie_width, "\n"));
  file("power/control", "on\n", 0644);
  file("power/runtime_status", "active\n");
  // boot_vga is VGA controllers' alone (pci_dev_attrs_are_visible).
  if (device.pci_class >> 8 == 0x0300) file("boot_vga", "0\n");
  builder.Link(absl::StrCat(directory, "/subsystem"), "sys/bus/pci");
  builder.Link(absl::StrCat(directory, "/driver"), kDriver);

  builder.Alias(absl::StrCat(kDevices, "/", address), directory);
  builder.Alias(absl::StrCat(kDriver, "/", address), directory);
  if (is_new) builder.Merge(Parent(directory));
  // The driver that has the host's function does not have the virtual one.
  for (const auto& [path, names] : host.directories) {
    if (Parent(path) != kDrivers || !names.contains(address)) continue;
    builder.Alias(absl::StrCat(path, "/", address), directory);
  }
}

// What follows the version in /proc/driver/nvidia/version is a date of NVIDIA's build; there was
// none.
void AddProc(const device::Configuration& configuration, Builder& builder) {
  builder.Own(kProc);
  builder.File(absl::StrCat(kProc, "/version"),
               absl::StrFormat("NVRM version: NVIDIA UNIX x86_64 Kernel Module  %s  (virtual)\n",
                               configuration.driver.Version()));
  builder.File(absl::StrCat(kProc, "/params"),
               "DeviceFileUID: 0\nDeviceFileGID: 0\n"
               "DeviceFileMode: 438\nModifyDeviceFiles: 1\n");
  int minor = 0;
  for (const device::Device& device : configuration.All()) {
    std::string address = AddressText(device.pci);
    builder.File(absl::StrFormat("%s/gpus/%s/information", kProc, address),
                 absl::StrFormat("Model: \t\t %s\nIRQ:   \t\t 0\nGPU UUID: \t %s\n"
                                 "Video BIOS: \t %s\nBus Type: \t PCIe\nDMA Size: \t 52 bits\n"
                                 "DMA Mask: \t 0xfffffffffffff\nBus Location: \t %s\n"
                                 "Device Minor: \t %d\nGPU Excluded:\t No\n",
                                 device.Name(), UuidText(device.uuid), device.profile->vbios,
                                 address, minor++));
  }
}

void Put(std::string& bytes, size_t offset, int width, uint64_t value) {
  for (int i = 0; i < width; ++i) {
    bytes[offset + static_cast<size_t>(i)] = static_cast<char>((value >> (8 * i)) & 0xff);
  }
}

}  // namespace

std::string ConfigurationSpace(const device::Device& device) {
  const device::Profile& profile = *device.profile;
  std::string bytes(256, '\0');
  Put(bytes, 0x00, 2, device.pci_vendor);
  Put(bytes, 0x02, 2, device.pci_device);
  Put(bytes, 0x04, 2, 0x0406);  // command: memory, bus master, no INTx
  Put(bytes, 0x06, 2, 0x0010);  // status: has capabilities
  Put(bytes, 0x08, 1, profile.pci_revision);
  Put(bytes, 0x09, 3, device.pci_class);
  std::array<Region, 6> regions = Regions(device);
  for (size_t bar = 0; bar < regions.size(); ++bar) {
    if (regions[bar].size == 0) continue;
    bool wide = regions[bar].flags == kMemory64Prefetch;
    // Bits 1 and 2: 64 bits wide; bit 3: prefetchable.
    Put(bytes, 0x10 + 4 * bar, wide ? 8 : 4, regions[bar].start | (wide ? 0xc : 0));
  }
  Put(bytes, 0x2c, 2, profile.pci_subsystem_vendor);
  Put(bytes, 0x2e, 2, profile.pci_subsystem_device);
  Put(bytes, 0x34, 1, 0x60);  // the first capability
  // Power management, version 3: in D0.
  Put(bytes, 0x60, 1, 0x01);
  Put(bytes, 0x61, 1, 0x68);
  Put(bytes, 0x62, 2, 0x0003);
  // MSI, 64 bits, not enabled.
  Put(bytes, 0x68, 1, 0x05);
  Put(bytes, 0x69, 1, 0x78);
  Put(bytes, 0x6a, 2, 0x0080);
  // PCI Express, version 2, an endpoint.
  Put(bytes, 0x78, 1, 0x10);
  Put(bytes, 0x79, 1, 0x00);
  Put(bytes, 0x7a, 2, 0x0002);
  uint64_t generation = static_cast<uint64_t>(profile.pcie_generation);
  uint64_t width = static_cast<uint64_t>(profile.pcie_width);
  Put(bytes, 0x7c, 4, 0x00008001);  // 256-byte payload, role-based errors
  // Device control: 256-byte payload, 512-byte read requests, relaxed ordering, no snoop.
  Put(bytes, 0x80, 2, 0x2830);
  Put(bytes, 0x84, 4, generation | (width << 4));               // link capabilities
  Put(bytes, 0x8a, 2, generation | (width << 4));               // link status
  Put(bytes, 0xa4, 4, ((uint64_t{1} << generation) - 1) << 1);  // link capabilities 2: speeds
  Put(bytes, 0xa8, 2, generation);                              // link control 2: target speed
  return bytes;
}

Tree MakeTree(const device::Configuration& configuration, const HostPci& host) {
  Builder builder(host);
  builder.Own(kDriver);
  for (absl::string_view name : {"bind", "unbind", "new_id", "remove_id", "uevent"}) {
    builder.File(absl::StrCat(kDriver, "/", name), "", 0200);
  }
  for (const device::Device& device : configuration.All()) AddFunction(device, host, builder);
  AddProc(configuration, builder);
  builder.Merge(kDevices);
  builder.Merge(kDrivers);
  builder.Merge("proc/driver");
  return builder.Take();
}

std::string Manifest(const Tree& tree) {
  std::string text = "vgpu-tree 1\n";
  for (const std::string& path : tree.owned) absl::StrAppend(&text, "own ", path, "\n");
  for (const std::string& path : tree.merged) absl::StrAppend(&text, "merge ", path, "\n");
  for (const auto& [from, to] : tree.aliases) absl::StrAppend(&text, "alias ", from, " ", to, "\n");
  absl::StrAppend(&text, "end\n");
  return text;
}

}  // namespace vgpu::tree
