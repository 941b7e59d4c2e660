#include "shims/cuda/occupancy.h"

#include <gtest/gtest.h>

namespace vgpu::cuda {
namespace {

device::Device Of(const char* profile) {
  device::Device device;
  device.profile = device::FindProfile(profile);
  EXPECT_NE(device.profile, nullptr) << profile;
  device.compute_major = device.profile->compute_major;
  device.compute_minor = device.profile->compute_minor;
  return device;
}

// Worked out by hand; exports_test.py compares all shapes with NVIDIA's calculator.
TEST(Occupancy, IsLimitedByThreadsBlocksRegistersAndSharedMemory) {
  const device::Device h100 = Of("h100-80gb-hbm3");
  struct Case {
    int threads;
    int registers;
    size_t shared;
    int blocks;
  };
  for (const Case& c : {
           Case{1024, 32, 0, 2},      // threads
           Case{256, 32, 0, 8},       // threads
           Case{32, 16, 0, 32},       // blocks
           Case{33, 16, 0, 32},       // two warps: 32 blocks of 2 are 64 warps
           Case{256, 64, 0, 4},       // registers: 2048 a warp, 32 warps
           Case{1024, 64, 0, 1},      // registers
           Case{1024, 65, 0, 0},      // too many for a block of this size
           Case{256, 33, 0, 6},       // 1280 a warp: 12 warps in each file, 48
           Case{256, 32, 49152, 4},   // 49152 + 1024 of 233472
           Case{256, 32, 232448, 1},  // all that a block can have
           Case{256, 32, 232449, 0},
       }) {
    EXPECT_EQ(ActiveBlocks(h100, {.registers = c.registers, .shared_bytes = c.shared}, c.threads),
              c.blocks)
        << c.threads << " threads, " << c.registers << " registers, " << c.shared << " bytes";
  }
  EXPECT_EQ(ActiveBlocks(h100, {}, 0), 0);
  EXPECT_EQ(ActiveBlocks(h100, {}, 1025), 0);
}

TEST(Occupancy, DependsOnTheDevice) {
  EXPECT_EQ(ActiveBlocks(Of("t4"), {.registers = 32}, 1024), 1);
  EXPECT_EQ(ActiveBlocks(Of("l40s"), {.registers = 32}, 512), 3);
}

TEST(Occupancy, TellsWhatSharedMemoryIsLeft) {
  const device::Device h100 = Of("h100-80gb-hbm3");
  for (int blocks = 1; blocks <= 8; ++blocks) {
    const size_t bytes = AvailableSharedBytes(h100, {.registers = 32}, blocks);
    EXPECT_GT(bytes, 0u);
    EXPECT_GE(ActiveBlocks(h100, {.registers = 32, .shared_bytes = bytes}, 256), blocks);
  }
  EXPECT_EQ(AvailableSharedBytes(h100, {}, 1), 232448u);
}

}  // namespace
}  // namespace vgpu::cuda
