// Devices that a test has for itself: what another process on this machine holds of its devices
// does not count against them.

#ifndef SHIMS_CUDA_TEST_DEVICES_H_
#define SHIMS_CUDA_TEST_DEVICES_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"

namespace vgpu::cuda {

// Two devices: 0 is an H100 and 1 a T4, with UUIDs of this process's. To be called before cuInit,
// which reads the configuration once.
inline void ConfigureTestDevices() {
  const std::string path = testing::TempDir() + "/devices." + std::to_string(getpid()) + ".toml";
  char uuid[64];
  std::snprintf(uuid, sizeof uuid, "GPU-%08x-0000-4000-8000-00000000000", getpid());
  std::ofstream(path) << "[[device]]\nuuid = \"" << uuid << "1\"\n"
                      << "[[device]]\nprofile = \"t4\"\nuuid = \"" << uuid << "2\"\n";
  setenv("VGPU_CONFIG", path.c_str(), 1);
  unsetenv("CUDA_VISIBLE_DEVICES");
  unsetenv("CUDA_DEVICE_ORDER");
}

// A test in a context on device 0 of those two.
class OnDeviceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ConfigureTestDevices();
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  }

  void SetUp() override {
    ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
    free_before_ = Free();
  }

  // Nothing that a test takes outlives it.
  void TearDown() override {
    EXPECT_EQ(Free(), free_before_);
    EXPECT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS);
  }

  static size_t Free() {
    size_t free_bytes = 0;
    size_t total = 0;
    EXPECT_EQ(cuMemGetInfo_v2(&free_bytes, &total), CUDA_SUCCESS);
    return free_bytes;
  }

  static CUdeviceptr Allocate(size_t size) {
    CUdeviceptr pointer = 0;
    EXPECT_EQ(cuMemAlloc_v2(&pointer, size), CUDA_SUCCESS);
    return pointer;
  }

  CUcontext context_ = nullptr;
  size_t free_before_ = 0;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_TEST_DEVICES_H_
