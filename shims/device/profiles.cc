#include <array>

#include "shims/device/device.h"

namespace vgpu::device {
namespace {

constexpr int kKib = 1024;
constexpr int kMib = 1024 * 1024;
constexpr int kMhz = 1000;   // in kHz
constexpr int kWatt = 1000;  // in mW

constexpr int kWindow = 128 * kMib - 4 * kKib;

// nvml.h 12: nvmlBrandType_t, nvmlDeviceArchitecture_t.
constexpr int kBrandNvidia = 14;
constexpr int kTuring = 6, kAmpere = 7, kAda = 8, kHopper = 9, kBlackwell = 10;

// Where the numbers are from:
//   [guide]   NVIDIA, CUDA C++ Programming Guide 12.8, "Technical Specifications per Compute
//             Capability", and the tuning guides of Turing, Ampere, Ada, Hopper and Blackwell
//   [smi]     what `nvidia-smi -q` printed on such a board: of NVIDIA/k8s-test-infra,
//             tests/e2e/go/assertions/nvidiasmi/testdata/hardware (H100, L40S and B200 of drivers
//             580 to 595; T4; A100-SXM4-40GB, whose board and limits are the 80 GB one's), and of
//             public reports (H200, driver 550; A100-SXM4-80GB, driver 470)
//   [query]   what CUDA's sample deviceQuery printed on one
//   [chips]   the list of supported chips of NVIDIA/open-gpu-kernel-modules (subsystem ids)
//   [sheet]   NVIDIA's data sheets and architecture white papers (engines, links)
//   [codec]   NVIDIA, Video Encode and Decode GPU Support Matrix
//   [ratio]   the part of the L2 cache that may be set aside on another board of the family: 3/4 on
//             the A100 (the guide's own figure), 11/16 on a GeForce RTX 4090 (measured)
//   [guess]   nothing better is known: what may be set aside of the L2 cache of Hopper and
//             Blackwell, and how large an access policy window may be
// Newer boards report temperatures by how far they are from a limit (T.Limit): where the limit is
// follows from one reading with both ("30 C, T.Limit 57 C").

constexpr Profile H100() {
  Profile p;
  p.id = "h100-80gb-hbm3";
  p.name = "NVIDIA H100 80GB HBM3";
  // [smi]
  p.part_number = "692-2G520-0200-000";
  p.vbios = "96.00.74.00.01";
  p.nvml_architecture = kHopper;
  p.nvml_brand = kBrandNvidia;
  // The contract's: 2331 is the PCIe board's in pci.ids, the SXM one's is 2330. [chips] [smi]
  p.pci_device = 0x2331;
  p.pci_subsystem_device = 0x16c1;
  p.pcie_generation = 5;
  p.pcie_width = 16;
  p.bar1_mib = 131072;
  // [guide] [query]
  p.compute_major = 9;
  p.compute_minor = 0;
  p.multiprocessors = 132;
  p.cores_per_multiprocessor = 128;
  p.threads_per_multiprocessor = 2048;
  p.blocks_per_multiprocessor = 32;
  p.registers_per_multiprocessor = 65536;
  p.shared_memory_per_block = 48 * kKib;
  p.shared_memory_per_block_optin = 227 * kKib;
  p.shared_memory_per_multiprocessor = 228 * kKib;
  p.shared_memory_reserved_per_block = 1 * kKib;
  p.copy_engines = 3;
  // The contract's: nvidia-smi shows 81559 MiB of a real one. [query] [guess]
  p.memory_mib = 81920;
  p.memory_bus_bits = 5120;
  p.l2_cache_bytes = 50 * kMib;
  p.persisting_l2_cache_bytes = 50 * kMib / 8 * 5;
  p.access_policy_window_bytes = kWindow;
  p.ecc = true;
  // [smi]
  p.max_sm_clock_khz = 1980 * kMhz;
  p.max_memory_clock_khz = 2619 * kMhz;
  p.max_video_clock_khz = 1545 * kMhz;
  p.idle_sm_clock_khz = 345 * kMhz;
  p.idle_memory_clock_khz = 2619 * kMhz;
  p.idle_video_clock_khz = 765 * kMhz;
  p.power_limit_mw = 700 * kWatt;
  p.min_power_limit_mw = 200 * kWatt;
  p.max_power_limit_mw = 700 * kWatt;
  p.idle_power_mw = 70 * kWatt;
  p.temperature_c = 30;
  p.shutdown_temperature_c = 95;
  p.slowdown_temperature_c = 89;
  p.max_operating_temperature_c = 87;
  // [codec] [sheet]
  p.decoders = 7;
  p.nvlinks = 18;
  p.nvlink_version = 4;
  p.mig = true;
  return p;
}

constexpr Profile H200() {
  Profile p = H100();
  p.id = "h200-141gb";
  p.name = "NVIDIA H200";
  // [smi] [chips]
  p.part_number = "695-2G520-0280-000";
  p.vbios = "96.00.A5.00.03";
  p.pci_device = 0x2335;
  p.pci_subsystem_device = 0x18be;
  p.bar1_mib = 262144;
  // [smi] [query] [guess]
  p.memory_mib = 143771;
  p.memory_bus_bits = 6144;
  p.l2_cache_bytes = 60 * kMib;
  p.persisting_l2_cache_bytes = 60 * kMib / 8 * 5;
  // [smi]
  p.max_memory_clock_khz = 3201 * kMhz;
  p.idle_memory_clock_khz = 3201 * kMhz;
  p.idle_power_mw = 75 * kWatt;
  p.temperature_c = 28;
  return p;
}

constexpr Profile A100() {
  Profile p;
  p.id = "a100-80gb";
  p.name = "NVIDIA A100-SXM4-80GB";
  // [smi]
  p.part_number = "692-2G506-0210-002";
  p.vbios = "92.00.45.00.05";
  p.nvml_architecture = kAmpere;
  p.nvml_brand = kBrandNvidia;
  // [chips] [smi]
  p.pci_device = 0x20b2;
  p.pci_subsystem_device = 0x147f;
  p.pcie_generation = 4;
  p.pcie_width = 16;
  p.bar1_mib = 131072;
  // [guide] [query]
  p.compute_major = 8;
  p.compute_minor = 0;
  p.multiprocessors = 108;
  p.cores_per_multiprocessor = 64;
  p.threads_per_multiprocessor = 2048;
  p.blocks_per_multiprocessor = 32;
  p.registers_per_multiprocessor = 65536;
  p.shared_memory_per_block = 48 * kKib;
  p.shared_memory_per_block_optin = 163 * kKib;
  p.shared_memory_per_multiprocessor = 164 * kKib;
  p.shared_memory_reserved_per_block = 1 * kKib;
  p.copy_engines = 3;
  // [smi] [query] [ratio]
  p.memory_mib = 81920;
  p.memory_bus_bits = 5120;
  p.l2_cache_bytes = 40 * kMib;
  p.persisting_l2_cache_bytes = 30 * kMib;
  p.access_policy_window_bytes = kWindow;
  p.ecc = true;
  // [query]: the memory's clock; [smi]
  p.max_sm_clock_khz = 1410 * kMhz;
  p.max_memory_clock_khz = 1593 * kMhz;
  p.max_video_clock_khz = 1290 * kMhz;
  p.idle_sm_clock_khz = 210 * kMhz;
  p.idle_memory_clock_khz = 1593 * kMhz;
  p.idle_video_clock_khz = 585 * kMhz;
  p.power_limit_mw = 400 * kWatt;
  p.min_power_limit_mw = 100 * kWatt;
  p.max_power_limit_mw = 400 * kWatt;
  p.idle_power_mw = 50 * kWatt;
  p.temperature_c = 33;
  p.shutdown_temperature_c = 92;
  p.slowdown_temperature_c = 89;
  p.max_operating_temperature_c = 85;
  // [codec] [sheet]
  p.decoders = 5;
  p.nvlinks = 12;
  p.nvlink_version = 3;
  p.mig = true;
  return p;
}

constexpr Profile L40s() {
  Profile p;
  p.id = "l40s";
  p.name = "NVIDIA L40S";
  // [smi]
  p.part_number = "900-2G133-A880-000";
  p.vbios = "95.02.66.00.15";
  p.nvml_architecture = kAda;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x26b9;
  p.pci_subsystem_device = 0x1851;
  p.pcie_generation = 4;
  p.pcie_width = 16;
  p.bar1_mib = 65536;
  // [guide] [query]
  p.compute_major = 8;
  p.compute_minor = 9;
  p.multiprocessors = 142;
  p.cores_per_multiprocessor = 128;
  p.threads_per_multiprocessor = 1536;
  p.blocks_per_multiprocessor = 24;
  p.registers_per_multiprocessor = 65536;
  p.shared_memory_per_block = 48 * kKib;
  p.shared_memory_per_block_optin = 99 * kKib;
  p.shared_memory_per_multiprocessor = 100 * kKib;
  p.shared_memory_reserved_per_block = 1 * kKib;
  p.copy_engines = 2;
  // [smi] [query] [ratio]
  p.memory_mib = 46068;
  p.memory_bus_bits = 384;
  p.l2_cache_bytes = 96 * kMib;
  p.persisting_l2_cache_bytes = 96 * kMib / 16 * 11;
  p.access_policy_window_bytes = kWindow;
  p.ecc = true;
  // [smi]; [guess]: the idle ones, which the board that was read does not show
  p.max_sm_clock_khz = 2520 * kMhz;
  p.max_memory_clock_khz = 9001 * kMhz;
  p.max_video_clock_khz = 1965 * kMhz;
  p.idle_sm_clock_khz = 210 * kMhz;
  p.idle_memory_clock_khz = 405 * kMhz;
  p.idle_video_clock_khz = 1185 * kMhz;
  p.power_limit_mw = 350 * kWatt;
  p.min_power_limit_mw = 100 * kWatt;
  p.max_power_limit_mw = 350 * kWatt;
  p.idle_power_mw = 35 * kWatt;
  p.idle_performance_state = 8;
  p.temperature_c = 29;
  p.shutdown_temperature_c = 93;
  p.slowdown_temperature_c = 90;
  p.max_operating_temperature_c = 88;
  // [codec]
  p.encoders = 3;
  p.decoders = 3;
  return p;
}

constexpr Profile T4() {
  Profile p;
  p.id = "t4";
  p.name = "Tesla T4";
  // [smi]
  p.part_number = "900-2G183-A800-001";
  p.vbios = "90.04.96.00.02";
  p.nvml_architecture = kTuring;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x1eb8;
  p.pci_subsystem_device = 0x12a2;
  p.pcie_generation = 3;
  p.pcie_width = 16;
  p.bar1_mib = 256;
  // [guide] [query]
  p.compute_major = 7;
  p.compute_minor = 5;
  p.multiprocessors = 40;
  p.cores_per_multiprocessor = 64;
  p.threads_per_multiprocessor = 1024;
  p.blocks_per_multiprocessor = 16;
  p.registers_per_multiprocessor = 65536;
  p.shared_memory_per_block = 48 * kKib;
  p.shared_memory_per_block_optin = 64 * kKib;
  p.shared_memory_per_multiprocessor = 64 * kKib;
  p.copy_engines = 3;
  // [smi] [query]
  p.memory_mib = 15360;
  p.memory_bus_bits = 256;
  p.l2_cache_bytes = 4 * kMib;
  p.ecc = true;
  // [smi]; the idle ones of public reports of idle boards (P8)
  p.max_sm_clock_khz = 1590 * kMhz;
  p.max_memory_clock_khz = 5001 * kMhz;
  p.max_video_clock_khz = 1470 * kMhz;
  p.idle_sm_clock_khz = 300 * kMhz;
  p.idle_memory_clock_khz = 405 * kMhz;
  p.idle_video_clock_khz = 540 * kMhz;
  p.power_limit_mw = 70 * kWatt;
  p.min_power_limit_mw = 60 * kWatt;
  p.max_power_limit_mw = 70 * kWatt;
  p.idle_power_mw = 9 * kWatt;
  p.idle_performance_state = 8;
  p.temperature_c = 33;
  p.shutdown_temperature_c = 96;
  p.slowdown_temperature_c = 93;
  p.max_operating_temperature_c = 85;
  // [codec]
  p.encoders = 1;
  p.decoders = 2;
  return p;
}

constexpr Profile B200() {
  Profile p;
  p.id = "b200";
  p.name = "NVIDIA B200";
  // [smi]
  p.part_number = "692-2G525-0220-500";
  p.vbios = "97.00.FA.00.09";
  p.nvml_architecture = kBlackwell;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x2901;
  p.pci_subsystem_device = 0x1999;
  p.pcie_generation = 5;
  p.pcie_width = 16;
  p.bar1_mib = 262144;
  // [guide] [query]; [guess]: copy engines
  p.compute_major = 10;
  p.compute_minor = 0;
  p.multiprocessors = 148;
  p.cores_per_multiprocessor = 128;
  p.threads_per_multiprocessor = 2048;
  p.blocks_per_multiprocessor = 32;
  p.registers_per_multiprocessor = 65536;
  p.shared_memory_per_block = 48 * kKib;
  p.shared_memory_per_block_optin = 227 * kKib;
  p.shared_memory_per_multiprocessor = 228 * kKib;
  p.shared_memory_reserved_per_block = 1 * kKib;
  p.copy_engines = 4;
  // [smi] [query] [guess]
  p.memory_mib = 183359;
  p.memory_bus_bits = 7680;
  p.l2_cache_bytes = 126 * kMib + 512 * kKib;
  p.persisting_l2_cache_bytes = (126 * kMib + 512 * kKib) / 8 * 5;
  p.access_policy_window_bytes = kWindow;
  p.ecc = true;
  // [smi]
  p.max_sm_clock_khz = 1965 * kMhz;
  p.max_memory_clock_khz = 3996 * kMhz;
  p.max_video_clock_khz = 1965 * kMhz;
  p.idle_sm_clock_khz = 120 * kMhz;
  p.idle_memory_clock_khz = 3996 * kMhz;
  p.idle_video_clock_khz = 600 * kMhz;
  p.power_limit_mw = 1000 * kWatt;
  p.min_power_limit_mw = 200 * kWatt;
  p.max_power_limit_mw = 1000 * kWatt;
  p.idle_power_mw = 196 * kWatt;
  p.temperature_c = 39;
  p.shutdown_temperature_c = 93;
  p.slowdown_temperature_c = 91;
  p.max_operating_temperature_c = 88;
  // [codec] [sheet]
  p.decoders = 7;
  p.nvlinks = 18;
  p.nvlink_version = 5;
  p.mig = true;
  return p;
}

constexpr Profile kProfiles[] = {H100(), H200(), A100(), L40s(), T4(), B200()};

}  // namespace

std::span<const Profile> AllProfiles() { return kProfiles; }

const Profile* FindProfile(std::string_view id) {
  for (const Profile& profile : kProfiles) {
    if (profile.id == id) return &profile;
  }
  return nullptr;
}

}  // namespace vgpu::device
