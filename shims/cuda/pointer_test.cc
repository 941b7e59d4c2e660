#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

class PointerTest : public OnDeviceTest {
 protected:
  template <typename T>
  static T Get(CUpointer_attribute attribute, CUdeviceptr pointer) {
    T value = {};
    EXPECT_EQ(cuPointerGetAttribute(&value, attribute, pointer), CUDA_SUCCESS) << attribute;
    return value;
  }
};

TEST_F(PointerTest, OfDeviceMemory) {
  const CUdeviceptr pointer = Allocate(1000);
  EXPECT_EQ(Get<CUcontext>(CU_POINTER_ATTRIBUTE_CONTEXT, pointer + 5), context_);
  EXPECT_EQ(Get<unsigned>(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, pointer),
            unsigned{CU_MEMORYTYPE_DEVICE});
  EXPECT_EQ(Get<CUdeviceptr>(CU_POINTER_ATTRIBUTE_DEVICE_POINTER, pointer + 5), pointer + 5);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, pointer), 0);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_IS_MANAGED, pointer), 0);
  EXPECT_EQ(Get<CUdeviceptr>(CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, pointer + 5), pointer);
  EXPECT_EQ(Get<size_t>(CU_POINTER_ATTRIBUTE_RANGE_SIZE, pointer + 5), 1000u);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_MAPPED, pointer), 1);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_ACCESS_FLAGS, pointer), 3);
  void* host = nullptr;
  EXPECT_EQ(cuPointerGetAttribute(&host, CU_POINTER_ATTRIBUTE_HOST_POINTER, pointer),
            CUDA_ERROR_INVALID_VALUE);
  unsigned on = 1;
  EXPECT_EQ(cuPointerSetAttribute(&on, CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, pointer), CUDA_SUCCESS);
  EXPECT_EQ(Get<unsigned>(CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, pointer), 1u);
  EXPECT_EQ(cuPointerSetAttribute(&on, CU_POINTER_ATTRIBUTE_IS_MANAGED, pointer),
            CUDA_ERROR_INVALID_VALUE);
  const CUdeviceptr other = Allocate(1);
  EXPECT_NE(Get<uint64_t>(CU_POINTER_ATTRIBUTE_BUFFER_ID, pointer),
            Get<uint64_t>(CU_POINTER_ATTRIBUTE_BUFFER_ID, other));
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(other), CUDA_SUCCESS);
  EXPECT_EQ(cuPointerGetAttribute(&host, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, pointer),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(PointerTest, OfHostAndManagedMemory) {
  void* host = nullptr;
  ASSERT_EQ(cuMemAllocHost_v2(&host, 100), CUDA_SUCCESS);
  const auto pointer = reinterpret_cast<CUdeviceptr>(host);
  EXPECT_EQ(Get<unsigned>(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, pointer), unsigned{CU_MEMORYTYPE_HOST});
  EXPECT_EQ(Get<void*>(CU_POINTER_ATTRIBUTE_HOST_POINTER, pointer), host);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_SUCCESS);
  CUdeviceptr managed = 0;
  ASSERT_EQ(cuMemAllocManaged(&managed, 100, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_IS_MANAGED, managed), 1);
  EXPECT_EQ(Get<void*>(CU_POINTER_ATTRIBUTE_HOST_POINTER, managed),
            reinterpret_cast<void*>(managed));
  EXPECT_EQ(cuMemFree_v2(managed), CUDA_SUCCESS);
}

TEST_F(PointerTest, OfReservedAndMappedAddresses) {
  constexpr size_t kGranule = size_t{2} << 20;
  CUdeviceptr address = 0;
  ASSERT_EQ(cuMemAddressReserve(&address, 2 * kGranule, 0, 0, 0), CUDA_SUCCESS);
  CUmemAllocationProp properties = {};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CUmemGenericAllocationHandle handle = 0;
  ASSERT_EQ(cuMemCreate(&handle, kGranule, &properties, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemMap(address + kGranule, kGranule, 0, handle, 0), CUDA_SUCCESS);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_MAPPED, address), 0);
  EXPECT_EQ(Get<size_t>(CU_POINTER_ATTRIBUTE_RANGE_SIZE, address), 2 * kGranule);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_MAPPED, address + kGranule), 1);
  EXPECT_EQ(Get<size_t>(CU_POINTER_ATTRIBUTE_RANGE_SIZE, address + kGranule), 2 * kGranule);
  EXPECT_EQ(Get<size_t>(CU_POINTER_ATTRIBUTE_MAPPING_SIZE, address + kGranule), kGranule);
  EXPECT_EQ(Get<CUdeviceptr>(CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR, address + kGranule + 9),
            address + kGranule);
  EXPECT_EQ(Get<int>(CU_POINTER_ATTRIBUTE_ACCESS_FLAGS, address + kGranule), 0);
  EXPECT_NE(Get<uint64_t>(CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID, address + kGranule), 0u);
  unsigned type = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(address + kGranule, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(address, 2 * kGranule), CUDA_SUCCESS);
}

TEST_F(PointerTest, SeveralAtOnceOfAPointerThatMeansNothing) {
  int unrelated = 0;
  CUcontext context = context_;
  unsigned type = 77;
  int ordinal = 77;
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_CONTEXT,
                                      CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                      CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  void* data[] = {&context, &type, &ordinal};
  EXPECT_EQ(cuPointerGetAttributes(3, attributes, data, reinterpret_cast<CUdeviceptr>(&unrelated)),
            CUDA_SUCCESS);
  EXPECT_EQ(context, nullptr);
  EXPECT_EQ(type, 0u);
  EXPECT_EQ(ordinal, CU_DEVICE_INVALID);
  attributes[1] = static_cast<CUpointer_attribute>(500);
  EXPECT_EQ(cuPointerGetAttributes(3, attributes, data, reinterpret_cast<CUdeviceptr>(&unrelated)),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuPointerGetAttributes(0, attributes, data, 0), CUDA_ERROR_INVALID_VALUE);
}

// What is written has the size that cuda.h gives it, and not a byte more.
TEST_F(PointerTest, NothingIsWrittenBeyondTheValue) {
  const CUdeviceptr pointer = Allocate(1);
  for (int i = 1; i <= 22; ++i) {
    unsigned char buffer[16];
    std::memset(buffer, 0xa5, sizeof buffer);
    const auto attribute = static_cast<CUpointer_attribute>(i);
    if (cuPointerGetAttribute(buffer, attribute, pointer) != CUDA_SUCCESS) continue;
    EXPECT_EQ(buffer[8], 0xa5) << i;
  }
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

}  // namespace
}  // namespace vgpu::cuda
