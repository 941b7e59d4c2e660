// The runtime over the driver shim, on a machine with two devices (test_machine.h).

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "shims/cudart/api.h"
#include "shims/cudart/test_machine.h"

namespace vgpu::cudart {
namespace {

const bool configured = (UseTestMachine(), true);

#if VGPU_CUDART_MAJOR == 12
constexpr auto* kGetProperties = &cudaGetDeviceProperties_v2;
#else
constexpr auto* kGetProperties = &cudaGetDeviceProperties;
#endif

size_t FreeMemory() {
  size_t free = 0;
  size_t total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  return free;
}

class Runtime : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    cudaGetLastError();
  }
};

// --- Versions and errors

TEST_F(Runtime, KnowsItsVersionAndTheDrivers) {
  int version = 0;
  EXPECT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, kRuntimeVersion);
  EXPECT_EQ(version / 1000, VGPU_CUDART_MAJOR);
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 13000);
  EXPECT_EQ(cudaRuntimeGetVersion(nullptr), cudaErrorInvalidValue);
}

TEST_F(Runtime, NamesEveryError) {
  EXPECT_STREQ(cudaGetErrorName(cudaSuccess), "cudaSuccess");
  EXPECT_STREQ(cudaGetErrorName(cudaErrorMemoryAllocation), "cudaErrorMemoryAllocation");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
  EXPECT_STREQ(cudaGetErrorString(static_cast<cudaError_t>(12345)), "unrecognized error code");
  for (int code : {0, 1, 2, 13, 35, 98, 100, 101, 400, 700, 801, 900, 999}) {
    EXPECT_TRUE(std::string(cudaGetErrorName(static_cast<cudaError_t>(code))).starts_with("cuda"));
    EXPECT_NE(cudaGetErrorString(static_cast<cudaError_t>(code)), std::string());
  }
}

TEST_F(Runtime, KeepsTheLastErrorUntilItIsAsked) {
  EXPECT_EQ(cudaMalloc(nullptr, 1), cudaErrorInvalidValue);
  int device = -1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);  // a success hides nothing
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(Runtime, EachThreadHasItsOwnLastError) {
  EXPECT_EQ(cudaSetDevice(77), cudaErrorInvalidDevice);
  std::thread([] { EXPECT_EQ(cudaGetLastError(), cudaSuccess); }).join();
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

TEST_F(Runtime, KeepsErrno) {
  errno = ENOTTY;
  void* address = nullptr;
  EXPECT_EQ(cudaMalloc(&address, 4096), cudaSuccess);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&address, size_t{1} << 60), cudaErrorMemoryAllocation);
  EXPECT_EQ(errno, ENOTTY);
}

// --- Devices

TEST_F(Runtime, SeesTheDevices) {
  int count = 0;
  ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(cudaGetDeviceCount(nullptr), cudaErrorInvalidValue);
  cudaDeviceProp properties;
  ASSERT_EQ(kGetProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, kFirstName);
  EXPECT_EQ(properties.totalGlobalMem[0], size_t{81920} << 20);
  EXPECT_EQ(properties.major[0], 9);
  EXPECT_EQ(properties.multiProcessorCount[0], 132);
  ASSERT_EQ(kGetProperties(&properties, 1), cudaSuccess);
  EXPECT_STREQ(properties.name, kSecondName);
  EXPECT_EQ(kGetProperties(&properties, 2), cudaErrorInvalidDevice);
  EXPECT_EQ(kGetProperties(&properties, -1), cudaErrorInvalidDevice);
  EXPECT_EQ(kGetProperties(nullptr, 0), cudaErrorInvalidValue);
}

template <int... kAttributes, typename T>
void ExpectAttributes(const char* name, [[maybe_unused]] const T* values) {
  if constexpr (sizeof...(kAttributes) > 0) {
    const T* value = values;
    for (int attribute : {kAttributes...}) {
      int expected = 0;
      EXPECT_EQ(cudaDeviceGetAttribute(&expected, attribute, 1), cudaSuccess) << name;
      EXPECT_EQ(static_cast<T>(expected), *value++) << name;
    }
  }
}

TEST_F(Runtime, PropertiesAgreeWithAttributes) {
  cudaDeviceProp properties;
  ASSERT_EQ(kGetProperties(&properties, 1), cudaSuccess);
#define VGPU_DEVICE_PROP(majors, type, name, count, ...) \
  VGPU_IF_##majors(ExpectAttributes<__VA_ARGS__>(#name, properties.name);)
#include "shims/abi/cudart_device_prop.inc"
#undef VGPU_DEVICE_PROP
}

#if VGPU_CUDART_MAJOR == 12
TEST_F(Runtime, OlderProgramsGetTheBeginningOfTheProperties) {
  cudaDeviceProp now;
  ASSERT_EQ(cudaGetDeviceProperties_v2(&now, 0), cudaSuccess);
  // driver_types.h of 11.8 has 728 bytes; a program of it has room for no more.
  struct {
    cudaDeviceProp_v1 properties;
    std::array<char, 512> behind;
  } then;
  static_assert(sizeof(cudaDeviceProp_v1) == 728);
  memset(&then, 0x5a, sizeof(then));
  ASSERT_EQ(cudaGetDeviceProperties(&then.properties, 0), cudaSuccess);
  EXPECT_EQ(memcmp(&then.properties, &now, sizeof(then.properties)), 0);
  EXPECT_TRUE(
      std::all_of(then.behind.begin(), then.behind.end(), [](char c) { return c == 0x5a; }));
}
#endif

