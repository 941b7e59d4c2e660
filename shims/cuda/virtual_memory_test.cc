#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

constexpr size_t kGranule = size_t{2} << 20;

class VirtualMemoryTest : public OnDeviceTest {
 protected:
  static CUmemAllocationProp OnDevice(int ordinal) {
    CUmemAllocationProp properties = {};
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, ordinal};
    return properties;
  }

  static CUdeviceptr Reserve(size_t size) {
    CUdeviceptr address = 0;
    EXPECT_EQ(cuMemAddressReserve(&address, size, 0, 0, 0), CUDA_SUCCESS);
    return address;
  }

  static CUmemGenericAllocationHandle Create(size_t size) {
    CUmemGenericAllocationHandle handle = 0;
    const CUmemAllocationProp properties = OnDevice(0);
    EXPECT_EQ(cuMemCreate(&handle, size, &properties, 0), CUDA_SUCCESS);
    return handle;
  }

  static CUresult Access(CUdeviceptr address, size_t size, CUmemAccess_flags flags) {
    const CUmemAccessDesc description = {{CU_MEM_LOCATION_TYPE_DEVICE, 0}, flags};
    return cuMemSetAccess(address, size, &description, 1);
  }

  static constexpr CUmemAccess_flags kBoth = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
};

TEST_F(VirtualMemoryTest, GranularityIsTwoMebibytes) {
  CUmemAllocationProp properties = OnDevice(0);
  for (auto option : {CU_MEM_ALLOC_GRANULARITY_MINIMUM, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED}) {
    size_t granularity = 0;
    EXPECT_EQ(cuMemGetAllocationGranularity(&granularity, &properties, option), CUDA_SUCCESS);
    EXPECT_EQ(granularity, kGranule);
  }
  size_t granularity = 0;
  properties.location.id = 5;
  EXPECT_EQ(
      cuMemGetAllocationGranularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM),
      CUDA_ERROR_INVALID_DEVICE);
}

