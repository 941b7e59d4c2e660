#include <gtest/gtest.h>

#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

class ArrayTest : public OnDeviceTest {
 protected:
  static CUDA_ARRAY3D_DESCRIPTOR Floats(size_t width, size_t height, size_t depth,
                                        unsigned flags = 0) {
    return {width, height, depth, CU_AD_FORMAT_FLOAT, 1, flags};
  }

  static std::vector<float> Numbers(size_t count) {
    std::vector<float> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(i);
    return numbers;
  }

  static CUDA_MEMCPY3D Box(size_t width, size_t height, size_t depth) {
    CUDA_MEMCPY3D box = {};
    box.WidthInBytes = width * sizeof(float);
    box.Height = height;
    box.Depth = depth;
    return box;
  }
};

TEST_F(ArrayTest, ThreeDimensionsThereAndBack) {
  const CUDA_ARRAY3D_DESCRIPTOR descriptor = Floats(10, 6, 4);
  CUarray array = nullptr;
  ASSERT_EQ(cuArray3DCreate_v2(&array, &descriptor), CUDA_SUCCESS);
  EXPECT_EQ(free_before_ - Free(), 1024u);  // 960 bytes
  const std::vector<float> sent = Numbers(240);
  CUDA_MEMCPY3D box = Box(10, 6, 4);
  box.srcMemoryType = CU_MEMORYTYPE_HOST;
  box.srcHost = sent.data();
  box.srcPitch = 40;
  box.srcHeight = 6;
  box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  box.dstArray = array;
  ASSERT_EQ(cuMemcpy3D_v2(&box), CUDA_SUCCESS);
  // A part of it: columns 2 to 4, rows 1 and 2 of slice 3.
  std::vector<float> part(6);
  CUDA_MEMCPY3D out = Box(3, 2, 1);
  out.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  out.srcArray = array;
  out.srcXInBytes = 8;
  out.srcY = 1;
  out.srcZ = 3;
  out.dstMemoryType = CU_MEMORYTYPE_HOST;
  out.dstHost = part.data();
  out.dstPitch = 12;
  ASSERT_EQ(cuMemcpy3D_v2(&out), CUDA_SUCCESS);
  EXPECT_EQ(part, (std::vector<float>{192, 193, 194, 202, 203, 204}));
  out.srcY = 5;  // and row 6, which there is not
  EXPECT_EQ(cuMemcpy3D_v2(&out), CUDA_ERROR_INVALID_VALUE);
  CUDA_ARRAY3D_DESCRIPTOR found = {};
  EXPECT_EQ(cuArray3DGetDescriptor_v2(&found, array), CUDA_SUCCESS);
  EXPECT_EQ(found.Depth, 4u);
  EXPECT_EQ(found.Format, CU_AD_FORMAT_FLOAT);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMemcpy3D_v2(&box), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ArrayTest, OneDimensionByOffsets) {
  const CUDA_ARRAY_DESCRIPTOR descriptor = {16, 0, CU_AD_FORMAT_UNSIGNED_INT8, 1};
  CUarray a = nullptr;
  CUarray b = nullptr;
  ASSERT_EQ(cuArrayCreate_v2(&a, &descriptor), CUDA_SUCCESS);
  ASSERT_EQ(cuArrayCreate_v2(&b, &descriptor), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyHtoA_v2(a, 4, "abcdef", 6), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyAtoA_v2(b, 0, a, 4, 6), CUDA_SUCCESS);
  const CUdeviceptr pointer = Allocate(8);
  EXPECT_EQ(cuMemcpyAtoD_v2(pointer, b, 1, 5), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoA_v2(b, 11, pointer, 5), CUDA_SUCCESS);
  char out[6] = {};
  EXPECT_EQ(cuMemcpyAtoH_v2(out, b, 11, 5), CUDA_SUCCESS);
  EXPECT_STREQ(out, "bcdef");
  EXPECT_EQ(cuMemcpyAtoH_v2(out, b, 12, 5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyAtoH_v2(out, b, SIZE_MAX, 5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(a), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(b), CUDA_SUCCESS);
}

TEST_F(ArrayTest, ShapesAndFormatsThatThereAreNot) {
  CUarray array = nullptr;
  auto create = [&array](CUDA_ARRAY3D_DESCRIPTOR d) { return cuArray3DCreate_v2(&array, &d); };
  EXPECT_EQ(create(Floats(0, 1, 0)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(131073, 0, 0)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(10, 0, 3)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(10, 10, 5, CUDA_ARRAY3D_CUBEMAP)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(10, 12, 6, CUDA_ARRAY3D_CUBEMAP)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(10, 10, 0, CUDA_ARRAY3D_LAYERED)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(Floats(10, 10, 0, CUDA_ARRAY3D_SPARSE)), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(create({10, 10, 0, CU_AD_FORMAT_NV12, 3, 0}), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(create({10, 10, 0, CU_AD_FORMAT_FLOAT, 3, 0}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create({10, 10, 0, CU_AD_FORMAT_UNORM_INT8X4, 2, 0}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create({10, 10, 0, static_cast<CUarray_format>(0x77), 1, 0}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuArray3DCreate_v2(&array, nullptr), CUDA_ERROR_INVALID_VALUE);
  // A terabyte is a valid shape, and more than there is.
  EXPECT_EQ(create({32768, 32768, 1024, CU_AD_FORMAT_UNSIGNED_INT8, 1, CUDA_ARRAY3D_LAYERED}),
            CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(create(Floats(10, 10, 12, CUDA_ARRAY3D_CUBEMAP | CUDA_ARRAY3D_LAYERED)), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
}

TEST_F(ArrayTest, LevelsHalveDownToOneElement) {
  const CUDA_ARRAY3D_DESCRIPTOR descriptor = Floats(16, 4, 0);
  CUmipmappedArray mipmapped = nullptr;
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmapped, &descriptor, 99), CUDA_SUCCESS);
  const size_t sizes[][2] = {{16, 4}, {8, 2}, {4, 1}, {2, 1}, {1, 1}};
  unsigned level = 0;
  CUarray array = nullptr;
  for (; cuMipmappedArrayGetLevel(&array, mipmapped, level) == CUDA_SUCCESS; ++level) {
    ASSERT_LT(level, 5u);
    CUDA_ARRAY_DESCRIPTOR found = {};
    ASSERT_EQ(cuArrayGetDescriptor_v2(&found, array), CUDA_SUCCESS);
    EXPECT_EQ(found.Width, sizes[level][0]);
    EXPECT_EQ(found.Height, sizes[level][1]);
  }
  EXPECT_EQ(level, 5u);
  // Each level has memory of its own.
  ASSERT_EQ(cuMipmappedArrayGetLevel(&array, mipmapped, 1), CUDA_SUCCESS);
  const std::vector<float> numbers = Numbers(16);
  CUDA_MEMCPY3D box = Box(8, 2, 1);
  box.srcMemoryType = CU_MEMORYTYPE_HOST;
  box.srcHost = numbers.data();
  box.srcPitch = 32;
  box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  box.dstArray = array;
  EXPECT_EQ(cuMemcpy3D_v2(&box), CUDA_SUCCESS);
  CUarray below = nullptr;
  ASSERT_EQ(cuMipmappedArrayGetLevel(&below, mipmapped, 2), CUDA_SUCCESS);
  float value = 7;
  EXPECT_EQ(cuMemcpyAtoH_v2(&value, below, 0, 4), CUDA_SUCCESS);
  EXPECT_EQ(value, 0);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMipmappedArrayDestroy(mipmapped), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyAtoH_v2(&value, below, 0, 4), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMipmappedArrayDestroy(mipmapped), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ArrayTest, EndWithTheirContext) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  const CUDA_ARRAY3D_DESCRIPTOR descriptor = Floats(16, 4, 0);
  CUarray array = nullptr;
  CUmipmappedArray mipmapped = nullptr;
  ASSERT_EQ(cuArray3DCreate_v2(&array, &descriptor), CUDA_SUCCESS);
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmapped, &descriptor, 2), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMipmappedArrayDestroy(mipmapped), CUDA_ERROR_INVALID_HANDLE);
}

// The functions of before CUDA 3.2.
TEST_F(ArrayTest, DescriptorsOf32Bits) {
  const CUDA_ARRAY_DESCRIPTOR_v1 descriptor = {7, 3, CU_AD_FORMAT_HALF, 2};
  CUarray array = nullptr;
  ASSERT_EQ(cuArrayCreate(&array, &descriptor), CUDA_SUCCESS);
  CUDA_ARRAY3D_DESCRIPTOR_v1 found = {};
  EXPECT_EQ(cuArray3DGetDescriptor(&found, array), CUDA_SUCCESS);
  EXPECT_EQ(found.Width, 7u);
  EXPECT_EQ(found.Height, 3u);
  EXPECT_EQ(found.Depth, 0u);
  EXPECT_EQ(found.Format, CU_AD_FORMAT_HALF);
  EXPECT_EQ(found.NumChannels, 2u);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
}

TEST_F(ArrayTest, ABatchCountsInElementsOfTheArray) {
  const CUDA_ARRAY3D_DESCRIPTOR descriptor = Floats(8, 2, 0);
  CUarray array = nullptr;
  ASSERT_EQ(cuArray3DCreate_v2(&array, &descriptor), CUDA_SUCCESS);
  const std::vector<float> sent = Numbers(16);
  CUDA_MEMCPY3D_BATCH_OP in = {};
  in.src.type = CU_MEMCPY_OPERAND_TYPE_POINTER;
  in.src.op.ptr.ptr = reinterpret_cast<CUdeviceptr>(sent.data());
  in.dst.type = CU_MEMCPY_OPERAND_TYPE_ARRAY;
  in.dst.op.array.array = array;
  in.extent = {8, 2, 1};
  in.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM;
  const auto stream = reinterpret_cast<CUstream>(kStreamPerThread);
  ASSERT_EQ(cuMemcpy3DBatchAsync_v2(1, &in, 0, stream), CUDA_SUCCESS);
  std::vector<float> received(3);
  CUDA_MEMCPY3D_BATCH_OP out = {};
  out.src.type = CU_MEMCPY_OPERAND_TYPE_ARRAY;
  out.src.op.array = {array, {4, 1, 0}};
  out.dst.type = CU_MEMCPY_OPERAND_TYPE_POINTER;
  out.dst.op.ptr.ptr = reinterpret_cast<CUdeviceptr>(received.data());
  out.extent = {3, 1, 1};
  out.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_ANY;
  ASSERT_EQ(cuMemcpy3DWithAttributesAsync(&out, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(received, (std::vector<float>{12, 13, 14}));
  CUDA_MEMCPY3D_BATCH_OP both[] = {in, in};
  both[1].extent.width = 9;
  size_t failed = 0;
  EXPECT_EQ(cuMemcpy3DBatchAsync(2, both, &failed, 0, stream), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, 1u);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
}

}  // namespace
}  // namespace vgpu::cuda