TEST_F(Runtime, FindsADeviceByItsAddress) {
  std::array<char, 32> text = {};
  ASSERT_EQ(cudaDeviceGetPCIBusId(text.data(), text.size(), 1), cudaSuccess);
  int device = -1;
  ASSERT_EQ(cudaDeviceGetByPCIBusId(&device, text.data()), cudaSuccess);
  EXPECT_EQ(device, 1);
}

TEST_F(Runtime, EachThreadHasItsOwnDevice) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  std::thread([] {
    int device = -1;
    EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
    EXPECT_EQ(device, 0);
  }).join();
  int device = -1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 1);
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 1);
}

TEST_F(Runtime, ChoosesTheDeviceThatHasWhatIsAsked) {
  cudaDeviceProp wanted = {};
  wanted.major[0] = 9;
  int device = -1;
  ASSERT_EQ(cudaChooseDevice(&device, &wanted), cudaSuccess);
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cudaChooseDevice(nullptr, &wanted), cudaErrorInvalidValue);
}

TEST_F(Runtime, FlagsOfADevice) {
  ASSERT_EQ(cudaSetDeviceFlags(0x01), cudaSuccess);  // cudaDeviceScheduleSpin
  unsigned flags = 0;
  ASSERT_EQ(cudaGetDeviceFlags(&flags), cudaSuccess);
  EXPECT_EQ(flags, 0x09u);  // cudaDeviceMapHost is always on
  EXPECT_EQ(cudaSetDeviceFlags(0x1000), cudaErrorInvalidValue);
  ASSERT_EQ(cudaSetDeviceFlags(0), cudaSuccess);
}

TEST_F(Runtime, PeersReachEachOther) {
  int can = 0;
  ASSERT_EQ(cudaDeviceCanAccessPeer(&can, 0, 1), cudaSuccess);
  ASSERT_EQ(can, 1);
  ASSERT_EQ(cudaDeviceEnablePeerAccess(1, 0), cudaSuccess);
  EXPECT_EQ(cudaDeviceEnablePeerAccess(1, 0), cudaErrorPeerAccessAlreadyEnabled);
  EXPECT_EQ(cudaDeviceDisablePeerAccess(1), cudaSuccess);
  EXPECT_EQ(cudaDeviceDisablePeerAccess(1), cudaErrorPeerAccessNotEnabled);
  EXPECT_EQ(cudaDeviceEnablePeerAccess(5, 0), cudaErrorInvalidDevice);
}

// --- Contexts

TEST_F(Runtime, ResetTakesWhatTheDeviceHeld) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  size_t before = FreeMemory();
  void* address = nullptr;
  ASSERT_EQ(cudaMalloc(&address, 1 << 20), cudaSuccess);
  EXPECT_LT(FreeMemory(), before);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(FreeMemory(), before);  // with a new context, of the same device
  int device = -1;
  ASSERT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 1);
  EXPECT_EQ(cudaFree(address), cudaErrorInvalidValue);
}

TEST_F(Runtime, AThreadGoesOnAfterAnotherHasReset) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  void* address = nullptr;
  ASSERT_EQ(cudaMalloc(&address, 4096), cudaSuccess);
  std::thread([] {
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  }).join();
  ASSERT_EQ(cudaMalloc(&address, 4096), cudaSuccess);
  int device = -1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 1);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
}

TEST_F(Runtime, ManyThreadsBeginAtOnce) {
  std::atomic<bool> go = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&go, i] {
      while (!go) std::this_thread::yield();
      for (int round = 0; round < 50; ++round) {
        ASSERT_EQ(cudaSetDevice(i % 2), cudaSuccess);
        void* address = nullptr;
        ASSERT_EQ(cudaMalloc(&address, 4096), cudaSuccess);
        ASSERT_EQ(cudaMemset(address, i, 4096), cudaSuccess);
        ASSERT_EQ(cudaFree(address), cudaSuccess);
      }
    });
  }
  go = true;
  for (std::thread& thread : threads) thread.join();
}

// --- Memory

TEST_F(Runtime, CountsMemoryExactly) {
  size_t before = FreeMemory();
  void* address = nullptr;
  ASSERT_EQ(cudaMalloc(&address, size_t{256} << 20), cudaSuccess);
  EXPECT_EQ(before - FreeMemory(), size_t{256} << 20);
  ASSERT_EQ(cudaFree(address), cudaSuccess);
  EXPECT_EQ(FreeMemory(), before);
  EXPECT_EQ(cudaFree(address), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMalloc(&address, size_t{1} << 40), cudaErrorMemoryAllocation);
  EXPECT_EQ(address, nullptr);
}

TEST_F(Runtime, NothingIsNoError) {
  void* address = &address;
  EXPECT_EQ(cudaMalloc(&address, 0), cudaSuccess);
  EXPECT_EQ(address, nullptr);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(nullptr), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(cudaMemset(nullptr, 0, 0), cudaSuccess);
  EXPECT_EQ(cudaMallocManaged(&address, 0, 1), cudaErrorInvalidValue);
}

