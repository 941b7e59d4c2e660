#include "diag/facts/devices.h"

#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/toml/toml.h"
#include "re2/re2.h"

namespace vgpu::facts {
namespace {

constexpr char kDefaultAddress[] = "0000:00:05.0";
// What the shims can show: drivers support no more devices, and NVML no longer names.
constexpr size_t kMaxDevices = 16;
constexpr size_t kMaxName = 95;
constexpr uint32_t kNvidia = 0x10de;          // pci.ids
constexpr uint32_t k3dController = 0x030200;  // PCI Code and ID Assignment: display, 3D

// Compute capabilities: NVIDIA, CUDA GPU Compute Capability
// (developer.nvidia.com/cuda/gpus). Device ids: the PCI ID repository
// (pci-ids.ucw.cz/read/PC/10de), each line with its words. Memory: what nvidia-smi of such
// a card reports (NVIDIA's data sheets round to GB); the default profile's is its contract.
constexpr DeviceProfile kProfiles[] = {
    // 2331: GH100 [H100 PCIe]. Compute capability 9.0.
    {"h100-80gb-hbm3", "NVIDIA H100 80GB HBM3", 81920, "9.0", kNvidia, 0x2331, k3dController},
    // 2335: GH100 [H200 SXM 141GB]. 9.0; 143771MiB.
    {"h200-141gb", "NVIDIA H200", 143771, "9.0", kNvidia, 0x2335, k3dController},
    // 20b2: GA100 [A100 SXM4 80GB]. 8.0; 81920MiB.
    {"a100-80gb", "NVIDIA A100-SXM4-80GB", 81920, "8.0", kNvidia, 0x20b2, k3dController},
    // 26b9: AD102GL [L40S]. 8.9; 46068MiB.
    {"l40s", "NVIDIA L40S", 46068, "8.9", kNvidia, 0x26b9, k3dController},
    // 1eb8: TU104GL [Tesla T4]. 7.5; 15360MiB.
    {"t4", "Tesla T4", 15360, "7.5", kNvidia, 0x1eb8, k3dController},
    // 2901: GB100 [B200]. 10.0; 183359MiB.
    {"b200", "NVIDIA B200", 183359, "10.0", kNvidia, 0x2901, k3dController},
};

ConfiguredDevice DeviceOf(const DeviceProfile& profile) {
  ConfiguredDevice device;
  device.profile = std::string(profile.id);
  device.name = std::string(profile.name);
  device.memory_mib = profile.memory_mib;
  device.compute_capability = std::string(profile.compute_capability);
  device.pci_vendor_id = profile.pci_vendor_id;
  device.pci_device_id = profile.pci_device_id;
  device.pci_class = profile.pci_class;
  return device;
}

absl::Status Wrong(const toml::Key& key, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", key.line, ": ", key.name, ": ", why));
}

absl::StatusOr<std::string> Text(const toml::Key& key) {
  if (const auto* text = std::get_if<std::string>(&key.value)) return *text;
  return Wrong(key, "a text in quotes is wanted");
}

// A number from 0 to `most`.
absl::StatusOr<uint32_t> Number(const toml::Key& key, int64_t most) {
  const auto* number = std::get_if<int64_t>(&key.value);
  if (number == nullptr) return Wrong(key, "a number without quotes is wanted");
  if (*number < 0 || *number > most) return Wrong(key, "out of range");
  return static_cast<uint32_t>(*number);
}

// One key of [[device]]. False: it means nothing here.
absl::StatusOr<bool> Apply(const toml::Key& key, ConfiguredDevice& device) {
  constexpr int64_t kMaxMemoryMib = int64_t{1} << 30;  // a PiB
  if (key.name == "profile") return true;              // read before all others
  if (key.name == "memory_mib") {
    absl::StatusOr<uint32_t> number = Number(key, kMaxMemoryMib);
    if (!number.ok()) return number.status();
    if (*number == 0) return Wrong(key, "out of range");
    device.memory_mib = *number;
    device.memory_given = true;
    return true;
  }
  const std::pair<absl::string_view, std::pair<uint32_t*, int64_t>> numbers[] = {
      {"pci_vendor_id", {&device.pci_vendor_id, 0xffff}},
      {"pci_device_id", {&device.pci_device_id, 0xffff}},
      {"pci_class", {&device.pci_class, 0xffffff}},
  };
  for (const auto& [name, target] : numbers) {
    if (key.name != name) continue;
    absl::StatusOr<uint32_t> number = Number(key, target.second);
    if (!number.ok()) return number.status();
    *target.first = *number;
    return true;
  }
  if (key.name != "pci_address" && key.name != "uuid" && key.name != "name" &&
      key.name != "compute_capability") {
    return false;
  }
  absl::StatusOr<std::string> text = Text(key);
  if (!text.ok()) return text.status();
  if (key.name == "pci_address") {
    std::optional<std::string> address = CanonicalPciAddress(*text);
    if (!address) return Wrong(key, "not of the form 0000:00:05.0");
    device.pci_address = *std::move(address);
  } else if (key.name == "uuid") {
    device.uuid = CanonicalUuid(*text);
    if (!device.uuid) return Wrong(key, "not of the form GPU-8-4-4-4-12 hexadecimal digits");
  } else if (key.name == "name") {
    if (text->size() > kMaxName) return Wrong(key, "longer than 95 bytes");
    if (text->empty()) return Wrong(key, "empty");
    device.name = *std::move(text);
  } else {
    static const RE2& form = *new RE2("[0-9]{1,3}\\.[0-9]");
    if (!RE2::FullMatch(re2::StringPiece(text->data(), text->size()), form)) {
      return Wrong(key, "not of the form 9.0");
    }
    device.compute_capability = *std::move(text);
  }
  return true;
}

absl::StatusOr<ConfiguredDevice> ReadDevice(const toml::Table& table, bool first,
                                            std::vector<std::string>& unknown) {
  const DeviceProfile* profile = &kProfiles[0];
  for (const toml::Key& key : table.keys) {
    if (key.name != "profile") continue;
    absl::StatusOr<std::string> id = Text(key);
    if (!id.ok()) return id.status();
    profile = FindProfile(*id);
    if (profile == nullptr) {
      return Wrong(key, absl::StrCat("there is no profile ", *id, "; there are ",
                                     absl::StrJoin(kProfiles, ", ",
                                                   [](std::string* out, const DeviceProfile& p) {
                                                     absl::StrAppend(out, p.id);
                                                   })));
    }
  }
  ConfiguredDevice device = DeviceOf(*profile);
  if (first) device.pci_address = kDefaultAddress;
  device.line = table.line;
  for (const toml::Key& key : table.keys) {
    absl::StatusOr<bool> known = Apply(key, device);
    if (!known.ok()) return known.status();
    if (!*known) unknown.push_back(absl::StrCat("line ", key.line, ": ", key.name));
  }
  return device;
}

// One key of [driver].
absl::Status ApplyToDriver(const toml::Key& key, DeviceConfig& config) {
  static const RE2& version_form = *new RE2("[0-9]+(\\.[0-9]+)*");
  static const RE2& cuda_form = *new RE2("[0-9]{1,2}\\.[0-9]{1,2}");
  // A driver keeps its version in 32 bytes, with a NUL.
  constexpr size_t kMaxVersion = 31;
  const bool is_version = key.name == "version";
  if (!is_version && key.name != "cuda_version") {
    config.unknown.push_back(absl::StrCat("line ", key.line, ": ", key.name));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> text = Text(key);
  if (!text.ok()) return text.status();
  const re2::StringPiece piece(text->data(), text->size());
  if (is_version && (text->size() > kMaxVersion || !RE2::FullMatch(piece, version_form))) {
    return Wrong(key, "not of the form 570.124.06");
  }
  if (!is_version && !RE2::FullMatch(piece, cuda_form)) return Wrong(key, "not of the form 12.8");
  (is_version ? config.driver_version : config.cuda_version) = *std::move(text);
  return absl::OkStatus();
}

// Two devices cannot have one address, or one UUID. Those that are given no address get a free one.
absl::Status AllDiffer(const std::vector<const toml::Table*>& tables, const DeviceConfig& config) {
  const auto wrong = [&](size_t device, absl::string_view name, size_t other) {
    int line = tables[device]->line;
    for (const toml::Key& key : tables[device]->keys) {
      if (key.name == name) line = key.line;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "line ", line, ": ", name, ": the device of line ", tables[other]->line, " has it too"));
  };
  for (size_t i = 0; i < config.devices.size(); ++i) {
    const ConfiguredDevice& one = config.devices[i];
    for (size_t j = 0; j < i; ++j) {
      const ConfiguredDevice& other = config.devices[j];
      if (!one.pci_address.empty() && one.pci_address == other.pci_address) {
        return wrong(i, "pci_address", j);
      }
      if (one.uuid && one.uuid == other.uuid) return wrong(i, "uuid", j);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const DeviceProfile> AllProfiles() { return kProfiles; }

const DeviceProfile* FindProfile(absl::string_view id) {
  for (const DeviceProfile& profile : kProfiles) {
    if (profile.id == id) return &profile;
  }
  return nullptr;
}

DeviceConfig DefaultDeviceConfig() {
  DeviceConfig config;
  config.devices.push_back(DeviceOf(kProfiles[0]));
  config.devices.back().pci_address = kDefaultAddress;
  return config;
}

absl::StatusOr<DeviceConfig> ParseDeviceConfig(absl::string_view text) {
  absl::StatusOr<std::vector<toml::Table>> tables = toml::ParseToml(text);
  if (!tables.ok()) return tables.status();
  DeviceConfig config;
  std::vector<const toml::Table*> device_tables;
  for (const toml::Table& table : *tables) {
    if (table.name == "device" && !table.of_array) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", table.line, ": [device] should be [[device]]"));
    }
    if (table.name == "device") {
      if (config.devices.size() == kMaxDevices) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", table.line, ": more than 16 devices"));
      }
      device_tables.push_back(&table);
      absl::StatusOr<ConfiguredDevice> device =
          ReadDevice(table, config.devices.empty(), config.unknown);
      if (!device.ok()) return device.status();
      config.devices.push_back(*std::move(device));
      continue;
    }
    for (const toml::Key& key : table.keys) {
      if (table.name != "driver") {
        config.unknown.push_back(absl::StrCat("line ", key.line, ": ", key.name));
      } else if (absl::Status status = ApplyToDriver(key, config); !status.ok()) {
        return status;
      }
    }
  }
  if (config.devices.empty()) return absl::InvalidArgumentError("line 1: no [[device]] follows");
  if (absl::Status status = AllDiffer(device_tables, config); !status.ok()) return status;
  return config;
}

std::optional<std::string> CanonicalPciAddress(absl::string_view text) {
  static const RE2& form = *new RE2("(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\\.([0-7])");
  const std::string lower = absl::AsciiStrToLower(text);
  std::string domain, bus, device, function;
  if (!RE2::FullMatch(lower, form, &domain, &bus, &device, &function)) return std::nullopt;
  while (domain.size() > 4 && domain.front() == '0') domain.erase(0, 1);
  if (domain.empty()) domain = "0000";
  return absl::StrCat(domain, ":", bus, ":", device, ".", function);
}

std::optional<std::string> CanonicalUuid(absl::string_view text) {
  static const RE2& form =
      *new RE2("gpu-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})");
  const std::string lower = absl::AsciiStrToLower(text);
  std::string digits;
  if (!RE2::FullMatch(lower, form, &digits)) return std::nullopt;
  return absl::StrCat("GPU-", digits);
}

}  // namespace vgpu::facts
