#include <gtest/gtest.h>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

constexpr size_t kSize = 1 << 20;

class ManagedTest : public OnDeviceTest {
 protected:
  void SetUp() override {
    OnDeviceTest::SetUp();
    ASSERT_EQ(cuMemAllocManaged(&pointer_, kSize, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuMemFree_v2(pointer_), CUDA_SUCCESS);
    OnDeviceTest::TearDown();
  }

  static int Get(CUmem_range_attribute attribute, CUdeviceptr pointer, size_t size) {
    int value = 77;
    EXPECT_EQ(cuMemRangeGetAttribute(&value, sizeof value, attribute, pointer, size), CUDA_SUCCESS);
    return value;
  }

  CUdeviceptr pointer_ = 0;
};

TEST_F(ManagedTest, AdviceHoldsForThePartItWasGivenFor) {
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, pointer_, kSize), 0);
  const CUdeviceptr middle = pointer_ + 1000;
  EXPECT_EQ(cuMemAdvise(middle, 5000, CU_MEM_ADVISE_SET_READ_MOSTLY, 0), CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, middle, 5000), 1);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, middle + 10, 20), 1);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, middle - 1, 20), 0);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, pointer_, kSize), 0);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_SET_READ_MOSTLY, 0), CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, pointer_, kSize), 1);
  EXPECT_EQ(cuMemAdvise(middle, 1, CU_MEM_ADVISE_UNSET_READ_MOSTLY, 0), CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, pointer_, kSize), 0);
}

TEST_F(ManagedTest, LocationsAreToldInBothForms) {
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, pointer_, kSize), CU_DEVICE_INVALID);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_SET_PREFERRED_LOCATION, CU_DEVICE_CPU),
            CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, pointer_, kSize), CU_DEVICE_CPU);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE, pointer_, kSize),
            CU_MEM_LOCATION_TYPE_HOST);
  EXPECT_EQ(cuMemAdvise_v2(pointer_, kSize / 2, CU_MEM_ADVISE_SET_PREFERRED_LOCATION,
                           {CU_MEM_LOCATION_TYPE_DEVICE, 1}),
            CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, pointer_, kSize), CU_DEVICE_INVALID);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, pointer_, kSize / 2), 1);
  EXPECT_EQ(cuMemPrefetchAsync(pointer_, kSize, 0, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, pointer_, kSize), 0);
  EXPECT_EQ(cuMemPrefetchAsync_v2(pointer_, kSize, {CU_MEM_LOCATION_TYPE_HOST, 0}, 0, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, pointer_, kSize), CU_DEVICE_CPU);
}

TEST_F(ManagedTest, ProcessorsThatUseItAreListed) {
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_SET_ACCESSED_BY, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_SET_ACCESSED_BY, CU_DEVICE_CPU),
            CUDA_SUCCESS);
  int devices[4] = {};
  EXPECT_EQ(cuMemRangeGetAttribute(devices, sizeof devices, CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY,
                                   pointer_, kSize),
            CUDA_SUCCESS);
  EXPECT_EQ(devices[0], 1);
  EXPECT_EQ(devices[1], CU_DEVICE_CPU);
  EXPECT_EQ(devices[2], CU_DEVICE_INVALID);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_UNSET_ACCESSED_BY, 1), CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, pointer_, kSize), CU_DEVICE_CPU);
}

TEST_F(ManagedTest, WhatIsNotManagedTakesNoAdvice) {
  const CUdeviceptr device = Allocate(100);
  EXPECT_EQ(cuMemAdvise(device, 100, CU_MEM_ADVISE_SET_READ_MOSTLY, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPrefetchAsync(device, 100, 0, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(device), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize + 1, CU_MEM_ADVISE_SET_READ_MOSTLY, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAdvise(pointer_, SIZE_MAX, CU_MEM_ADVISE_SET_READ_MOSTLY, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, static_cast<CUmem_advise>(9), 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAdvise(pointer_, kSize, CU_MEM_ADVISE_SET_PREFERRED_LOCATION, 2),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuMemPrefetchAsync(pointer_, kSize, 2, nullptr), CUDA_ERROR_INVALID_DEVICE);
  int value = 0;
  EXPECT_EQ(cuMemRangeGetAttribute(&value, 3, CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, pointer_, kSize),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ManagedTest, ABatchPrefetchesEachRangeToItsLocation) {
  CUdeviceptr addresses[] = {pointer_, pointer_ + 4096, pointer_ + 8192};
  size_t sizes[] = {4096, 4096, 4096};
  CUmemLocation locations[] = {{CU_MEM_LOCATION_TYPE_DEVICE, 0}, {CU_MEM_LOCATION_TYPE_DEVICE, 1}};
  size_t first[] = {0, 2};
  EXPECT_EQ(cuMemPrefetchBatchAsync(addresses, sizes, 3, locations, first, 2, 0, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, pointer_, 8192), 0);
  EXPECT_EQ(Get(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, pointer_ + 8192, 4096), 1);
  first[1] = 3;
  EXPECT_EQ(cuMemPrefetchBatchAsync(addresses, sizes, 3, locations, first, 2, 0, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemDiscardBatchAsync(addresses, sizes, 3, 0, nullptr), CUDA_SUCCESS);
}

}  // namespace
}  // namespace vgpu::cuda