TEST_F(Runtime, CopiesBothWays) {
  std::vector<unsigned char> in(1 << 20);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i * 7 + i / 256);
  std::vector<unsigned char> out(in.size());
  void* a = nullptr;
  void* b = nullptr;
  ASSERT_EQ(cudaMalloc(&a, in.size()), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&b, in.size()), cudaSuccess);
  for (cudaMemcpyKind kind : {cudaMemcpyHostToDevice, cudaMemcpyDefault}) {
    ASSERT_EQ(cudaMemset(a, 0, in.size()), cudaSuccess);
    ASSERT_EQ(cudaMemcpy(a, in.data(), in.size(), kind), cudaSuccess);
    ASSERT_EQ(cudaMemcpy(b, a, in.size(), cudaMemcpyDeviceToDevice), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(out.data(), b, out.size(), cudaMemcpyDeviceToHost, nullptr),
              cudaSuccess);
    EXPECT_EQ(in, out);
    std::fill(out.begin(), out.end(), 0);
  }
  ASSERT_EQ(cudaMemcpy(out.data(), in.data(), in.size(), cudaMemcpyHostToHost), cudaSuccess);
  EXPECT_EQ(in, out);
  EXPECT_EQ(cudaMemcpy(a, in.data(), 1, static_cast<cudaMemcpyKind>(5)),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(a, in.data(), 1, static_cast<cudaMemcpyKind>(-1)),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(nullptr, in.data(), 1, cudaMemcpyDefault), cudaErrorInvalidValue);
  // Not beyond an allocation.
  EXPECT_EQ(cudaMemcpy(a, in.data(), in.size() * 2, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpyPeer(b, 0, a, 0, in.size()), cudaSuccess);
  EXPECT_EQ(cudaMemcpyPeer(b, 0, a, 9, in.size()), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaFree(a), cudaSuccess);
  EXPECT_EQ(cudaFree(b), cudaSuccess);
}

TEST_F(Runtime, CopiesAndSetsPlanes) {
  constexpr size_t kWidth = 100;
  constexpr size_t kHeight = 17;
  void* address = nullptr;
  size_t pitch = 0;
  ASSERT_EQ(cudaMallocPitch(&address, &pitch, kWidth, kHeight), cudaSuccess);
  ASSERT_GE(pitch, kWidth);
  std::vector<unsigned char> in(kWidth * kHeight);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i);
  ASSERT_EQ(
      cudaMemcpy2D(address, pitch, in.data(), kWidth, kWidth, kHeight, cudaMemcpyHostToDevice),
      cudaSuccess);
  std::vector<unsigned char> out(in.size());
  ASSERT_EQ(cudaMemcpy2DAsync(out.data(), kWidth, address, pitch, kWidth, kHeight,
                              cudaMemcpyDeviceToHost, nullptr),
            cudaSuccess);
  EXPECT_EQ(in, out);
  ASSERT_EQ(cudaMemset2D(address, pitch, 0xa5, kWidth / 2, kHeight), cudaSuccess);
  ASSERT_EQ(cudaMemcpy2D(out.data(), kWidth, address, pitch, kWidth, kHeight, cudaMemcpyDefault),
            cudaSuccess);
  EXPECT_EQ(out[kWidth], 0xa5);
  EXPECT_EQ(out[kWidth + kWidth / 2], in[kWidth + kWidth / 2]);
  EXPECT_EQ(
      cudaMemcpy2D(address, kWidth - 1, in.data(), kWidth, kWidth, kHeight, cudaMemcpyHostToDevice),
      cudaErrorInvalidPitchValue);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
}

TEST_F(Runtime, CopiesAndSetsBoxes) {
  constexpr cudaExtent kExtent = {20, 6, 5};
  cudaPitchedPtr box = {};
  ASSERT_EQ(cudaMalloc3D(&box, kExtent), cudaSuccess);
  EXPECT_EQ(box.ysize, kExtent.height);
  ASSERT_EQ(cudaMemset3D(box, 3, kExtent), cudaSuccess);
  std::vector<unsigned char> in(kExtent.width * kExtent.height * kExtent.depth);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i + 1);
  // All but a border of one row and one byte.
  cudaMemcpy3DParms copy = {};
  copy.srcPtr = {in.data(), kExtent.width, kExtent.width, kExtent.height};
  copy.srcPos = {1, 1, 0};
  copy.dstPtr = box;
  copy.dstPos = {1, 1, 0};
  copy.extent = {kExtent.width - 1, kExtent.height - 1, kExtent.depth};
  copy.kind = cudaMemcpyHostToDevice;
  ASSERT_EQ(cudaMemcpy3D(&copy), cudaSuccess);
  std::vector<unsigned char> out(in.size());
  cudaMemcpy3DParms back = {};
  back.srcPtr = box;
  back.dstPtr = {out.data(), kExtent.width, kExtent.width, kExtent.height};
  back.extent = kExtent;
  back.kind = cudaMemcpyDeviceToHost;
  ASSERT_EQ(cudaMemcpy3DAsync(&back, nullptr), cudaSuccess);
  for (size_t i = 0; i < in.size(); ++i) {
    bool border = i % kExtent.width == 0 || i / kExtent.width % kExtent.height == 0;
    ASSERT_EQ(out[i], border ? 3 : in[i]) << i;
  }
  EXPECT_EQ(cudaMemcpy3D(nullptr), cudaErrorInvalidValue);
  back.srcPtr.ptr = nullptr;
  EXPECT_EQ(cudaMemcpy3D(&back), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(box.ptr), cudaSuccess);
}