// What ggml's pool does: a large reservation that is filled piece by piece, and unmapped at once.
TEST_F(VirtualMemoryTest, AReservationIsFilledPieceByPiece) {
  constexpr size_t kPool = size_t{32} << 30;
  const CUdeviceptr address = Reserve(kPool);
  EXPECT_EQ(Free(), free_before_);
  for (size_t i = 0; i < 8; ++i) {
    const CUmemGenericAllocationHandle handle = Create(kGranule);
    ASSERT_EQ(cuMemMap(address + i * kGranule, kGranule, 0, handle, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
    ASSERT_EQ(Access(address + i * kGranule, kGranule, kBoth), CUDA_SUCCESS);
  }
  EXPECT_EQ(free_before_ - Free(), 8 * kGranule);
  // One copy over all of them.
  std::vector<char> sent(8 * kGranule);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 >> 8);
  std::vector<char> received(sent.size());
  EXPECT_EQ(cuMemcpyHtoD_v2(address, sent.data(), sent.size()), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoH_v2(received.data(), address, received.size()), CUDA_SUCCESS);
  EXPECT_EQ(received, sent);
  EXPECT_EQ(cuMemcpyDtoH_v2(received.data(), address + kGranule, received.size()),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(address, kPool), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(address, 8 * kGranule), CUDA_SUCCESS);
  EXPECT_EQ(Free(), free_before_);
  EXPECT_EQ(cuMemcpyDtoH_v2(received.data(), address, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy(reinterpret_cast<CUdeviceptr>(received.data()), address, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(address, kPool), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, OnePieceIsSeenWhereverItIsMapped) {
  const CUmemGenericAllocationHandle handle = Create(2 * kGranule);
  const CUdeviceptr a = Reserve(2 * kGranule);
  const CUdeviceptr b = Reserve(kGranule);
  ASSERT_EQ(cuMemMap(a, 2 * kGranule, 0, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemMap(b, kGranule, kGranule, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(Access(a, 2 * kGranule, kBoth), CUDA_SUCCESS);
  ASSERT_EQ(Access(b, kGranule, CU_MEM_ACCESS_FLAGS_PROT_READ), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(a + kGranule, 42, kGranule), CUDA_SUCCESS);
  unsigned char byte = 0;
  EXPECT_EQ(cuMemcpyDtoH_v2(&byte, b + 100, 1), CUDA_SUCCESS);
  EXPECT_EQ(byte, 42);
  EXPECT_EQ(cuMemsetD8_v2(b, 1, 1), CUDA_ERROR_INVALID_VALUE);  // to be read only
  unsigned long long flags = 0;
  const CUmemLocation first = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  const CUmemLocation second = {CU_MEM_LOCATION_TYPE_DEVICE, 1};
  EXPECT_EQ(cuMemGetAccess(&flags, &first, a), CUDA_SUCCESS);
  EXPECT_EQ(flags, 3u);
  EXPECT_EQ(cuMemGetAccess(&flags, &first, b), CUDA_SUCCESS);
  EXPECT_EQ(flags, 1u);
  EXPECT_EQ(cuMemGetAccess(&flags, &second, a), CUDA_SUCCESS);
  EXPECT_EQ(flags, 0u);
  // The memory outlives the handle and the first mapping.
  CUmemGenericAllocationHandle retained = 0;
  EXPECT_EQ(cuMemRetainAllocationHandle(&retained, reinterpret_cast<void*>(b + 5)), CUDA_SUCCESS);
  EXPECT_EQ(retained, handle);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(a, 2 * kGranule), CUDA_SUCCESS);
  EXPECT_EQ(free_before_ - Free(), 2 * kGranule);
  EXPECT_EQ(cuMemcpyDtoH_v2(&byte, b, 1), CUDA_SUCCESS);
  EXPECT_EQ(byte, 42);
  EXPECT_EQ(cuMemUnmap(b, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(Free(), free_before_);
  EXPECT_EQ(cuMemAddressFree(a, 2 * kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(b, kGranule), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, WithoutAccessNothingIsReadOrWritten) {
  const CUmemGenericAllocationHandle handle = Create(kGranule);
  const CUdeviceptr address = Reserve(kGranule);
  ASSERT_EQ(cuMemMap(address, kGranule, 0, handle, 0), CUDA_SUCCESS);
  char byte = 0;
  EXPECT_EQ(cuMemcpyDtoH_v2(&byte, address, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy(reinterpret_cast<CUdeviceptr>(&byte), address, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(address, reinterpret_cast<void*>(address), 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(Access(address, kGranule, kBoth), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(address, 1, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(Access(address, kGranule, CU_MEM_ACCESS_FLAGS_PROT_NONE), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(address, 1, kGranule), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(address, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(address, kGranule), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, WhatIsNotAllowed) {
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAddressReserve(&address, 4096, 0, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(&address, 0, 0, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(&address, kGranule, 3, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(&address, size_t{1} << 62, 0, 0, 0), CUDA_ERROR_OUT_OF_MEMORY);
  CUmemAllocationProp properties = OnDevice(0);
  CUmemGenericAllocationHandle handle = 0;
  EXPECT_EQ(cuMemCreate(&handle, 4096, &properties, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemCreate(&handle, size_t{1} << 50, &properties, 0), CUDA_ERROR_OUT_OF_MEMORY);
  properties.location.type = CU_MEM_LOCATION_TYPE_HOST;
  EXPECT_EQ(cuMemCreate(&handle, kGranule, &properties, 0), CUDA_ERROR_NOT_SUPPORTED);
  properties = OnDevice(0);
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_FABRIC;
  EXPECT_EQ(cuMemCreate(&handle, kGranule, &properties, 0), CUDA_ERROR_NOT_SUPPORTED);

  handle = Create(kGranule);
  address = Reserve(2 * kGranule);
  const CUdeviceptr foreign = Allocate(4 * kGranule);
  EXPECT_EQ(cuMemMap(foreign, kGranule, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemMap(address, 2 * kGranule, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemMap(address + 4096, kGranule, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemMap(address + 2 * kGranule, kGranule, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemMap(address, kGranule, 0, handle + 32, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemMap(address, kGranule, 0, handle, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemMap(address, kGranule, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(address, 2 * kGranule), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(Access(address, 2 * kGranule, kBoth), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(address, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(address, kGranule), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(address, 2 * kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(address, 2 * kGranule), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(foreign), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, AddressesAreAlignedAndWhereTheyAreWanted) {
  CUdeviceptr address = 0;
  ASSERT_EQ(cuMemAddressReserve(&address, kGranule, size_t{1} << 30, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(address % (size_t{1} << 30), 0u);
  EXPECT_EQ(cuMemAddressFree(address, kGranule), CUDA_SUCCESS);
  CUdeviceptr again = 0;
  ASSERT_EQ(cuMemAddressReserve(&again, kGranule, 0, address, 0), CUDA_SUCCESS);
  EXPECT_EQ(again, address);
  CUdeviceptr elsewhere = 0;
  ASSERT_EQ(cuMemAddressReserve(&elsewhere, kGranule, 0, address, 0), CUDA_SUCCESS);
  EXPECT_NE(elsewhere, address);
  EXPECT_EQ(cuMemAddressFree(again, kGranule), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(elsewhere, kGranule), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, OnlyWhatIsOursIsImported) {
  CUmemGenericAllocationHandle handle = 0;
  auto import = [&handle](int fd) {
    return cuMemImportFromShareableHandle(&handle,
                                          reinterpret_cast<void*>(static_cast<intptr_t>(fd)),
                                          CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  };
  EXPECT_EQ(import(-1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(import(0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(import(1 << 20), CUDA_ERROR_INVALID_VALUE);
  // A file that its maker could cut under the reader.
  const int fd = memfd_create("vgpu-memory-GPU-00000000-0000-0000-0000-000000000000",
                              MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(ftruncate(fd, kGranule), 0);
  EXPECT_EQ(import(fd), CUDA_ERROR_INVALID_VALUE);
  close(fd);
}

}  // namespace
}  // namespace vgpu::cuda
