#include "shims/cuda/occupancy.h"

#include <algorithm>

namespace vgpu::cuda {
namespace {

// CUDA C++ Programming Guide 12.8, "Multiprocessor Level" and "Compute Capabilities", and the
// columns of Nsight Compute's occupancy calculator: a warp has 32 threads; registers are given out
// to a warp in units of 256, from one of four files, so that a block alone needs as many as if its
// warps were a multiple of four; shared memory in units of 128 bytes since compute capability 8.0,
// of 256 before.
constexpr int kWarp = 32;
constexpr int kRegisterUnit = 256;
constexpr int kRegisterFiles = 4;
constexpr int kMaxRegisters = 255;  // a thread

constexpr int RoundUp(int value, int unit) { return (value + unit - 1) / unit * unit; }

size_t SharedUnit(const device::Device& device) { return device.compute_major >= 8 ? 128 : 256; }

int BlocksByRegisters(const device::Profile& profile, int registers, int warps) {
  if (registers > kMaxRegisters) return 0;
  const int for_warp = RoundUp(registers * kWarp, kRegisterUnit);
  if (for_warp * RoundUp(warps, kRegisterFiles) > profile.registers_per_multiprocessor) return 0;
  const int in_file = profile.registers_per_multiprocessor / kRegisterFiles / for_warp;
  return in_file * kRegisterFiles / warps;
}

}  // namespace

int ActiveBlocks(const device::Device& device, const KernelNeeds& needs, int block_size) {
  const device::Profile& profile = *device.profile;
  if (block_size <= 0 || block_size > 1024) return 0;
  const int warps = (block_size + kWarp - 1) / kWarp;
  int blocks = std::min(profile.blocks_per_multiprocessor,
                        profile.threads_per_multiprocessor / kWarp / warps);
  if (needs.registers > 0) {
    blocks = std::min(blocks, BlocksByRegisters(profile, needs.registers, warps));
  }
  if (needs.shared_bytes > static_cast<size_t>(profile.shared_memory_per_block_optin)) return 0;
  const size_t unit = SharedUnit(device);
  const size_t taken = (needs.shared_bytes +
                        static_cast<size_t>(profile.shared_memory_reserved_per_block) + unit - 1) /
                       unit * unit;
  if (taken != 0) {
    const size_t fit = static_cast<size_t>(profile.shared_memory_per_multiprocessor) / taken;
    blocks = static_cast<int>(std::min<size_t>(static_cast<size_t>(blocks), fit));
  }
  return blocks;
}

size_t AvailableSharedBytes(const device::Device& device, const KernelNeeds& needs, int blocks) {
  const device::Profile& profile = *device.profile;
  if (blocks <= 0) return 0;
  const size_t unit = SharedUnit(device);
  const size_t each =
      static_cast<size_t>(profile.shared_memory_per_multiprocessor / blocks) / unit * unit;
  const size_t used =
      needs.shared_bytes + static_cast<size_t>(profile.shared_memory_reserved_per_block);
  if (each <= used) return 0;
  return std::min(
      each - used,
      static_cast<size_t>(profile.shared_memory_per_block_optin) -
          std::min(needs.shared_bytes, static_cast<size_t>(profile.shared_memory_per_block_optin)));
}

}  // namespace vgpu::cuda