TEST_F(Runtime, HostMemory) {
  void* host = nullptr;
  ASSERT_EQ(cudaHostAlloc(&host, 4096, 2 /* cudaHostAllocMapped */), cudaSuccess);
  memset(host, 1, 4096);
  void* device = nullptr;
  ASSERT_EQ(cudaHostGetDevicePointer(&device, host, 0), cudaSuccess);
  EXPECT_NE(device, nullptr);
  unsigned flags = 0;
  ASSERT_EQ(cudaHostGetFlags(&flags, host), cudaSuccess);
  EXPECT_EQ(flags & 2u, 2u);
  EXPECT_EQ(cudaFreeHost(host), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(host), cudaErrorInvalidValue);
  std::vector<char> own(1 << 16);
  ASSERT_EQ(cudaHostRegister(own.data(), own.size(), 0), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(own.data(), own.size(), 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostUnregister(own.data()), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(own.data()), cudaErrorHostMemoryNotRegistered);
}

// --- Memory of other kinds

TEST_F(Runtime, TellsWhatAPointerIs) {
  cudaPointerAttributes attributes = {};
  int local = 0;
  ASSERT_EQ(cudaPointerGetAttributes(&attributes, &local), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
  EXPECT_EQ(attributes.device, -2);
  EXPECT_EQ(attributes.hostPointer, &local);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  void* device = nullptr;
  ASSERT_EQ(cudaMalloc(&device, 100), cudaSuccess);
  ASSERT_EQ(cudaPointerGetAttributes(&attributes, static_cast<char*>(device) + 99), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  EXPECT_EQ(attributes.device, 1);
  EXPECT_EQ(attributes.devicePointer, static_cast<char*>(device) + 99);
  EXPECT_EQ(attributes.hostPointer, nullptr);
  void* managed = nullptr;
  ASSERT_EQ(cudaMallocManaged(&managed, 100, 1), cudaSuccess);
  ASSERT_EQ(cudaPointerGetAttributes(&attributes, managed), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeManaged);
  void* host = nullptr;
  ASSERT_EQ(cudaMallocHost(&host, 100), cudaSuccess);
  ASSERT_EQ(cudaPointerGetAttributes(&attributes, host), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
  EXPECT_EQ(attributes.hostPointer, host);
  EXPECT_EQ(cudaPointerGetAttributes(nullptr, host), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
  EXPECT_EQ(cudaFree(managed), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(host), cudaSuccess);
}

TEST_F(Runtime, ManagedMemoryTakesHints) {
  void* managed = nullptr;
  ASSERT_EQ(cudaMallocManaged(&managed, 1 << 16, 1), cudaSuccess);
#if VGPU_CUDART_MAJOR == 12
  EXPECT_EQ(cudaMemAdvise(managed, 1 << 16, 1 /* SetReadMostly */, 0), cudaSuccess);
  EXPECT_EQ(cudaMemPrefetchAsync(managed, 1 << 16, 0, nullptr), cudaSuccess);
  EXPECT_EQ(cudaMemPrefetchAsync_v2(managed, 1 << 16, {1, 0}, 0, nullptr), cudaSuccess);
  EXPECT_EQ(cudaMemAdvise_v2(managed, 1 << 16, 1, {1, 0}), cudaSuccess);
#else
  EXPECT_EQ(cudaMemPrefetchAsync(managed, 1 << 16, {1, 0}, 0, nullptr), cudaSuccess);
  EXPECT_EQ(cudaMemAdvise(managed, 1 << 16, 1, {1, 0}), cudaSuccess);
#endif
  int read_mostly = -1;
  EXPECT_EQ(cudaMemRangeGetAttribute(&read_mostly, sizeof(read_mostly), 1, managed, 1 << 16),
            cudaSuccess);
  EXPECT_EQ(read_mostly, 1);
  EXPECT_EQ(cudaFree(managed), cudaSuccess);
}

TEST_F(Runtime, PoolsGiveAndTake) {
  size_t before = FreeMemory();
  void* address = nullptr;
  ASSERT_EQ(cudaMallocAsync(&address, 1 << 20, nullptr), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(address, 1, 1 << 20, nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(address, nullptr), cudaSuccess);
  cudaMemPool_t pool = nullptr;
  ASSERT_EQ(cudaDeviceGetDefaultMemPool(&pool, 0), cudaSuccess);
  EXPECT_EQ(cudaMemPoolTrimTo(pool, 0), cudaSuccess);
  EXPECT_EQ(FreeMemory(), before);
  cudaMemPoolProps properties = {};
  properties.allocType = 1;  // pinned
  properties.location = {1, 0};
  cudaMemPool_t own = nullptr;
  ASSERT_EQ(cudaMemPoolCreate(&own, &properties), cudaSuccess);
  uint64_t threshold = 1 << 20;
  ASSERT_EQ(cudaMemPoolSetAttribute(own, 4 /* ReleaseThreshold */, &threshold), cudaSuccess);
  ASSERT_EQ(cudaMallocFromPoolAsync(&address, 4096, own, nullptr), cudaSuccess);
  uint64_t used = 0;
  ASSERT_EQ(cudaMemPoolGetAttribute(own, 7 /* UsedMemCurrent */, &used), cudaSuccess);
  EXPECT_GE(used, 4096u);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
  EXPECT_EQ(cudaMemPoolDestroy(own), cudaSuccess);
  EXPECT_EQ(FreeMemory(), before);
}

TEST_F(Runtime, ArraysKeepTheirTexels) {
  cudaChannelFormatDesc channels = cudaCreateChannelDesc(32, 32, 0, 0, cudaChannelFormatKindFloat);
  cudaArray_t array = nullptr;
  ASSERT_EQ(cudaMallocArray(&array, &channels, 10, 4, 0), cudaSuccess);
  cudaChannelFormatDesc found = {};
  cudaExtent extent = {};
  unsigned flags = 7;
  ASSERT_EQ(cudaArrayGetInfo(&found, &extent, &flags, array), cudaSuccess);
  EXPECT_EQ(found.y, 32);
  EXPECT_EQ(found.f, cudaChannelFormatKindFloat);
  EXPECT_EQ(extent.width, 10u);
  EXPECT_EQ(extent.height, 4u);
  EXPECT_EQ(extent.depth, 0u);
  EXPECT_EQ(flags, 0u);
  // 10 texels of 8 bytes in a row.
  std::vector<unsigned char> in(10 * 8 * 4);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i);
  ASSERT_EQ(cudaMemcpy2DToArray(array, 0, 0, in.data(), 80, 80, 4, cudaMemcpyHostToDevice),
            cudaSuccess);
  std::vector<unsigned char> out(in.size());
  ASSERT_EQ(cudaMemcpy2DFromArray(out.data(), 80, array, 0, 0, 80, 4, cudaMemcpyDeviceToHost),
            cudaSuccess);
  EXPECT_EQ(in, out);
  // A line that begins in the middle of one row and ends in another.
  std::vector<unsigned char> line(100, 0xee);
  ASSERT_EQ(cudaMemcpyToArray(array, 40, 0, line.data(), line.size(), cudaMemcpyHostToDevice),
            cudaSuccess);
  std::vector<unsigned char> all(in.size());
  ASSERT_EQ(cudaMemcpyFromArray(all.data(), array, 0, 0, all.size(), cudaMemcpyDeviceToHost),
            cudaSuccess);
  std::copy(line.begin(), line.end(), in.begin() + 40);
  EXPECT_EQ(all, in);
  // A copy with an array counts in texels.
  cudaMemcpy3DParms copy = {};
  copy.srcArray = array;
  copy.srcPos = {9, 3, 0};
  std::array<unsigned char, 8> texel = {};
  copy.dstPtr = {texel.data(), 8, 8, 1};
  copy.extent = {1, 1, 1};
  copy.kind = cudaMemcpyDeviceToHost;
  ASSERT_EQ(cudaMemcpy3D(&copy), cudaSuccess);
  EXPECT_TRUE(std::equal(texel.begin(), texel.end(), in.end() - 8));
  cudaTextureObject_t texture = 0;
  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc description = {};
  description.normalizedCoords = 1;
  description.borderColor[2] = 0.5f;
  ASSERT_EQ(cudaCreateTextureObject(&texture, &resource, &description, nullptr), cudaSuccess);
  cudaResourceDesc back = {};
  ASSERT_EQ(cudaGetTextureObjectResourceDesc(&back, texture), cudaSuccess);
  EXPECT_EQ(back.res.array.array, array);
  cudaTextureDesc as_described = {};
  ASSERT_EQ(cudaGetTextureObjectTextureDesc(&as_described, texture), cudaSuccess);
  EXPECT_EQ(memcmp(&as_described, &description, sizeof(description)), 0);
  EXPECT_EQ(cudaDestroyTextureObject(texture), cudaSuccess);
  channels.f = static_cast<cudaChannelFormatKind>(77);
  cudaArray_t none = nullptr;
  EXPECT_EQ(cudaMallocArray(&none, &channels, 10, 4, 0), cudaErrorInvalidChannelDescriptor);
  EXPECT_EQ(cudaFreeArray(array), cudaSuccess);
  EXPECT_EQ(cudaFreeArray(nullptr), cudaSuccess);
}

// --- Kernels and variables

// What a compiler's constructor does for one kernel and two variables.
class Registered : public Runtime {
 protected:
  void SetUp() override {
    Runtime::SetUp();
    image_ = __cudaRegisterFatBinary(&wrapper_);
    ASSERT_NE(image_, nullptr);
    __cudaRegisterFunction(image_, Host(kernel_), kernel_, "_Z6kernelv", -1, nullptr, nullptr,
                           nullptr, nullptr, nullptr);
    __cudaRegisterVar(image_, variable_.data(), variable_.data(), "variable", 0, variable_.size(),
                      0, 0);
    __cudaRegisterManagedVar(image_, &managed_, nullptr, "managed", 0, 64, 0, 0);
    __cudaRegisterFatBinaryEnd(image_);
  }
  void TearDown() override {
    if (image_ != nullptr) __cudaUnregisterFatBinary(image_);
  }

  static const char* Host(char* place) { return place; }

  cudaError_t Launch(dim3 grid, dim3 block, size_t shared = 0) {
    return cudaLaunchKernel(kernel_, grid, block, nullptr, shared, nullptr);
  }

  void** image_ = nullptr;
  int wrapper_ = 0;
  char kernel_[1] = {};  // its address is all that counts
  std::array<char, 32> variable_ = {};
  void* managed_ = nullptr;
};

TEST_F(Registered, EveryLaunchIsRefused) {
  EXPECT_EQ(Launch({1, 1, 1}, {32, 1, 1}), cudaErrorNotSupported);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotSupported);
  EXPECT_EQ(cudaLaunchCooperativeKernel(kernel_, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr),
            cudaErrorNotSupported);
  cudaLaunchConfig_t configuration = {};
  configuration.gridDim = {1, 1, 1};
  configuration.blockDim = {1, 1, 1};
  EXPECT_EQ(cudaLaunchKernelExC(&configuration, kernel_, nullptr), cudaErrorNotSupported);
  EXPECT_EQ(cudaLaunchKernelExC(nullptr, kernel_, nullptr), cudaErrorInvalidValue);
  cudaKernel_t kernel = nullptr;
  ASSERT_EQ(__cudaGetKernel(&kernel, kernel_), cudaSuccess);
  EXPECT_EQ(__cudaLaunchKernel(kernel, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr),
            cudaErrorNotSupported);
}

TEST_F(Registered, ALaunchThatNoDeviceCouldDoIsAnErrorOfItsOwn) {
  EXPECT_EQ(Launch({0, 1, 1}, {1, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(Launch({1, 1, 1}, {2048, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(Launch({1, 1, 1}, {64, 64, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(Launch({1, 65536, 1}, {1, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(Launch({1, 1, 1}, {1, 1, 1}, 1 << 20), cudaErrorInvalidValue);
  char unknown = 0;
  EXPECT_EQ(cudaLaunchKernel(&unknown, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr),
            cudaErrorInvalidDeviceFunction);
  EXPECT_EQ(cudaLaunchKernel(nullptr, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr),
            cudaErrorInvalidDeviceFunction);
}

TEST_F(Registered, WhatIsUnregisteredIsGone) {
  __cudaUnregisterFatBinary(image_);
  EXPECT_EQ(Launch({1, 1, 1}, {1, 1, 1}), cudaErrorInvalidDeviceFunction);
  size_t size = 0;
  EXPECT_EQ(cudaGetSymbolSize(&size, variable_.data()), cudaErrorInvalidSymbol);
  __cudaUnregisterFatBinary(image_);  // and once more is nothing
  __cudaUnregisterFatBinary(nullptr);
  image_ = nullptr;
}

TEST_F(Registered, AHandleThatIsNoneIsNotLookedAt) {
  void* invented = nullptr;
  __cudaRegisterFunction(&invented, kernel_ + 1, kernel_ + 1, "other", 0, nullptr, nullptr, nullptr,
                         nullptr, nullptr);
  __cudaRegisterVar(nullptr, kernel_ + 1, nullptr, "other", 0, 1, 0, 0);
  EXPECT_EQ(cudaLaunchKernel(kernel_ + 1, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr),
            cudaErrorInvalidDeviceFunction);
}

TEST_F(Registered, AttributesOfAKernel) {
  cudaFuncAttributes attributes = {};
  ASSERT_EQ(cudaFuncGetAttributes(&attributes, kernel_), cudaSuccess);
  EXPECT_EQ(attributes.maxThreadsPerBlock, 1024);
  EXPECT_EQ(attributes.binaryVersion, 90);
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, 49152);
  ASSERT_EQ(cudaFuncSetAttribute(kernel_, cudaFuncAttributeMaxDynamicSharedMemorySize, 200000),
            cudaSuccess);
  ASSERT_EQ(cudaFuncGetAttributes(&attributes, kernel_), cudaSuccess);
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, 200000);
  EXPECT_EQ(Launch({1, 1, 1}, {1, 1, 1}, 200000), cudaErrorNotSupported);
  EXPECT_EQ(cudaFuncSetAttribute(kernel_, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaFuncSetAttribute(kernel_, static_cast<cudaFuncAttribute>(99), 1),
            cudaErrorInvalidValue);
  const char* name = nullptr;
  ASSERT_EQ(cudaFuncGetName(&name, kernel_), cudaSuccess);
  EXPECT_STREQ(name, "_Z6kernelv");
  char unknown = 0;
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, &unknown), cudaErrorInvalidDeviceFunction);
  EXPECT_EQ(cudaFuncSetAttribute(&unknown, cudaFuncAttributeMaxDynamicSharedMemorySize, 1),
            cudaErrorInvalidDeviceFunction);
}

// By hand for compute capability 9.0: 2048 threads, 32 blocks, 233472 bytes of shared memory.
TEST_F(Registered, Occupancy) {
  struct {
    int block;
    size_t shared;
    int blocks;
  } constexpr kCases[] = {{1024, 0, 2}, {256, 0, 8},     {32, 0, 32},  {33, 0, 32},
                          {65, 0, 21},  {256, 48000, 4}, {1025, 0, 0}, {256, 49153, 0}};
  for (const auto& c : kCases) {
    int blocks = -1;
    ASSERT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel_, c.block, c.shared),
              cudaSuccess);
    EXPECT_EQ(blocks, c.blocks) << c.block << " threads, " << c.shared << " bytes";
  }
  int blocks = 0;
  EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel_, 0, 0),
            cudaErrorInvalidValue);
  size_t shared = 0;
  ASSERT_EQ(cudaOccupancyAvailableDynamicSMemPerBlock(&shared, kernel_, 2, 256), cudaSuccess);
  EXPECT_EQ(shared, 233472u / 2 - 1024);
}

TEST_F(Registered, AVariableHasMemoryOnEachDevice) {
  size_t size = 0;
  ASSERT_EQ(cudaGetSymbolSize(&size, variable_.data()), cudaSuccess);
  EXPECT_EQ(size, 32u);
  std::array<char, 32> text = {"of the first device"};
  ASSERT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 32, 0, cudaMemcpyHostToDevice),
            cudaSuccess);
  void* first = nullptr;
  ASSERT_EQ(cudaGetSymbolAddress(&first, variable_.data()), cudaSuccess);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  void* second = nullptr;
  ASSERT_EQ(cudaGetSymbolAddress(&second, variable_.data()), cudaSuccess);
  EXPECT_NE(first, second);
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  std::array<char, 32> out = {};
  ASSERT_EQ(cudaMemcpyFromSymbol(out.data(), variable_.data(), 25, 7, cudaMemcpyDeviceToHost),
            cudaSuccess);
  EXPECT_STREQ(out.data(), "first device");
  EXPECT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 33, 0, cudaMemcpyHostToDevice),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 1, ~size_t{0}, cudaMemcpyDefault),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 1, 0, cudaMemcpyDeviceToHost),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaGetSymbolAddress(&first, text.data()), cudaErrorInvalidSymbol);
}

TEST_F(Registered, AnInitialValueThatIsNotKnownIsNotInvented) {
  std::array<char, 32> out = {};
  EXPECT_EQ(cudaMemcpyFromSymbol(out.data(), variable_.data(), 32, 0, cudaMemcpyDeviceToHost),
            cudaErrorNotSupported);
}

TEST_F(Registered, VariablesTakeMemoryOnlyWhenUsed) {
  size_t before = FreeMemory();
  void* address = nullptr;
  ASSERT_EQ(cudaGetSymbolAddress(&address, variable_.data()), cudaSuccess);
  EXPECT_LT(FreeMemory(), before);
  __cudaUnregisterFatBinary(image_);
  image_ = nullptr;
  EXPECT_EQ(FreeMemory(), before);
}

TEST_F(Registered, AManagedVariableIsReadByTheHost) {
  EXPECT_EQ(managed_, nullptr);
  EXPECT_NE(__cudaInitModule(image_), 0);
  ASSERT_NE(managed_, nullptr);
  EXPECT_EQ(*static_cast<int*>(managed_), 0);
  *static_cast<int*>(managed_) = 7;
  void* address = nullptr;
  ASSERT_EQ(cudaGetSymbolAddress(&address, &managed_), cudaSuccess);
  EXPECT_EQ(address, managed_);
  EXPECT_NE(__cudaInitModule(image_), 0);
  EXPECT_EQ(*static_cast<int*>(managed_), 7);
}

TEST_F(Registered, AResetForgetsVariables) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  std::array<char, 32> text = {"text"};
  ASSERT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 32, 0, cudaMemcpyHostToDevice),
            cudaSuccess);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(cudaMemcpyFromSymbol(text.data(), variable_.data(), 32, 0, cudaMemcpyDeviceToHost),
            cudaErrorNotSupported);
  EXPECT_EQ(cudaMemcpyToSymbol(variable_.data(), text.data(), 32, 0, cudaMemcpyHostToDevice),
            cudaSuccess);
}

