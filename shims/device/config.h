// What a devices.toml means (contract: "devices.toml"; its form: shims/device/toml.h), and where
// this process's comes from.
//
//   [[device]], one to kMaxDevices times; all keys may be left out:
//     profile             id of one of AllProfiles(); the first is the default
//     pci_address         "0000:00:05.0"; the domain may have up to 8 digits, or be left out.
//                         The first device's default is 0000:00:05.0, each further one's the next
//                         device number of bus 0 that no other device has
//     uuid                "GPU-d110a105-ac29-1d54-7b49-9c90440f215b"; else DeriveUuid
//   and in place of the profile's:
//     name                text of 1 to 95 bytes of UTF-8 without control characters
//     memory_mib          1 to 2^30
//     compute_capability  "9.0"
//     pci_vendor_id, pci_device_id, pci_class      numbers of 16, 16 and 24 bits
//   [driver]
//     version             "570.124.06": numbers with points between
//     cuda_version        "12.8"
//
// No two devices have one address or UUID. Other tables and keys mean nothing here (the doctor
// names them), so that a file may be written for a version to come. A file without [[device]] is
// an error: a machine without a device needs no shims.
//
// Pure, but for LoadConfiguration, and thread-safe. Nothing allocates.

#ifndef SHIMS_DEVICE_CONFIG_H_
#define SHIMS_DEVICE_CONFIG_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "shims/device/device.h"

namespace vgpu::device {

inline constexpr PciAddress kDefaultPci = {.domain = 0, .bus = 0, .device = 5, .function = 0};
// What a driver of 2025 reports: CUDA 12.8, release 570.
inline constexpr std::string_view kDefaultDriver = "570.124.06";
inline constexpr int kDefaultCuda = 12080;

// A file that is larger is not believed to be one.
inline constexpr size_t kMaxConfigBytes = 65536;

// The UUID of a device that is given none: the first 16 bytes of SHA-256 over "vgpu device uuid",
// a NUL, the machine's id without blanks around it, a NUL, and the address as FormatPci writes it.
// So it stays what it is while the machine and the address do, differs between machines, and tells
// nobody the machine's id, as machine-id(5) asks for. All its bits are the hash's: NVIDIA's UUIDs
// have no fixed version or variant (GPU-9e8d35e3-a134-0fdd-0e01-23811fdbd293 is a real one). Never
// nil.
Uuid DeriveUuid(std::string_view machine_id, const PciAddress& address);

// Reads `named` (VGPU_CONFIG's value; null or empty: it names none), or else `default_file`, which
// need not exist: then DefaultConfiguration holds. `buffer` is for the text; what does not fit is
// an error. False: `*error` says why, with `file`.
bool LoadConfiguration(const char* named, const char* default_file, std::string_view machine_id,
                       std::span<char> buffer, Configuration* configuration, ConfigError* error);

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_CONFIG_H_
