// What tests of the driver API share: a driver that is initialised, and a context.

#ifndef SHIMS_CUDA_DRIVER_FIXTURE_H_
#define SHIMS_CUDA_DRIVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "shims/cuda/driver_api.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {

class DriverFixture : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
  }
  void TearDown() override { EXPECT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS); }

  static CUdeviceptr Allocate(size_t size) {
    CUdeviceptr pointer = 0;
    EXPECT_EQ(cuMemAlloc_v2(&pointer, size), CUDA_SUCCESS);
    return pointer;
  }

  static std::vector<uint8_t> Read(CUdeviceptr pointer, size_t size) {
    std::vector<uint8_t> bytes(size);
    EXPECT_EQ(cuMemcpyDtoH_v2(bytes.data(), pointer, size), CUDA_SUCCESS);
    return bytes;
  }

  static CUstream Stream(unsigned flags = CU_STREAM_NON_BLOCKING) {
    CUstream stream = nullptr;
    EXPECT_EQ(cuStreamCreate(&stream, flags), CUDA_SUCCESS);
    return stream;
  }

  static CUevent Event(unsigned flags = CU_EVENT_DEFAULT) {
    CUevent event = nullptr;
    EXPECT_EQ(cuEventCreate(&event, flags), CUDA_SUCCESS);
    return event;
  }

  CUcontext context_ = nullptr;
};

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_DRIVER_FIXTURE_H_