TEST_F(Runtime, CallConfigurationsNest) {
  cudaStream_t stream = reinterpret_cast<cudaStream_t>(kStreamLegacy);
  EXPECT_EQ(__cudaPushCallConfiguration({1, 2, 3}, {4, 5, 6}, 7, stream), 0u);
  EXPECT_EQ(__cudaPushCallConfiguration({10, 1, 1}, {1, 1, 1}, 0, nullptr), 0u);
  dim3 grid = {};
  dim3 block = {};
  size_t shared = 1;
  cudaStream_t popped = stream;
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &popped), cudaSuccess);
  EXPECT_EQ(grid.x, 10u);
  EXPECT_EQ(popped, nullptr);
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &popped), cudaSuccess);
  EXPECT_EQ(block.z, 6u);
  EXPECT_EQ(shared, 7u);
  EXPECT_EQ(popped, stream);
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &popped),
            cudaErrorMissingConfiguration);
}

TEST_F(Runtime, RegistersFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      std::vector<char> hosts(500);
      int wrapper = 0;
      void** image = __cudaRegisterFatBinary(&wrapper);
      for (char& host : hosts) {
        __cudaRegisterFunction(image, &host, &host, "kernel", -1, nullptr, nullptr, nullptr,
                               nullptr, nullptr);
      }
      const char* name = nullptr;
      for (char& host : hosts) ASSERT_EQ(cudaFuncGetName(&name, &host), cudaSuccess);
      __cudaUnregisterFatBinary(image);
      ASSERT_EQ(cudaFuncGetName(&name, hosts.data()), cudaErrorInvalidDeviceFunction);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// --- Streams, events, graphs

TEST_F(Runtime, EventsMeasureTime) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 1), cudaSuccess);
  cudaEvent_t start = nullptr;
  cudaEvent_t end = nullptr;
  ASSERT_EQ(cudaEventCreate(&start), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&end, 0), cudaSuccess);
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  ASSERT_EQ(cudaEventRecord(start, stream), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(end, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(stream, end, 0), cudaSuccess);
  ASSERT_EQ(cudaEventSynchronize(end), cudaSuccess);
  ASSERT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(start), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(end), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
}

