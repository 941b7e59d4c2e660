#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

class CopyTest : public OnDeviceTest {
 protected:
  static std::vector<uint8_t> Pattern(size_t size, uint32_t seed) {
    std::vector<uint8_t> bytes(size);
    std::mt19937 random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
  }

  static CUdeviceptr Upload(const std::vector<uint8_t>& bytes) {
    const CUdeviceptr pointer = Allocate(bytes.size());
    EXPECT_EQ(cuMemcpyHtoD_v2(pointer, bytes.data(), bytes.size()), CUDA_SUCCESS);
    return pointer;
  }

  static std::vector<uint8_t> Download(CUdeviceptr pointer, size_t size) {
    std::vector<uint8_t> bytes(size);
    EXPECT_EQ(cuMemcpyDtoH_v2(bytes.data(), pointer, size), CUDA_SUCCESS);
    return bytes;
  }
};

TEST_F(CopyTest, EveryOneDimensionalFormMovesTheBytes) {
  const std::vector<uint8_t> sent = Pattern(10000, 1);
  const CUdeviceptr a = Upload(sent);
  const CUdeviceptr b = Allocate(sent.size());
  std::vector<uint8_t> received(sent.size());
  auto again = [&] {
    EXPECT_EQ(Download(b, sent.size()), sent);
    EXPECT_EQ(cuMemsetD8_v2(b, 0, sent.size()), CUDA_SUCCESS);
  };
  EXPECT_EQ(cuMemcpyDtoD_v2(b, a, sent.size()), CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(b, a, sent.size(), nullptr), CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpy(b, a, sent.size()), CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpyAsync(b, reinterpret_cast<CUdeviceptr>(sent.data()), sent.size(), nullptr),
            CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(b, sent.data(), sent.size(),
                                 reinterpret_cast<CUstream>(kStreamPerThread)),
            CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpyPeer(b, context_, a, nullptr, sent.size()), CUDA_SUCCESS);
  again();
  EXPECT_EQ(cuMemcpy(reinterpret_cast<CUdeviceptr>(received.data()), a, sent.size()), CUDA_SUCCESS);
  EXPECT_EQ(received, sent);
  EXPECT_EQ(cuMemFree_v2(a), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(b), CUDA_SUCCESS);
}

