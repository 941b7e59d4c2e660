#include "diag/facts/shims.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

TEST(ShimsTest, KnownByTheNameOfTheFile) {
  EXPECT_EQ(ShimOf("/usr/lib64/libvgpu-cuda.so")->shim, Shim::kCuda);
  EXPECT_EQ(ShimOf("/opt/vgpu/lib/libvgpu-cudart.so.12")->shim, Shim::kCudart);
  EXPECT_TRUE(ShimOf("/opt/vgpu/lib/libvgpu-cuda.so.1")->named_as_shim);
}

TEST(ShimsTest, KnownByTheSonameThatProgramsAskFor) {
  EXPECT_EQ(ShimOf("/opt/vgpu/lib/libcuda.so.1")->shim, Shim::kCuda);
  EXPECT_FALSE(ShimOf("/opt/vgpu/lib/libcuda.so.1")->named_as_shim);
  EXPECT_EQ(ShimOf("libcudart.so.12.8.90")->shim, Shim::kCudart);
}

TEST(ShimsTest, OthersAreNone) {
  EXPECT_FALSE(ShimOf("/usr/lib/libcublas.so.12").has_value());
  EXPECT_FALSE(ShimOf("/usr/lib/libcudadebugger.so.1").has_value());
  EXPECT_FALSE(ShimOf("/usr/lib64/libvgpu.so").has_value());  // another product's
}

TEST(ShimsTest, WhatDiscoveryNeedsByEra) {
  EXPECT_TRUE(NeededIn(Shim::kCuda, ollama::Era::kA));
  EXPECT_FALSE(NeededIn(Shim::kCudart, ollama::Era::kA));
  EXPECT_TRUE(NeededIn(Shim::kCudart, ollama::Era::kC));
  EXPECT_FALSE(NeededIn(Shim::kSyscall, ollama::Era::kB));
  EXPECT_TRUE(NeededIn(Shim::kCuda, ollama::Era::kUnknown));
  EXPECT_FALSE(NeededIn(Shim::kCudart, ollama::Era::kUnknown));
}

}  // namespace
}  // namespace vgpu::facts