TEST_F(Runtime, CallsHostFunctionsInOrder) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  int called = 0;
  ASSERT_EQ(cudaLaunchHostFunc(
                stream, [](void* of) { ++*static_cast<int*>(of); }, &called),
            cudaSuccess);
  ASSERT_EQ(cudaStreamAddCallback(
                stream,
                [](cudaStream_t, cudaError_t status, void* of) {
                  if (status == cudaSuccess) *static_cast<int*>(of) *= 10;
                },
                &called, 0),
            cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(called, 10);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST_F(Registered, CapturesAndReplaysCopies) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 1), cudaSuccess);
  void* address = nullptr;
  ASSERT_EQ(cudaMalloc(&address, 64), cudaSuccess);
  ASSERT_EQ(cudaMemset(address, 0, 64), cudaSuccess);
  std::array<char, 64> in = {"first"};
  std::array<char, 64> out = {};
  ASSERT_EQ(cudaStreamBeginCapture(stream, 2), cudaSuccess);
  cudaStreamCaptureStatus status = 0;
  ASSERT_EQ(cudaStreamIsCapturing(stream, &status), cudaSuccess);
  EXPECT_EQ(status, 1);
  ASSERT_EQ(cudaMemcpyAsync(address, in.data(), 64, cudaMemcpyHostToDevice, stream), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(out.data(), address, 64, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  EXPECT_STREQ(out.data(), "");  // recorded, not done
  size_t nodes = 0;
  ASSERT_EQ(cudaGraphGetNodes(graph, nullptr, &nodes), cudaSuccess);
  EXPECT_EQ(nodes, 2u);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  in = {"second"};
  ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_STREQ(out.data(), "second");
  // A kernel is refused when it would be added.
  cudaKernelNodeParams kernel = {kernel_, {1, 1, 1}, {1, 1, 1}, 0, nullptr, nullptr};
  cudaGraphNode_t node = nullptr;
  EXPECT_EQ(cudaGraphAddKernelNode(&node, graph, nullptr, 0, &kernel), cudaErrorNotSupported);
  cudaGraphExecUpdateResultInfo info = {};
  EXPECT_EQ(cudaGraphExecUpdate(executable, graph, &info), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
}

TEST_F(Registered, GraphsOfCopiesAndSets) {
  void* address = nullptr;
  ASSERT_EQ(cudaMalloc(&address, 64), cudaSuccess);
  std::array<char, 64> out = {};
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaGraphCreate(&graph, 0), cudaSuccess);
  cudaGraphNode_t set = nullptr;
  cudaMemsetParams parameters = {address, 0, 'x', 1, 64, 1};
  ASSERT_EQ(cudaGraphAddMemsetNode(&set, graph, nullptr, 0, &parameters), cudaSuccess);
  cudaGraphNode_t copy = nullptr;
  ASSERT_EQ(cudaGraphAddMemcpyNode1D(&copy, graph, &set, 1, out.data(), address, 64,
                                     cudaMemcpyDeviceToHost),
            cudaSuccess);
  cudaMemcpy3DParms described = {};
  ASSERT_EQ(cudaGraphMemcpyNodeGetParams(copy, &described), cudaSuccess);
  EXPECT_EQ(described.srcPtr.ptr, address);
  EXPECT_EQ(described.dstPtr.ptr, out.data());
  EXPECT_EQ(described.extent.width, 64u);
  EXPECT_EQ(described.kind, cudaMemcpyDeviceToHost);
  cudaGraphNodeType type = -1;
  ASSERT_EQ(cudaGraphNodeGetType(copy, &type), cudaSuccess);
  EXPECT_EQ(type, 1);
  // The same again as a node of any kind.
  cudaGraphNodeParams any = {};
  any.type = 1;
  cudaMemcpyNodeParams body = {};
  std::array<char, 64> again = {};
  body.copyParams = described;
  body.copyParams.dstPtr.ptr = again.data();
  memcpy(any.reserved1, &body, sizeof(body));
  cudaGraphNode_t third = nullptr;
#if VGPU_CUDART_MAJOR == 12
  ASSERT_EQ(cudaGraphAddNode(&third, graph, &copy, 1, &any), cudaSuccess);
#else
  ASSERT_EQ(cudaGraphAddNode(&third, graph, &copy, nullptr, 1, &any), cudaSuccess);
#endif
  any = {};
  any.type = 0;
  const void* function = kernel_;
  memcpy(any.reserved1, &function, sizeof(function));
  EXPECT_EQ(cudaGraphNodeSetParams(third, &any), cudaErrorNotSupported);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiateWithFlags(&executable, graph, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphLaunch(executable, nullptr), cudaSuccess);
  EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](char c) { return c == 'x'; }));
  EXPECT_EQ(out, again);
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaFree(address), cudaSuccess);
}

