#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/test_devices.h"

namespace vgpu::cuda {
namespace {

class MemoryTest : public OnDeviceTest {};

size_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

TEST_F(MemoryTest, WhatNobodyTouchesTakesNoMemoryOfTheHost) {
  const size_t before = ResidentKib();
  const CUdeviceptr pointer = Allocate(Free());
  EXPECT_LT(ResidentKib() - before, 1024u);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

TEST_F(MemoryTest, IsCountedInGranulesOf512Bytes) {
  const CUdeviceptr pointer = Allocate(1);
  EXPECT_EQ(free_before_ - Free(), 512u);
  EXPECT_EQ(pointer % 512, 0u);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

TEST_F(MemoryTest, BelongsToItsDevice) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 1), CUDA_SUCCESS);
  const size_t before = Free();
  const CUdeviceptr pointer = Allocate(1 << 20);
  EXPECT_EQ(before - Free(), size_t{1} << 20);
  EXPECT_EQ(cuCtxPopCurrent_v2(nullptr), CUDA_SUCCESS);
  EXPECT_EQ(Free(), free_before_);
  // Any context of the process may free it.
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy_v2(other), CUDA_SUCCESS);
}

TEST_F(MemoryTest, WhatCannotBeAllocatedOrFreed) {
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemAlloc_v2(&pointer, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(nullptr, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(12345), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(~CUdeviceptr{0}), CUDA_ERROR_INVALID_VALUE);
  const CUdeviceptr good = Allocate(4096);
  EXPECT_EQ(cuMemFree_v2(good + 512), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFreeHost(reinterpret_cast<void*>(good)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(good), CUDA_SUCCESS);
}

TEST_F(MemoryTest, AnAddressSpaceThatIsFullIsOutOfMemory) {
  rlimit old = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &old), 0);
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  statm >> pages;
  rlimit limit = old;
  limit.rlim_cur = pages * static_cast<size_t>(getpagesize()) + (size_t{64} << 20);
  if (setrlimit(RLIMIT_AS, &limit) != 0) GTEST_SKIP() << "setrlimit(RLIMIT_AS) is not permitted";
  CUdeviceptr pointer = 0;
  const CUresult result = cuMemAlloc_v2(&pointer, size_t{1} << 30);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &old), 0);
  EXPECT_EQ(result, CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(MemoryTest, PitchIsARowThatBeginsAligned) {
  CUdeviceptr pointer = 0;
  size_t pitch = 0;
  ASSERT_EQ(cuMemAllocPitch_v2(&pointer, &pitch, 1000, 30, 4), CUDA_SUCCESS);
  EXPECT_EQ(pitch, 1024u);
  CUdeviceptr base = 0;
  size_t size = 0;
  EXPECT_EQ(cuMemGetAddressRange_v2(&base, &size, pointer + 5000), CUDA_SUCCESS);
  EXPECT_EQ(base, pointer);
  EXPECT_EQ(size, 1024u * 30);
  EXPECT_EQ(cuMemGetAddressRange_v2(nullptr, nullptr, pointer + size), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocPitch_v2(&pointer, &pitch, 1000, 30, 3), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocPitch_v2(&pointer, &pitch, SIZE_MAX, 30, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocPitch_v2(&pointer, &pitch, SIZE_MAX / 4, 30, 4), CUDA_ERROR_INVALID_VALUE);
}

// The functions of before CUDA 3.2.
TEST_F(MemoryTest, PointersOf32BitsReachTheirMemory) {
  CUdeviceptr_v1 pointer = 0;
  ASSERT_EQ(cuMemAlloc(&pointer, 1 << 20), CUDA_SUCCESS);
  const std::string sent(1 << 20, 'x');
  std::string received(1 << 20, ' ');
  EXPECT_EQ(cuMemcpyHtoD(pointer, sent.data(), 1 << 20), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoH(received.data(), pointer, 1 << 20), CUDA_SUCCESS);
  EXPECT_EQ(received, sent);
  CUdeviceptr_v1 base = 0;
  unsigned size = 0;
  EXPECT_EQ(cuMemGetAddressRange(&base, &size, pointer + 7), CUDA_SUCCESS);
  EXPECT_EQ(base, pointer);
  EXPECT_EQ(size, 1u << 20);
  unsigned free_bytes = 0;
  unsigned total = 0;
  EXPECT_EQ(cuMemGetInfo(&free_bytes, &total), CUDA_SUCCESS);
  EXPECT_EQ(total, UINT32_MAX);
  EXPECT_EQ(cuMemFree(pointer), CUDA_SUCCESS);
}

TEST_F(MemoryTest, HostMemoryIsNotTheDevices) {
  void* address = nullptr;
  ASSERT_EQ(cuMemHostAlloc(&address, 1 << 20, CU_MEMHOSTALLOC_PORTABLE), CUDA_SUCCESS);
  EXPECT_EQ(Free(), free_before_);
  std::memset(address, 7, 1 << 20);
  unsigned flags = 0;
  EXPECT_EQ(cuMemHostGetFlags(&flags, address), CUDA_SUCCESS);
  EXPECT_EQ(flags, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP);
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemHostGetDevicePointer_v2(&pointer, address, 0), CUDA_SUCCESS);
  EXPECT_EQ(pointer, reinterpret_cast<CUdeviceptr>(address));
  EXPECT_EQ(cuMemHostGetDevicePointer_v2(&pointer, address, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostGetDevicePointer_v2(&pointer, &flags, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFreeHost(address), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeHost(address), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostAlloc(&address, 1, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocHost_v2(&address, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, TheProgramsOwnMemoryIsRegisteredOnce) {
  std::vector<char> own(1 << 16);
  ASSERT_EQ(cuMemHostRegister_v2(own.data(), own.size(), 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostRegister_v2(own.data() + 100, 10, 0),
            CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  CUdeviceptr pointer = 0;
  EXPECT_EQ(cuMemHostGetDevicePointer_v2(&pointer, own.data(), 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 9, own.size()), CUDA_SUCCESS);
  EXPECT_EQ(own, std::vector<char>(1 << 16, 9));
  EXPECT_EQ(cuMemHostUnregister(own.data() + 1), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  EXPECT_EQ(cuMemHostUnregister(own.data()), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostUnregister(own.data()), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(own[0], 9);
  EXPECT_EQ(cuMemHostRegister_v2(nullptr, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostRegister_v2(own.data(), 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostRegister_v2(own.data(), SIZE_MAX, 0), CUDA_ERROR_INVALID_VALUE);
  // Where there is no memory.
  void* hole = mmap(nullptr, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(hole, MAP_FAILED);
  ASSERT_EQ(munmap(hole, 8192), 0);
  EXPECT_EQ(cuMemHostRegister_v2(hole, 8192, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, ReadOnlyMemoryIsNotWritten) {
  const size_t page = static_cast<size_t>(getpagesize());
  void* own = mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(own, MAP_FAILED);
  ASSERT_EQ(cuMemHostRegister_v2(own, page, CU_MEMHOSTREGISTER_READ_ONLY), CUDA_SUCCESS);
  const auto pointer = reinterpret_cast<CUdeviceptr>(own);
  EXPECT_EQ(cuMemsetD8_v2(pointer, 1, 1), CUDA_ERROR_INVALID_VALUE);
  char byte = 1;
  EXPECT_EQ(cuMemcpyDtoH_v2(&byte, pointer, 1), CUDA_SUCCESS);
  EXPECT_EQ(byte, 0);
  EXPECT_EQ(cuMemHostUnregister(own), CUDA_SUCCESS);
  ASSERT_EQ(munmap(own, page), 0);
}

TEST_F(MemoryTest, ManagedMemoryIsBothSides) {
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAllocManaged(&pointer, 1 << 20, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  EXPECT_EQ(free_before_ - Free(), size_t{1} << 20);
  std::memset(reinterpret_cast<void*>(pointer), 3, 1 << 20);
  std::string received(1 << 20, ' ');
  EXPECT_EQ(cuMemcpyDtoH_v2(received.data(), pointer, received.size()), CUDA_SUCCESS);
  EXPECT_EQ(received, std::string(1 << 20, 3));
  EXPECT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocManaged(&pointer, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocManaged(&pointer, 1, CU_MEM_ATTACH_SINGLE), CUDA_ERROR_INVALID_VALUE);
}

// Against a model: allocations never overlap, and free memory is what the model says.
TEST_F(MemoryTest, ManyAllocationsAreWhatAModelSays) {
  std::mt19937 random(7);
  std::map<CUdeviceptr, size_t> held;
  size_t used = 0;
  for (int i = 0; i < 20000; ++i) {
    if (held.empty() || random() % 5 < 3) {
      const size_t size = 1 + random() % (random() % 8 == 0 ? 1 << 21 : 1 << 12);
      const CUdeviceptr pointer = Allocate(size);
      auto after = held.lower_bound(pointer);
      if (after != held.end()) {
        ASSERT_LE(pointer + size, after->first);
      }
      if (after != held.begin()) {
        --after;
        ASSERT_LE(after->first + after->second, pointer);
      }
      held[pointer] = size;
      used += (size + 511) / 512 * 512;
    } else {
      auto gone = held.begin();
      std::advance(gone, random() % std::min<size_t>(held.size(), 50));
      CUdeviceptr base = 0;
      size_t size = 0;
      ASSERT_EQ(cuMemGetAddressRange_v2(&base, &size, gone->first + random() % gone->second),
                CUDA_SUCCESS);
      ASSERT_EQ(base, gone->first);
      ASSERT_EQ(size, gone->second);
      ASSERT_EQ(cuMemFree_v2(gone->first), CUDA_SUCCESS);
      used -= (gone->second + 511) / 512 * 512;
      held.erase(gone);
    }
    if (i % 100 == 0) {
      ASSERT_EQ(free_before_ - Free(), used);
    }
  }
  for (const auto& [pointer, size] : held) ASSERT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
}

// What is freed by one thread while another copies is not taken from under it.
TEST_F(MemoryTest, ACopyAndAFreeMayMeet) {
  constexpr size_t kSize = 1 << 20;
  std::atomic<CUdeviceptr> shared = 0;
  std::atomic<bool> stop = false;
  std::atomic<int> copied = 0;
  std::vector<std::thread> copiers;
  for (int i = 0; i < 2; ++i) {
    copiers.emplace_back([&] {
      ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      std::vector<char> buffer(kSize);
      while (!stop) {
        const CUdeviceptr pointer = shared;
        if (pointer == 0) continue;
        const CUresult result = cuMemcpyDtoH_v2(buffer.data(), pointer, kSize);
        ASSERT_TRUE(result == CUDA_SUCCESS || result == CUDA_ERROR_INVALID_VALUE) << result;
        if (result == CUDA_SUCCESS) ++copied;
      }
      ASSERT_EQ(cuCtxSetCurrent(nullptr), CUDA_SUCCESS);
    });
  }
  for (int i = 0; i < 300; ++i) {
    const CUdeviceptr pointer = Allocate(kSize);
    shared = pointer;
    const int before = copied;
    for (int wait = 0; copied == before && wait < 1000; ++wait) std::this_thread::yield();
    ASSERT_EQ(cuMemFree_v2(pointer), CUDA_SUCCESS);
  }
  stop = true;
  for (std::thread& copier : copiers) copier.join();
  EXPECT_GT(copied, 0);
}

}  // namespace
}  // namespace vgpu::cuda
