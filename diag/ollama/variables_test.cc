#include "diag/ollama/variables.h"

#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

TEST(VariablesTest, TheLoadersAndTheDevices) {
  EXPECT_TRUE(DecidesDiscovery("LD_PRELOAD"));
  EXPECT_TRUE(DecidesDiscovery("CUDA_VISIBLE_DEVICES"));
  EXPECT_TRUE(DecidesDiscovery("VGPU_CONFIG"));
}

TEST(VariablesTest, WhatChangesNothing) {
  EXPECT_FALSE(DecidesDiscovery("OLLAMA_LIBRARY_PATH"));
  EXPECT_FALSE(DecidesDiscovery("OLLAMA_HOST"));
  EXPECT_FALSE(DecidesDiscovery("LD_PRELOAD_"));
}

}  // namespace
}  // namespace vgpu::ollama
