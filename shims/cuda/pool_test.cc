#include <gtest/gtest.h>

#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

extern "C" {
CUresult cuStreamCreate(CUstream* stream, unsigned flags);
CUresult cuStreamDestroy_v2(CUstream stream);
CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode);
CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph);
}

namespace vgpu::cuda {
namespace {

class PoolTest : public OnDeviceTest {
 protected:
  static uint64_t Bytes(CUmemoryPool pool, CUmemPool_attribute attribute) {
    uint64_t value = ~uint64_t{0};
    EXPECT_EQ(cuMemPoolGetAttribute(pool, attribute, &value), CUDA_SUCCESS);
    return value;
  }

  static CUmemoryPool Create(size_t most = 0) {
    CUmemPoolProps properties = {};
    properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    properties.maxSize = most;
    CUmemoryPool pool = nullptr;
    EXPECT_EQ(cuMemPoolCreate(&pool, &properties), CUDA_SUCCESS);
    return pool;
  }
};

TEST_F(PoolTest, MemoryComesFromTheDevicesPoolAndGoesBack) {
  CUmemoryPool pool = nullptr;
  ASSERT_EQ(cuDeviceGetDefaultMemPool(&pool, 0), CUDA_SUCCESS);
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAllocAsync(&pointer, 1 << 20, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(free_before_ - Free(), size_t{1} << 20);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), uint64_t{1} << 20);
  CUmemoryPool of = nullptr;
  EXPECT_EQ(cuPointerGetAttribute(&of, CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, pointer + 9),
            CUDA_SUCCESS);
  EXPECT_EQ(of, pool);
  EXPECT_EQ(cuMemsetD8Async(pointer, 1, 1 << 20, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(pointer, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Free(), free_before_);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 0u);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 0u);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH), uint64_t{1} << 20);
  uint64_t zero = 0;
  uint64_t one = 1;
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &one),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &zero), CUDA_SUCCESS);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH), 0u);
  EXPECT_EQ(cuMemFreeAsync(pointer, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(PoolTest, EitherFreeWillDoForEitherMemory) {
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAllocAsync(&pointer, 100, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(Allocate(100), nullptr), CUDA_SUCCESS);
}

TEST_F(PoolTest, APoolHasALimit) {
  CUmemoryPool pool = Create(4096);
  CUdeviceptr first = 0;
  CUdeviceptr second = 0;
  EXPECT_EQ(cuMemAllocFromPoolAsync(&first, 3000, pool, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocFromPoolAsync(&second, 3000, pool, nullptr), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemFreeAsync(first, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocFromPoolAsync(&second, 3000, pool, nullptr), CUDA_SUCCESS);
  // What is destroyed while it is used ends with its last memory.
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocFromPoolAsync(&first, 1, pool, nullptr), CUDA_ERROR_INVALID_VALUE);
  CUmemoryPool of = pool;
  EXPECT_EQ(cuPointerGetAttribute(&of, CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, second), CUDA_SUCCESS);
  EXPECT_EQ(of, nullptr);
  EXPECT_EQ(cuMemFreeAsync(second, nullptr), CUDA_SUCCESS);
}

TEST_F(PoolTest, TheCurrentPoolIsTheOneThatWasSet) {
  CUmemoryPool pool = Create();
  EXPECT_EQ(cuDeviceSetMemPool(1, pool), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuDeviceSetMemPool(0, pool), CUDA_SUCCESS);
  CUmemoryPool current = nullptr;
  EXPECT_EQ(cuDeviceGetMemPool(&current, 0), CUDA_SUCCESS);
  EXPECT_EQ(current, pool);
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemAllocAsync(&pointer, 512, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 512u);
  EXPECT_EQ(cuMemFreeAsync(pointer, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_SUCCESS);
  CUmemoryPool fallback = nullptr;
  EXPECT_EQ(cuDeviceGetDefaultMemPool(&fallback, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuDeviceGetMemPool(&current, 0), CUDA_SUCCESS);
  EXPECT_EQ(current, fallback);
}

TEST_F(PoolTest, AttributesAreKept) {
  CUmemoryPool pool = Create();
  uint64_t threshold = UINT64_MAX;
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold),
            CUDA_SUCCESS);
  EXPECT_EQ(Bytes(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD), UINT64_MAX);
  int off = 0;
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC, &off),
            CUDA_SUCCESS);
  int value = 1;
  EXPECT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC, &value),
            CUDA_SUCCESS);
  EXPECT_EQ(value, 0);
  EXPECT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES, &value),
            CUDA_SUCCESS);
  EXPECT_EQ(value, 1);
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &threshold),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolGetAttribute(pool, static_cast<CUmemPool_attribute>(99), &value),
            CUDA_ERROR_INVALID_VALUE);
  CUmemAccessDesc access = {{CU_MEM_LOCATION_TYPE_DEVICE, 1}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  EXPECT_EQ(cuMemPoolSetAccess(pool, &access, 1), CUDA_SUCCESS);
  CUmemAccess_flags flags = CU_MEM_ACCESS_FLAGS_PROT_NONE;
  EXPECT_EQ(cuMemPoolGetAccess(&flags, pool, &access.location), CUDA_SUCCESS);
  EXPECT_EQ(flags, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  access = {{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_NONE};
  EXPECT_EQ(cuMemPoolSetAccess(pool, &access, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolTrimTo(pool, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_SUCCESS);
}

// A graph holds no allocations: a stream that captures refuses them, and allocates nothing.
TEST_F(PoolTest, IsNotForStreamsThatCapture) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemAllocAsync(&pointer, 4096, stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUgraph graph = nullptr;
  cuStreamEndCapture(stream, &graph);
  EXPECT_EQ(Free(), free_before_);
  EXPECT_EQ(cuMemAllocAsync(&pointer, 4096, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(pointer, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
}

TEST_F(PoolTest, MemoryOfAPoolOutlivesTheContextThatAskedForIt) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAllocAsync(&pointer, 4096, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 1, 4096), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(pointer, nullptr), CUDA_SUCCESS);
}

}  // namespace
}  // namespace vgpu::cuda
