// The first things that a client does, in the order in which Ollama and ggml do them.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"

namespace {

TEST(Driver, BeforeCuInitNothingWorks) {
  int count;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuDeviceGetCount(nullptr), CUDA_ERROR_NOT_INITIALIZED);
  CUdeviceptr pointer;
  EXPECT_EQ(cuMemAlloc_v2(&pointer, 1), CUDA_ERROR_NOT_INITIALIZED);
  int version = 0;
  EXPECT_EQ(cuDriverGetVersion(&version), CUDA_SUCCESS);
  EXPECT_EQ(version, 12080);
  EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
}

class Discovery : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(cuInit(0), CUDA_SUCCESS); }
};

TEST_F(Discovery, ShowsTheDefaultDevice) {
  int count = 0;
  ASSERT_EQ(cuDeviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1);
  CUdevice device = -1;
  ASSERT_EQ(cuDeviceGet(&device, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuDeviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGet(&device, -1), CUDA_ERROR_INVALID_DEVICE);
  char name[100];
  ASSERT_EQ(cuDeviceGetName(name, sizeof name, 0), CUDA_SUCCESS);
  EXPECT_STREQ(name, "NVIDIA H100 80GB HBM3");
  ASSERT_EQ(cuDeviceGetName(name, 7, 0), CUDA_SUCCESS);
  EXPECT_STREQ(name, "NVIDIA");
  size_t bytes = 0;
  ASSERT_EQ(cuDeviceTotalMem_v2(&bytes, 0), CUDA_SUCCESS);
  EXPECT_EQ(bytes, size_t{81920} << 20);
  unsigned clamped = 0;
  ASSERT_EQ(cuDeviceTotalMem(&clamped, 0), CUDA_SUCCESS);
  EXPECT_EQ(clamped, UINT32_MAX);
  char bus[16];
  ASSERT_EQ(cuDeviceGetPCIBusId(bus, sizeof bus, 0), CUDA_SUCCESS);
  EXPECT_STREQ(bus, "0000:00:05.0");
  device = -1;
  EXPECT_EQ(cuDeviceGetByPCIBusId(&device, bus), CUDA_SUCCESS);
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cuDeviceGetByPCIBusId(&device, "00:06.0"), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGetByPCIBusId(&device, "five"), CUDA_ERROR_INVALID_VALUE);
  CUuuid uuid = {};
  EXPECT_EQ(cuDeviceGetUuid_v2(&uuid, 0), CUDA_SUCCESS);
  EXPECT_NE(std::string(uuid.bytes, 16), std::string(16, '\0'));
}

TEST_F(Discovery, EveryAttributeHasAValueAndNoOtherNumberHas) {
  int value;
  for (int i = 1; i <= 161; ++i) {
    EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(i), 0), CUDA_SUCCESS)
        << i;
  }
  for (int i : {0, -1, 162, 1000}) {
    EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(i), 0),
              CUDA_ERROR_INVALID_VALUE)
        << i;
  }
  cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0);
  EXPECT_EQ(value, 9);
  cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0);
  EXPECT_EQ(value, 132);
  cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_GPU_PCI_DEVICE_ID, 0);
  EXPECT_EQ(static_cast<unsigned>(value), 0x233110deu);
}

class Memory : public Discovery {
 protected:
  void SetUp() override {
    Discovery::SetUp();
    ASSERT_EQ(cuCtxCreate_v2(&context_, 0, 0), CUDA_SUCCESS);
  }
  void TearDown() override { EXPECT_EQ(cuCtxDestroy_v2(context_), CUDA_SUCCESS); }

  static size_t Free() {
    size_t free_bytes = 0;
    size_t total = 0;
    EXPECT_EQ(cuMemGetInfo_v2(&free_bytes, &total), CUDA_SUCCESS);
    return free_bytes;
  }

  CUcontext context_ = nullptr;
};

TEST_F(Memory, FreeFallsByExactlyWhatIsTaken) {
  const size_t before = Free();
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAlloc_v2(&pointer, size_t{256} << 20), CUDA_SUCCESS);
  EXPECT_EQ(before - Free(), size_t{256} << 20);
  ASSERT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(Free(), before);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(Memory, ADeviceHoldsNoMoreThanItHas) {
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemAlloc_v2(&pointer, Free() + 1), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc_v2(&pointer, SIZE_MAX), CUDA_ERROR_OUT_OF_MEMORY);
  // All of it, which takes no page of this machine's until it is written.
  ASSERT_EQ(cuMemAlloc_v2(&pointer, Free()), CUDA_SUCCESS);
  EXPECT_EQ(Free(), 0u);
  CUdeviceptr more = 0;
  EXPECT_EQ(cuMemAlloc_v2(&more, 1), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

TEST_F(Memory, CopiesThereAndBackAreEqual) {
  std::vector<uint8_t> sent(size_t{4} << 20);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAlloc_v2(&pointer, sent.size()), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyHtoD_v2(pointer, sent.data(), sent.size()), CUDA_SUCCESS);
  std::vector<uint8_t> received(sent.size());
  ASSERT_EQ(cuMemcpyDtoH_v2(received.data(), pointer, received.size()), CUDA_SUCCESS);
  EXPECT_EQ(received, sent);
  // One byte too many is an error, and nothing is written.
  std::vector<uint8_t> larger(sent.size() + 1, 7);
  EXPECT_EQ(cuMemcpyDtoH_v2(larger.data(), pointer, larger.size()), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(larger, std::vector<uint8_t>(sent.size() + 1, 7));
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoH_v2(larger.data(), pointer, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(Memory, EndsWithItsContext) {
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAlloc_v2(&pointer, 1 << 20), CUDA_SUCCESS);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  const size_t before = Free();
  CUdeviceptr second = 0;
  ASSERT_EQ(cuMemAlloc_v2(&second, 1 << 20), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
  EXPECT_EQ(Free(), before);
  EXPECT_EQ(cuMemFree_v2(second), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

}  // namespace
