// The virtual devices: what every shim and the synthetic tree report of them.
//
//   const device::Configuration* configuration = device::Current();
//   if (configuration == nullptr) return CUDA_ERROR_…;   // broken; one log line has said why
//   for (const device::Device& device : configuration->All()) Use(device.name);
//
// No value about a device stands anywhere else: sysfs, NVML, the driver and the runtime take
// it from here, so they cannot differ. What a kind of GPU has in common is its Profile (a row
// of the table in profiles.cc, each number with its source); what one machine's device has is
// its Device (the profile, what devices.toml overrides, and its identity).
//
// Values only: nothing here allocates or throws. Thread-safe where nothing else is said.

#ifndef SHIMS_DEVICE_DEVICE_H_
#define SHIMS_DEVICE_DEVICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vgpu::device {

// NVML reports no more GPUs of one machine than drivers support, and neither do we.
inline constexpr int kMaxDevices = 16;
inline constexpr size_t kMaxName = 96;   // NVML_DEVICE_NAME_V2_BUFFER_SIZE, nvml.h 12
inline constexpr size_t kUuidText = 41;  // "GPU-" and 8-4-4-4-12 digits, and a NUL
inline constexpr size_t kPciText = 17;   // "ffffffff:00:05.0" and a NUL

struct PciAddress {
  uint32_t domain = 0;
  uint8_t bus = 0;
  uint8_t device = 0;
  uint8_t function = 0;

  friend constexpr bool operator==(const PciAddress&, const PciAddress&) = default;
  // The order of CUDA_DEVICE_ORDER=PCI_BUS_ID and of NVML's indices.
  friend constexpr auto operator<=>(const PciAddress&, const PciAddress&) = default;
};

struct Uuid {
  std::array<uint8_t, 16> bytes = {};

  friend constexpr bool operator==(const Uuid&, const Uuid&) = default;
};

// A kind of GPU. Units: bytes, kHz, mW, degrees Celsius, as the names say.
struct Profile {
  std::string_view id;    // "h100-80gb-hbm3"
  std::string_view name;  // as the driver reports it
  // Marketing and board.
  std::string_view part_number;  // of the board
  std::string_view vbios;
  int nvml_architecture = 0;  // nvmlDeviceArchitecture_t: 6 Turing, 7 Ampere, 8 Ada, 9 Hopper, …
  int nvml_brand = 0;         // nvmlBrandType_t
  // PCI.
  uint16_t pci_vendor = 0x10de;
  uint16_t pci_device = 0;
  uint16_t pci_subsystem_vendor = 0x10de;
  uint16_t pci_subsystem_device = 0;
  uint8_t pci_revision = 0xa1;
  uint32_t pci_class = 0x030200;
  int pcie_generation = 0;
  int pcie_width = 0;  // lanes
  uint64_t bar1_mib = 0;
  // Processors.
  int compute_major = 0;
  int compute_minor = 0;
  int multiprocessors = 0;
  int cores_per_multiprocessor = 0;
  int threads_per_multiprocessor = 0;
  int blocks_per_multiprocessor = 0;
  int registers_per_multiprocessor = 0;
  int shared_memory_per_block = 0;        // bytes
  int shared_memory_per_block_optin = 0;  // bytes
  int shared_memory_per_multiprocessor = 0;
  int shared_memory_reserved_per_block = 0;
  int copy_engines = 0;
  // Memory.
  uint64_t memory_mib = 0;
  int memory_bus_bits = 0;
  int l2_cache_bytes = 0;
  int persisting_l2_cache_bytes = 0;
  int access_policy_window_bytes = 0;
  bool ecc = false;
  // Clocks, power, heat: what an idle device and its limits show.
  int max_sm_clock_khz = 0;  // graphics and SM
  int max_memory_clock_khz = 0;
  int max_video_clock_khz = 0;
  int idle_sm_clock_khz = 0;
  int idle_memory_clock_khz = 0;
  int idle_video_clock_khz = 0;
  int power_limit_mw = 0;  // the default, enforced one
  int min_power_limit_mw = 0;
  int max_power_limit_mw = 0;
  int idle_power_mw = 0;
  // P0 to P15: HBM keeps its clock when there is nothing to do (P0), GDDR6 does not (P8).
  int idle_performance_state = 0;
  int temperature_c = 0;
  int shutdown_temperature_c = 0;
  int slowdown_temperature_c = 0;
  int max_operating_temperature_c = 0;
  int fans = 0;  // 0: cooled by the chassis
  // Engines and links.
  int encoders = 0;
  int decoders = 0;
  int nvlinks = 0;
  int nvlink_version = 0;
  bool mig = false;  // the kind can be partitioned; the virtual one never is
};

// All kinds; the first is the default.
std::span<const Profile> AllProfiles();
// Null where there is none of this id.
const Profile* FindProfile(std::string_view id);

// One virtual device.
struct Device {
  const Profile* profile = nullptr;
  // Of the profile unless devices.toml says otherwise.
  std::array<char, kMaxName> name = {};  // with its NUL
  uint64_t memory_bytes = 0;
  int compute_major = 0;
  int compute_minor = 0;
  uint16_t pci_vendor = 0;
  uint16_t pci_device = 0;
  uint32_t pci_class = 0;
  // Identity.
  PciAddress pci;
  Uuid uuid;

  std::string_view Name() const { return name.data(); }
};

struct Driver {
  std::array<char, 32> version = {};  // "570.124.06", with its NUL
  int cuda_version = 0;               // 1000 * major + 10 * minor: 12080

  std::string_view Version() const { return version.data(); }
};

struct Configuration {
  Driver driver;
  int count = 0;
  std::array<Device, kMaxDevices> devices = {};  // by PCI address, lowest first

  std::span<const Device> All() const { return {devices.data(), static_cast<size_t>(count)}; }
};

// Why a configuration is none.
struct ConfigError {
  std::array<char, 256> file = {};    // with its NUL
  int line = 0;                       // 0: the file as a whole
  std::array<char, 192> reason = {};  // with its NUL; made visible
};

inline constexpr char kConfigFile[] = "/etc/vgpu/devices.toml";

// From the text of a devices.toml (shims/device/config.h says what it means). `machine_id` is what
// UUIDs are derived from where none is given; any text, "" too. False: `*error` says why,
// without `file`.
bool ParseConfiguration(std::string_view text, std::string_view machine_id, Configuration* parsed,
                        ConfigError* error);

// What holds without a file: one device of the default profile at 0000:00:05.0.
void DefaultConfiguration(std::string_view machine_id, Configuration* configuration);

// This process's: of the file that VGPU_CONFIG names, else of /etc/vgpu/devices.toml, else the
// default one. Read at the first call and kept until the process ends, across fork too. Null: a
// file is there and cannot be read or means nothing, or VGPU_CONFIG names none; `library`
// (the caller: "libvgpu-cuda") has logged file, line and reason, once in each shim.
const Configuration* Current(std::string_view library);

// Text forms. Each writes its NUL.
// "0000:00:05.0"; the domain has at least four digits, as the kernel's names have.
void FormatPci(const PciAddress& address, std::span<char, kPciText> text);
void FormatUuid(const Uuid& uuid, std::span<char, kUuidText> text);  // "GPU-d110a105-…"
// And back; false: it is none. The domain may have 4 or 8 digits, or be left out.
bool ParsePci(std::string_view text, PciAddress* address);
bool ParseUuid(std::string_view text, Uuid* uuid);  // with "GPU-" before it

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_DEVICE_H_