TEST_F(Runtime, StreamZeroOfAThreadCanBeCaptured) {
  // The legacy stream cannot; what --default-stream per-thread calls 0 can.
  EXPECT_NE(cudaStreamBeginCapture(nullptr, 2), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture_ptsz(nullptr, 2), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture_ptsz(nullptr, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

// --- Around the driver

TEST_F(Runtime, GivesTheDriversEntryPoints) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult status = -1;
  ASSERT_EQ(cudaGetDriverEntryPoint("cuDriverGetVersion", &function, 0, &status), cudaSuccess);
  EXPECT_EQ(status, 0);
  ASSERT_NE(function, nullptr);
  int version = 0;
  EXPECT_EQ(reinterpret_cast<int (*)(int*)>(function)(&version), 0);
  EXPECT_EQ(version, 13000);
  ASSERT_EQ(cudaGetDriverEntryPointByVersion("cuNoSuchFunction", &function, 12000, 0, &status),
            cudaSuccess);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(function, nullptr);
  EXPECT_EQ(cudaGetDriverEntryPoint(nullptr, &function, 0, &status), cudaErrorInvalidValue);
}

TEST_F(Runtime, HasNoExportTables) {
  const void* table = this;
  cudaUUID_t id = {};
  EXPECT_EQ(cudaGetExportTable(&table, &id), cudaErrorSymbolNotFound);
  EXPECT_EQ(table, nullptr);
}

}  // namespace
}  // namespace vgpu::cudart