TEST_F(CopyTest, NothingIsNoError) {
  EXPECT_EQ(cuMemcpyHtoD_v2(0, nullptr, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32_v2(0, 0, 0), CUDA_SUCCESS);
}

TEST_F(CopyTest, WhatIsNotTheDevicesIsAnErrorAndNoFault) {
  const CUdeviceptr pointer = Allocate(1 << 17);
  char own[64] = {};
  const auto own_pointer = reinterpret_cast<CUdeviceptr>(own);
  EXPECT_EQ(cuMemcpyHtoD_v2(own_pointer, own, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(pointer + (1 << 17) - 10, own, 11), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(own, pointer - 1, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(own, ~CUdeviceptr{0}, 64), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(own, 8, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(nullptr, pointer, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoD_v2(pointer, pointer, SIZE_MAX), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD8_v2(own_pointer, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 1, (1 << 17) + 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(pointer, own, 1, reinterpret_cast<CUstream>(own)),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMemcpyPeer(pointer, reinterpret_cast<CUcontext>(own), pointer, nullptr, 1),
            CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  // An address of a kind that is not told: nothing is there any more.
  EXPECT_EQ(cuMemcpy(pointer, own_pointer, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy(own_pointer, pointer, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(std::string(own, sizeof own), std::string(sizeof own, '\0'));
}

TEST_F(CopyTest, FillsHaveTheWidthOfTheirElement) {
  const CUdeviceptr pointer = Allocate(64);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 0xee, 64), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD16_v2(pointer + 2, 0x1234, 2), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32Async(pointer + 8, 0xdeadbeef, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Download(pointer, 13), (std::vector<uint8_t>{0xee, 0xee, 0x34, 0x12, 0x34, 0x12, 0xee,
                                                         0xee, 0xef, 0xbe, 0xad, 0xde, 0xee}));
  EXPECT_EQ(cuMemsetD16_v2(pointer + 1, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(pointer + 2, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(pointer, 0, SIZE_MAX / 2), CUDA_ERROR_INVALID_VALUE);
  // Three rows of two, eight bytes apart.
  EXPECT_EQ(cuMemsetD8_v2(pointer, 0, 64), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD2D16_v2(pointer, 8, 0x0101, 2, 3), CUDA_SUCCESS);
  EXPECT_EQ(Download(pointer, 24), (std::vector<uint8_t>{1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1,
                                                         0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(cuMemsetD2D8_v2(pointer, 1, 1, 2, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD2D8_v2(pointer, SIZE_MAX, 1, 2, 1), CUDA_SUCCESS);  // no second row
  EXPECT_EQ(cuMemsetD2D8_v2(pointer, 32, 1, 32, 3), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

// Boxes of all shapes, from host to device and on to the host, against a plain loop.
TEST_F(CopyTest, BoxesAreWhatALoopMovesByteByByte) {
  std::mt19937 random(11);
  auto up_to = [&random](size_t most) { return random() % (most + 1); };
  for (int round = 0; round < 500; ++round) {
    const size_t width = 1 + up_to(20);
    const size_t height = 1 + up_to(6);
    const size_t depth = 1 + up_to(4);
    struct Layout {
      size_t x, y, z, pitch, rows, size;
    };
    auto layout = [&] {
      Layout l{up_to(5), up_to(3), up_to(2), 0, 0, 0};
      l.pitch = l.x + width + up_to(7);
      l.rows = l.y + height + up_to(3);
      l.size = (l.z + depth) * l.rows * l.pitch;
      return l;
    };
    const Layout from = layout();
    const Layout to = layout();
    const std::vector<uint8_t> source = Pattern(from.size, round);
    std::vector<uint8_t> expected = Pattern(to.size, round + 1000);
    const CUdeviceptr destination = Upload(expected);
    CUDA_MEMCPY3D box = {};
    box.srcXInBytes = from.x;
    box.srcY = from.y;
    box.srcZ = from.z;
    box.srcMemoryType = CU_MEMORYTYPE_HOST;
    box.srcHost = source.data();
    box.srcPitch = from.pitch;
    box.srcHeight = from.rows;
    box.dstXInBytes = to.x;
    box.dstY = to.y;
    box.dstZ = to.z;
    box.dstMemoryType = round % 2 == 0 ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_UNIFIED;
    box.dstDevice = destination;
    box.dstPitch = to.pitch;
    box.dstHeight = to.rows;
    box.WidthInBytes = width;
    box.Height = height;
    box.Depth = depth;
    for (size_t z = 0; z < depth; ++z) {
      for (size_t y = 0; y < height; ++y) {
        for (size_t x = 0; x < width; ++x) {
          expected[((to.z + z) * to.rows + to.y + y) * to.pitch + to.x + x] =
              source[((from.z + z) * from.rows + from.y + y) * from.pitch + from.x + x];
        }
      }
    }
    ASSERT_EQ(cuMemcpy3D_v2(&box), CUDA_SUCCESS) << round;
    ASSERT_EQ(Download(destination, to.size), expected) << round;
    // One slice more than there is.
    box.Depth = depth + 1;
    std::vector<uint8_t> enough = Pattern(from.size + from.rows * from.pitch, 1);
    box.srcHost = enough.data();
    ASSERT_EQ(cuMemcpy3D_v2(&box), CUDA_ERROR_INVALID_VALUE) << round;
    ASSERT_EQ(Download(destination, to.size), expected) << round;
    ASSERT_EQ(cuMemFree_v2(destination), CUDA_SUCCESS);
  }
}

TEST_F(CopyTest, RectanglesOfBothGenerations) {
  const std::vector<uint8_t> source = Pattern(100, 5);
  CUdeviceptr_v1 low = 0;
  ASSERT_EQ(cuMemAlloc(&low, 1024), CUDA_SUCCESS);
  CUDA_MEMCPY2D_v1 up = {};
  up.srcMemoryType = CU_MEMORYTYPE_HOST;
  up.srcHost = source.data();
  up.srcPitch = 10;
  up.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  up.dstDevice = low;
  up.dstPitch = 64;
  up.WidthInBytes = 10;
  up.Height = 10;
  EXPECT_EQ(cuMemcpy2D(&up), CUDA_SUCCESS);
  std::vector<uint8_t> received(100);
  CUDA_MEMCPY2D down = {};
  down.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  down.srcDevice = low;
  down.srcPitch = 64;
  down.dstMemoryType = CU_MEMORYTYPE_HOST;
  down.dstHost = received.data();
  down.dstPitch = 10;
  down.WidthInBytes = 10;
  down.Height = 10;
  EXPECT_EQ(cuMemcpy2DAsync_v2(&down, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(received, source);
  down.srcPitch = 9;  // narrower than a row
  EXPECT_EQ(cuMemcpy2D_v2(&down), CUDA_ERROR_INVALID_VALUE);
  down.srcPitch = SIZE_MAX / 2;
  EXPECT_EQ(cuMemcpy2D_v2(&down), CUDA_ERROR_INVALID_VALUE);
  down.srcPitch = 64;
  down.srcMemoryType = static_cast<CUmemorytype>(9);
  EXPECT_EQ(cuMemcpy2D_v2(&down), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy2D_v2(nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree(low), CUDA_SUCCESS);
}

TEST_F(CopyTest, BatchesSayWhichCopyFailed) {
  const std::vector<uint8_t> a = Pattern(100, 1);
  const CUdeviceptr first = Upload(a);
  const CUdeviceptr second = Allocate(100);
  CUstream stream = reinterpret_cast<CUstream>(kStreamPerThread);
  CUdeviceptr to[] = {second, second + 50, second + 90};
  CUdeviceptr from[] = {first, first + 50, first};
  size_t sizes[] = {50, 50, 20};
  CUmemcpyAttributes attributes = {};
  attributes.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM;
  size_t at = 0;
  size_t failed = 77;
  EXPECT_EQ(cuMemcpyBatchAsync(to, from, sizes, 2, &attributes, &at, 1, &failed, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(Download(second, 100), a);
  EXPECT_EQ(cuMemcpyBatchAsync(to, from, sizes, 3, &attributes, &at, 1, &failed, stream),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, 2u);
  EXPECT_EQ(cuMemcpyBatchAsync(to, from, sizes, 0, &attributes, &at, 1, &failed, stream),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, SIZE_MAX);
  EXPECT_EQ(cuMemcpyBatchAsync_v2(to, from, sizes, 2, &attributes, &at, 1, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  attributes.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_INVALID;
  EXPECT_EQ(cuMemcpyBatchAsync_v2(to, from, sizes, 2, &attributes, &at, 1, stream),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(first), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(second), CUDA_SUCCESS);
}

TEST_F(CopyTest, ErrnoStaysWhatItWas) {
  errno = 1234;
  CUdeviceptr pointer = 0;
  cuMemAlloc_v2(&pointer, size_t{1} << 62);
  cuMemcpyDtoH_v2(&pointer, 5, 5);
  cuMemcpy(5, 5, 5);
  EXPECT_EQ(errno, 1234);
}

}  // namespace
}  // namespace vgpu::cuda
