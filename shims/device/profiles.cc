#include <array>

#include "shims/device/device.h"

namespace vgpu::device {
namespace {

constexpr int kKib = 1024;
constexpr int kMib = 1024 * 1024;
constexpr int kMhz = 1000;   // in kHz
constexpr int kWatt = 1000;  // in mW

// nvml.h 12: nvmlBrandType_t, nvmlDeviceArchitecture_t.
constexpr int kBrandNvidia = 14;
constexpr int kTuring = 6, kAmpere = 7, kAda = 8, kHopper = 9, kBlackwell = 10;

constexpr Profile H100() {
  Profile p;
  p.id = "h100-80gb-hbm3";
  p.name = "NVIDIA H100 80GB HBM3";
  p.part_number = "692-2G520-0200-000";
  p.vbios = "96.00.74.00.01";
  p.nvml_architecture = kHopper;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x2331;
  p.pci_subsystem_device = 0x16c1;
  p.pcie_generation = 5;
  p.pcie_width = 16;
  p.bar1_mib = 131072;
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
  p.memory_mib = 81920;
  p.memory_bus_bits = 5120;
  p.l2_cache_bytes = 50 * kMib;
  p.persisting_l2_cache_bytes = 32768000;
  p.access_policy_window_bytes = 128 * kMib;
  p.ecc = true;
  p.max_sm_clock_khz = 1980 * kMhz;
  p.max_memory_clock_khz = 2619 * kMhz;
  p.max_video_clock_khz = 1545 * kMhz;
  p.idle_sm_clock_khz = 345 * kMhz;
  p.idle_memory_clock_khz = 2619 * kMhz;
  p.power_limit_mw = 700 * kWatt;
  p.min_power_limit_mw = 200 * kWatt;
  p.max_power_limit_mw = 700 * kWatt;
  p.idle_power_mw = 70 * kWatt;
  p.temperature_c = 30;
  p.shutdown_temperature_c = 92;
  p.slowdown_temperature_c = 89;
  p.max_operating_temperature_c = 87;
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
  p.part_number = "692-2G520-0280-000";
  p.vbios = "96.00.99.00.0D";
  p.pci_device = 0x2335;
  p.pci_subsystem_device = 0x18be;
  p.bar1_mib = 262144;
  p.memory_mib = 143771;
  p.memory_bus_bits = 6144;
  p.l2_cache_bytes = 60 * kMib;
  p.max_memory_clock_khz = 3201 * kMhz;
  p.idle_memory_clock_khz = 3201 * kMhz;
  return p;
}

constexpr Profile A100() {
  Profile p;
  p.id = "a100-80gb";
  p.name = "NVIDIA A100-SXM4-80GB";
  p.part_number = "692-2G506-0210-002";
  p.vbios = "92.00.45.00.05";
  p.nvml_architecture = kAmpere;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x20b2;
  p.pci_subsystem_device = 0x147f;
  p.pcie_generation = 4;
  p.pcie_width = 16;
  p.bar1_mib = 131072;
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
  p.memory_mib = 81920;
  p.memory_bus_bits = 5120;
  p.l2_cache_bytes = 40 * kMib;
  p.persisting_l2_cache_bytes = 30 * kMib;
  p.access_policy_window_bytes = 128 * kMib;
  p.ecc = true;
  p.max_sm_clock_khz = 1410 * kMhz;
  p.max_memory_clock_khz = 1593 * kMhz;
  p.max_video_clock_khz = 1290 * kMhz;
  p.idle_sm_clock_khz = 210 * kMhz;
  p.idle_memory_clock_khz = 1593 * kMhz;
  p.power_limit_mw = 400 * kWatt;
  p.min_power_limit_mw = 100 * kWatt;
  p.max_power_limit_mw = 400 * kWatt;
  p.idle_power_mw = 60 * kWatt;
  p.temperature_c = 30;
  p.shutdown_temperature_c = 92;
  p.slowdown_temperature_c = 89;
  p.max_operating_temperature_c = 85;
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
  p.part_number = "900-2G133-0080-000";
  p.vbios = "95.02.66.00.02";
  p.nvml_architecture = kAda;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x26b9;
  p.pci_subsystem_device = 0x1851;
  p.pcie_generation = 4;
  p.pcie_width = 16;
  p.bar1_mib = 65536;
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
  p.memory_mib = 46068;
  p.memory_bus_bits = 384;
  p.l2_cache_bytes = 96 * kMib;
  p.persisting_l2_cache_bytes = 66 * kMib;
  p.access_policy_window_bytes = 128 * kMib;
  p.ecc = true;
  p.max_sm_clock_khz = 2520 * kMhz;
  p.max_memory_clock_khz = 9001 * kMhz;
  p.max_video_clock_khz = 1965 * kMhz;
  p.idle_sm_clock_khz = 210 * kMhz;
  p.idle_memory_clock_khz = 405 * kMhz;
  p.power_limit_mw = 350 * kWatt;
  p.min_power_limit_mw = 100 * kWatt;
  p.max_power_limit_mw = 350 * kWatt;
  p.idle_power_mw = 35 * kWatt;
  p.idle_performance_state = 8;
  p.temperature_c = 30;
  p.shutdown_temperature_c = 100;
  p.slowdown_temperature_c = 97;
  p.max_operating_temperature_c = 89;
  p.encoders = 3;
  p.decoders = 3;
  return p;
}

constexpr Profile T4() {
  Profile p;
  p.id = "t4";
  p.name = "Tesla T4";
  p.part_number = "900-2G183-0000-001";
  p.vbios = "90.04.84.00.06";
  p.nvml_architecture = kTuring;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x1eb8;
  p.pci_subsystem_device = 0x12a2;
  p.pcie_generation = 3;
  p.pcie_width = 16;
  p.bar1_mib = 256;
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
  p.memory_mib = 15360;
  p.memory_bus_bits = 256;
  p.l2_cache_bytes = 4 * kMib;
  p.ecc = true;
  p.max_sm_clock_khz = 1590 * kMhz;
  p.max_memory_clock_khz = 5001 * kMhz;
  p.max_video_clock_khz = 1470 * kMhz;
  p.idle_sm_clock_khz = 300 * kMhz;
  p.idle_memory_clock_khz = 405 * kMhz;
  p.power_limit_mw = 70 * kWatt;
  p.min_power_limit_mw = 60 * kWatt;
  p.max_power_limit_mw = 70 * kWatt;
  p.idle_power_mw = 9 * kWatt;
  p.idle_performance_state = 8;
  p.temperature_c = 35;
  p.shutdown_temperature_c = 96;
  p.slowdown_temperature_c = 93;
  p.max_operating_temperature_c = 85;
  p.encoders = 1;
  p.decoders = 2;
  return p;
}

constexpr Profile B200() {
  Profile p;
  p.id = "b200";
  p.name = "NVIDIA B200";
  p.part_number = "692-2G525-0220-000";
  p.vbios = "97.00.82.00.13";
  p.nvml_architecture = kBlackwell;
  p.nvml_brand = kBrandNvidia;
  p.pci_device = 0x2901;
  p.pci_subsystem_device = 0x1999;
  p.pcie_generation = 5;
  p.pcie_width = 16;
  p.bar1_mib = 262144;
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
  p.memory_mib = 183359;
  p.memory_bus_bits = 7680;
  p.l2_cache_bytes = 132644864;
  p.persisting_l2_cache_bytes = 79 * kMib;
  p.access_policy_window_bytes = 128 * kMib;
  p.ecc = true;
  p.max_sm_clock_khz = 1965 * kMhz;
  p.max_memory_clock_khz = 3996 * kMhz;
  p.max_video_clock_khz = 1965 * kMhz;
  p.idle_sm_clock_khz = 120 * kMhz;
  p.idle_memory_clock_khz = 3996 * kMhz;
  p.power_limit_mw = 1000 * kWatt;
  p.min_power_limit_mw = 200 * kWatt;
  p.max_power_limit_mw = 1000 * kWatt;
  p.idle_power_mw = 140 * kWatt;
  p.temperature_c = 30;
  p.shutdown_temperature_c = 92;
  p.slowdown_temperature_c = 89;
  p.max_operating_temperature_c = 87;
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
