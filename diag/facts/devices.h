// The virtual devices that the shims are configured to show: /etc/vgpu/devices.toml, and
// the profiles that it names.
//
//   absl::StatusOr<DeviceConfig> config = ParseDeviceConfig(content.bytes);
//   config->devices[0].compute_capability        // "9.0"
//
// Pure; thread-safe.

#ifndef DIAG_FACTS_DEVICES_H_
#define DIAG_FACTS_DEVICES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::facts {

inline constexpr char kDeviceConfigFile[] = "/etc/vgpu/devices.toml";

// What a device of this kind says of itself.
struct DeviceProfile {
  absl::string_view id;    // "h100-80gb-hbm3"
  absl::string_view name;  // as the driver reports it
  int64_t memory_mib = 0;
  absl::string_view compute_capability;
  uint32_t pci_vendor_id = 0;
  uint32_t pci_device_id = 0;
  uint32_t pci_class = 0;
};

// The first is the default.
absl::Span<const DeviceProfile> AllProfiles();
// Null where there is none of this id.
const DeviceProfile* FindProfile(absl::string_view id);

// One device: its profile, and what the configuration overrides.
struct ConfiguredDevice {
  std::string profile;
  // "0000:00:05.0", in lower case. Empty for a further device that is given none.
  std::string pci_address;
  std::optional<std::string> uuid;  // "GPU-…", in lower case; nothing: it is derived
  std::string name;
  int64_t memory_mib = 0;
  bool memory_given = false;  // by the configuration, and not by the profile
  std::string compute_capability;
  uint32_t pci_vendor_id = 0;
  uint32_t pci_device_id = 0;
  uint32_t pci_class = 0;
  int line = 0;  // of its [[device]]; 0: it stands in no file
};

struct DeviceConfig {
  std::vector<ConfiguredDevice> devices;
  std::optional<std::string> driver_version;  // "570.124.06"
  std::optional<std::string> cuda_version;    // "12.8"
  std::vector<std::string> unknown;           // "line 4: memory_mb": keys that mean nothing
};

// What holds where there is no file: one device of the default profile.
DeviceConfig DefaultDeviceConfig();

// Errors are INVALID_ARGUMENT, "line 3: why", as the shims say them: what they do not take is not
// taken here (shims/device/doctor_agreement_test.cc).
absl::StatusOr<DeviceConfig> ParseDeviceConfig(absl::string_view text);

// A PCI address as sysfs writes it: "0000:00:05.0". Nothing for what is none; the domain
// may have eight digits (NVML), of which leading zeros are dropped, or be left out (lspci).
std::optional<std::string> CanonicalPciAddress(absl::string_view text);

// "GPU-" and 8-4-4-4-12 hexadecimal digits; in lower case. Nothing for what is none.
std::optional<std::string> CanonicalUuid(absl::string_view text);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_DEVICES_H_
