#include "shims/nvml/nvml.h"

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "shims/device/device.h"
#include "shims/usage/usage.h"

namespace vgpu::nvml {
namespace {

using ::testing::ElementsAre;

// One device of each kind, at addresses that have letters in them, with UUIDs of this process's
// own: what other processes hold is not theirs.
std::string Configuration() {
  const char* profiles[] = {"h100-80gb-hbm3", "h200-141gb", "a100-80gb", "l40s", "t4", "b200"};
  std::string text = "[driver]\nversion = \"570.124.06\"\ncuda_version = \"12.8\"\n";
  int i = 0;
  for (const char* profile : profiles) {
    std::array<char, 256> device;
    snprintf(device.data(), device.size(),
             "[[device]]\nprofile = \"%s\"\npci_address = \"0000:%02x:1f.0\"\n"
             "uuid = \"GPU-d110a105-ac29-1d54-7b49-%06x%06x\"\n",
             profile, 0x0a + i, static_cast<unsigned int>(getpid()) & 0xffffff, i);
    text += device.data();
    ++i;
  }
  return text;
}

class NvmlTest : public ::testing::Test {
 protected:
  // The configuration is read once in a process.
  static void SetUpTestSuite() {
    const std::string path = ::testing::TempDir() + "/devices.toml";
    std::ofstream(path) << Configuration();
    setenv("VGPU_CONFIG", path.c_str(), 1);
  }

  void SetUp() override { ASSERT_EQ(nvmlInit_v2(), NVML_SUCCESS); }
  void TearDown() override {
    while (nvmlShutdown() == NVML_SUCCESS) {
    }
  }

  static nvmlDevice_t Handle(unsigned int index) {
    nvmlDevice_t handle = nullptr;
    EXPECT_EQ(nvmlDeviceGetHandleByIndex_v2(index, &handle), NVML_SUCCESS);
    return handle;
  }

  static const device::Device& Model(unsigned int index) {
    return device::Current("nvml_test")->devices[index];
  }

  static unsigned int Count() {
    unsigned int count = 0;
    EXPECT_EQ(nvmlDeviceGetCount_v2(&count), NVML_SUCCESS);
    return count;
  }
};

unsigned int Unsigned(int number) { return static_cast<unsigned int>(number); }

// Devices of the configuration above.
constexpr unsigned int kH100 = 0, kA100 = 2, kL40s = 3, kT4 = 4;

TEST_F(NvmlTest, EveryInitWantsItsShutdown) {
  EXPECT_EQ(nvmlInit(), NVML_SUCCESS);
  EXPECT_EQ(nvmlInitWithFlags(NVML_INIT_FLAG_NO_GPUS), NVML_SUCCESS);
  unsigned int count = 0;
  EXPECT_EQ(nvmlShutdown(), NVML_SUCCESS);
  EXPECT_EQ(nvmlShutdown(), NVML_SUCCESS);
  EXPECT_EQ(nvmlDeviceGetCount_v2(&count), NVML_SUCCESS);
  EXPECT_EQ(nvmlShutdown(), NVML_SUCCESS);
  EXPECT_EQ(nvmlDeviceGetCount_v2(&count), NVML_ERROR_UNINITIALIZED);
  EXPECT_EQ(nvmlShutdown(), NVML_ERROR_UNINITIALIZED);
}

TEST_F(NvmlTest, AHandleOutlivesShutdown) {
  nvmlDevice_t handle = Handle(kT4);
  nvmlShutdown();
  unsigned int index = 99;
  EXPECT_EQ(nvmlDeviceGetIndex(handle, &index), NVML_ERROR_UNINITIALIZED);
  nvmlInit_v2();
  EXPECT_EQ(nvmlDeviceGetIndex(handle, &index), NVML_SUCCESS);
  EXPECT_EQ(index, kT4);
}

TEST_F(NvmlTest, WhatIsNoHandleIsNotFollowed) {
  unsigned int value = 0;
  const nvmlDevice_t wrong[] = {
      nullptr, reinterpret_cast<nvmlDevice_t>(1), reinterpret_cast<nvmlDevice_t>(&value),
      reinterpret_cast<nvmlDevice_t>(reinterpret_cast<char*>(Handle(0)) + 8)};
  for (nvmlDevice_t handle : wrong) {
    EXPECT_EQ(nvmlDeviceGetIndex(handle, &value), NVML_ERROR_INVALID_ARGUMENT);
  }
}

TEST_F(NvmlTest, VersionsAreTheDrivers) {
  std::array<char, NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE> text;
  EXPECT_EQ(nvmlSystemGetDriverVersion(text.data(), text.size()), NVML_SUCCESS);
  EXPECT_STREQ(text.data(), "570.124.06");
  EXPECT_EQ(nvmlSystemGetNVMLVersion(text.data(), text.size()), NVML_SUCCESS);
  EXPECT_STREQ(text.data(), "12.570.124.06");
  int version = 0;
  EXPECT_EQ(nvmlSystemGetCudaDriverVersion(&version), NVML_SUCCESS);
  EXPECT_EQ(version, 12080);
  EXPECT_EQ(nvmlSystemGetCudaDriverVersion_v2(&version), NVML_SUCCESS);
  EXPECT_EQ(version, 12080);
}

TEST_F(NvmlTest, TextWantsRoomForItsEnd) {
  std::array<char, 11> text;
  text.fill('x');
  EXPECT_EQ(nvmlSystemGetDriverVersion(text.data(), 10), NVML_ERROR_INSUFFICIENT_SIZE);
  EXPECT_EQ(text[0], 'x');
  EXPECT_EQ(nvmlSystemGetDriverVersion(text.data(), 11), NVML_SUCCESS);
  EXPECT_EQ(nvmlSystemGetDriverVersion(nullptr, 11), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetName(Handle(kH100), text.data(), 0), NVML_ERROR_INSUFFICIENT_SIZE);
}

TEST_F(NvmlTest, EveryErrorHasWordsOfItsOwn) {
  std::set<std::string> words;
  for (unsigned int code = 0; code <= NVML_ERROR_RESET_TYPE_NOT_SUPPORTED; ++code) {
    words.insert(nvmlErrorString(static_cast<nvmlReturn_t>(code)));
  }
  EXPECT_EQ(words.size(), NVML_ERROR_RESET_TYPE_NOT_SUPPORTED + 1u);
  EXPECT_STREQ(nvmlErrorString(NVML_ERROR_UNKNOWN), "Unknown Error");
  EXPECT_STREQ(nvmlErrorString(static_cast<nvmlReturn_t>(77777)), "Unknown Error");
}

TEST_F(NvmlTest, AllDevicesAreSeenWhateverCudaMaySee) {
  setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
  nvmlShutdown();
  nvmlInit_v2();
  EXPECT_EQ(Count(), 6u);
  unsigned int count = 0;
  EXPECT_EQ(nvmlDeviceGetCount(&count), NVML_SUCCESS);
  EXPECT_EQ(count, 6u);
  unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_F(NvmlTest, ADeviceIsFoundByAllThatItIsCalled) {
  for (unsigned int i = 0; i < Count(); ++i) {
    nvmlDevice_t handle = Handle(i);
    nvmlDevice_t found = nullptr;
    EXPECT_EQ(nvmlDeviceGetHandleByIndex(i, &found), NVML_SUCCESS);
    EXPECT_EQ(found, handle);

    std::array<char, NVML_DEVICE_UUID_BUFFER_SIZE> uuid;
    ASSERT_EQ(nvmlDeviceGetUUID(handle, uuid.data(), uuid.size()), NVML_SUCCESS);
    EXPECT_EQ(nvmlDeviceGetHandleByUUID(uuid.data(), &found), NVML_SUCCESS);
    EXPECT_EQ(found, handle);

    nvmlUUID_t ascii = {
        .version = StructVersion<nvmlUUID_v1_t>(1), .type = NVML_UUID_TYPE_ASCII, .value = {}};
    memcpy(ascii.value.str, uuid.data(), strlen(uuid.data()) + 1);
    EXPECT_EQ(nvmlDeviceGetHandleByUUIDV(&ascii, &found), NVML_SUCCESS);
    EXPECT_EQ(found, handle);
    nvmlUUID_t binary = {.version = ascii.version, .type = NVML_UUID_TYPE_BINARY, .value = {}};
    std::copy_n(Model(i).uuid.bytes.begin(), 16, binary.value.bytes);
    EXPECT_EQ(nvmlDeviceGetHandleByUUIDV(&binary, &found), NVML_SUCCESS);
    EXPECT_EQ(found, handle);

    nvmlPciInfo_t pci;
    ASSERT_EQ(nvmlDeviceGetPciInfo_v3(handle, &pci), NVML_SUCCESS);
    for (const char* address : {pci.busId, pci.busIdLegacy}) {
      EXPECT_EQ(nvmlDeviceGetHandleByPciBusId_v2(address, &found), NVML_SUCCESS);
      EXPECT_EQ(found, handle);
    }
  }
}

TEST_F(NvmlTest, WhatNamesNoDeviceFindsNone) {
  nvmlDevice_t found = nullptr;
  EXPECT_EQ(nvmlDeviceGetHandleByIndex_v2(6, &found), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetHandleByIndex_v2(0, nullptr), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetHandleByUUID("GPU-00000000-0000-0000-0000-000000000000", &found),
            NVML_ERROR_NOT_FOUND);
  EXPECT_EQ(nvmlDeviceGetHandleByUUID("GPU", &found), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetHandleByUUID(nullptr, &found), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetHandleByPciBusId("0000:99:00.0", &found), NVML_ERROR_NOT_FOUND);
  EXPECT_EQ(nvmlDeviceGetHandleByPciBusId("99fff950:99fff9", &found), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetHandleBySerial("1320000000000", &found), NVML_ERROR_NOT_FOUND);
  nvmlUUID_t uuid = {};
  EXPECT_EQ(nvmlDeviceGetHandleByUUIDV(&uuid, &found), NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
  uuid.version = StructVersion<nvmlUUID_v1_t>(1);
  EXPECT_EQ(nvmlDeviceGetHandleByUUIDV(&uuid, &found), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(found, nullptr);
}

TEST_F(NvmlTest, IdentityIsTheModels) {
  for (unsigned int i = 0; i < Count(); ++i) {
    nvmlDevice_t handle = Handle(i);
    const device::Device& model = Model(i);
    std::array<char, NVML_DEVICE_NAME_V2_BUFFER_SIZE> text;
    EXPECT_EQ(nvmlDeviceGetName(handle, text.data(), text.size()), NVML_SUCCESS);
    EXPECT_EQ(text.data(), model.Name());
    EXPECT_EQ(nvmlDeviceGetVbiosVersion(handle, text.data(), text.size()), NVML_SUCCESS);
    EXPECT_EQ(text.data(), model.profile->vbios);
    EXPECT_EQ(nvmlDeviceGetBoardPartNumber(handle, text.data(), text.size()), NVML_SUCCESS);
    EXPECT_EQ(text.data(), model.profile->part_number);
    int major = 0, minor = 0;
    EXPECT_EQ(nvmlDeviceGetCudaComputeCapability(handle, &major, &minor), NVML_SUCCESS);
    EXPECT_EQ(major, model.compute_major);
    EXPECT_EQ(minor, model.compute_minor);
    unsigned int minor_number = 99;
    EXPECT_EQ(nvmlDeviceGetMinorNumber(handle, &minor_number), NVML_SUCCESS);
    EXPECT_EQ(minor_number, i);
  }
  nvmlDeviceArchitecture_t architecture = 0;
  EXPECT_EQ(nvmlDeviceGetArchitecture(Handle(kH100), &architecture), NVML_SUCCESS);
  EXPECT_EQ(architecture, NVML_DEVICE_ARCH_HOPPER);
  EXPECT_EQ(nvmlDeviceGetArchitecture(Handle(kA100), &architecture), NVML_SUCCESS);
  EXPECT_EQ(architecture, NVML_DEVICE_ARCH_AMPERE);
  EXPECT_EQ(nvmlDeviceGetArchitecture(Handle(kL40s), &architecture), NVML_SUCCESS);
  EXPECT_EQ(architecture, NVML_DEVICE_ARCH_ADA);
  EXPECT_EQ(nvmlDeviceGetArchitecture(Handle(kT4), &architecture), NVML_SUCCESS);
  EXPECT_EQ(architecture, NVML_DEVICE_ARCH_TURING);
  unsigned int cores = 0;
  EXPECT_EQ(nvmlDeviceGetNumGpuCores(Handle(kH100), &cores), NVML_SUCCESS);
  EXPECT_EQ(cores, 132u * 128);
  unsigned int board = 0;
  EXPECT_EQ(nvmlDeviceGetBoardId(Handle(kH100), &board), NVML_SUCCESS);
  EXPECT_EQ(board, 0x0a1fu);
}

TEST_F(NvmlTest, PciInfoOfEachVersionWritesNoMoreThanItsClientHas) {
  constexpr size_t kV1 = 32, kV2 = 36;
  std::array<unsigned char, sizeof(nvmlPciInfo_t) + 16> bytes;
  auto* pci = reinterpret_cast<nvmlPciInfo_t*>(bytes.data());
  const auto written = [&] {
    size_t size = bytes.size();
    while (size > 0 && bytes[size - 1] == 0xee) --size;
    return size;
  };
  bytes.fill(0xee);
  EXPECT_EQ(nvmlDeviceGetPciInfo(Handle(kH100), pci), NVML_SUCCESS);
  EXPECT_EQ(written(), kV1);
  bytes.fill(0xee);
  EXPECT_EQ(nvmlDeviceGetPciInfo_v2(Handle(kH100), pci), NVML_SUCCESS);
  EXPECT_EQ(written(), kV2);
  bytes.fill(0xee);
  EXPECT_EQ(nvmlDeviceGetPciInfo_v3(Handle(kH100), pci), NVML_SUCCESS);
  EXPECT_EQ(written(), sizeof(nvmlPciInfo_t));
  EXPECT_STREQ(pci->busIdLegacy, "0000:0A:1F.0");
  EXPECT_STREQ(pci->busId, "00000000:0A:1F.0");
  EXPECT_EQ(pci->domain, 0u);
  EXPECT_EQ(pci->bus, 0x0au);
  EXPECT_EQ(pci->device, 0x1fu);
  EXPECT_EQ(pci->pciDeviceId, 0x233110deu);
  EXPECT_EQ(pci->pciSubSystemId & 0xffff, 0x10deu);

  nvmlPciInfoExt_t extended = {};
  EXPECT_EQ(nvmlDeviceGetPciInfoExt(Handle(kH100), &extended),
            NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
  extended.version = StructVersion<nvmlPciInfoExt_v1_t>(1);
  EXPECT_EQ(nvmlDeviceGetPciInfoExt(Handle(kH100), &extended), NVML_SUCCESS);
  EXPECT_EQ(extended.baseClass, 0x03u);
  EXPECT_EQ(extended.subClass, 0x02u);
  EXPECT_STREQ(extended.busId, "00000000:0A:1F.0");
}

TEST_F(NvmlTest, PcieLinksRunAtTheirBest) {
  unsigned int value = 0;
  EXPECT_EQ(nvmlDeviceGetCurrPcieLinkGeneration(Handle(kH100), &value), NVML_SUCCESS);
  EXPECT_EQ(value, 5u);
  EXPECT_EQ(nvmlDeviceGetPcieSpeed(Handle(kH100), &value), NVML_SUCCESS);
  EXPECT_EQ(value, 32000u);
  EXPECT_EQ(nvmlDeviceGetPcieLinkMaxSpeed(Handle(kT4), &value), NVML_SUCCESS);
  EXPECT_EQ(value, NVML_PCIE_LINK_MAX_SPEED_8000MBPS);
  EXPECT_EQ(nvmlDeviceGetMaxPcieLinkWidth(Handle(kH100), &value), NVML_SUCCESS);
  EXPECT_EQ(value, 16u);
  EXPECT_EQ(nvmlDeviceGetPcieThroughput(Handle(kH100), NVML_PCIE_UTIL_RX_BYTES, &value),
            NVML_SUCCESS);
  EXPECT_EQ(value, 0u);
  EXPECT_EQ(nvmlDeviceGetPcieThroughput(Handle(kH100), NVML_PCIE_UTIL_COUNT, &value),
            NVML_ERROR_INVALID_ARGUMENT);
}

TEST_F(NvmlTest, MemoryUsedIsWhatTheDriverShimReserved) {
  const uint64_t total = Model(kH100).memory_bytes;
  nvmlMemory_t memory;
  ASSERT_EQ(nvmlDeviceGetMemoryInfo(Handle(kH100), &memory), NVML_SUCCESS);
  EXPECT_EQ(memory.total, total);
  EXPECT_EQ(memory.used, 0u);
  EXPECT_EQ(memory.free, total);

  constexpr uint64_t kBytes = 256 << 20;
  ASSERT_TRUE(usage::Reserve(Model(kH100), kBytes));
  ASSERT_EQ(nvmlDeviceGetMemoryInfo(Handle(kH100), &memory), NVML_SUCCESS);
  EXPECT_EQ(memory.used, kBytes);
  EXPECT_EQ(memory.free, total - kBytes);
  nvmlMemory_v2_t v2 = {};
  EXPECT_EQ(nvmlDeviceGetMemoryInfo_v2(Handle(kH100), &v2), NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
  v2.version = StructVersion<nvmlMemory_v2_t>(2);
  ASSERT_EQ(nvmlDeviceGetMemoryInfo_v2(Handle(kH100), &v2), NVML_SUCCESS);
  EXPECT_EQ(v2.total, v2.reserved + v2.used + v2.free);
  EXPECT_EQ(v2.used, kBytes);
  ASSERT_EQ(nvmlDeviceGetMemoryInfo(Handle(kA100), &memory), NVML_SUCCESS);
  EXPECT_EQ(memory.used, 0u);

  usage::Release(Model(kH100), kBytes);
  ASSERT_EQ(nvmlDeviceGetMemoryInfo(Handle(kH100), &memory), NVML_SUCCESS);
  EXPECT_EQ(memory.used, 0u);
}

TEST_F(NvmlTest, BadMemoryIsCountedTheWayOfTheArchitecture) {
  unsigned int pages = 7;
  EXPECT_EQ(nvmlDeviceGetRetiredPages(Handle(kT4), NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR,
                                      &pages, nullptr),
            NVML_SUCCESS);
  EXPECT_EQ(pages, 0u);
  unsigned int rows[4] = {7, 7, 7, 7};
  EXPECT_EQ(nvmlDeviceGetRemappedRows(Handle(kT4), rows, rows + 1, rows + 2, rows + 3),
            NVML_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(nvmlDeviceGetRetiredPages(
                Handle(kH100), NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR, &pages, nullptr),
            NVML_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(nvmlDeviceGetRemappedRows(Handle(kH100), rows, rows + 1, rows + 2, rows + 3),
            NVML_SUCCESS);
  EXPECT_THAT(rows, ElementsAre(0, 0, 0, 0));
}

TEST_F(NvmlTest, ProcessesAreThoseThatHoldSomething) {
  unsigned int count = 0;
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses_v3(Handle(kH100), &count, nullptr), NVML_SUCCESS);
  EXPECT_EQ(count, 0u);

  usage::ContextCreated(Model(kH100));
  ASSERT_TRUE(usage::Reserve(Model(kH100), 4096));
  count = 0;
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses_v3(Handle(kH100), &count, nullptr),
            NVML_ERROR_INSUFFICIENT_SIZE);
  EXPECT_EQ(count, 1u);
  nvmlProcessInfo_v1_t v1[2] = {};
  nvmlProcessInfo_v2_t v2[2] = {};
  count = 2;
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses(Handle(kH100), &count, v1), NVML_SUCCESS);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(v1[0].pid, static_cast<unsigned int>(getpid()));
  EXPECT_EQ(v1[0].usedGpuMemory, 4096u);
  count = 2;
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses_v2(Handle(kH100), &count, v2), NVML_SUCCESS);
  EXPECT_EQ(v2[0].pid, static_cast<unsigned int>(getpid()));
  EXPECT_EQ(v2[0].gpuInstanceId, 0xffffffffu);
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses_v3(Handle(kH100), &count, nullptr),
            NVML_ERROR_INVALID_ARGUMENT);
  count = 2;
  EXPECT_EQ(nvmlDeviceGetGraphicsRunningProcesses_v3(Handle(kH100), &count, v2), NVML_SUCCESS);
  EXPECT_EQ(count, 0u);
  count = 2;
  EXPECT_EQ(nvmlDeviceGetComputeRunningProcesses_v3(Handle(kA100), &count, v2), NVML_SUCCESS);
  EXPECT_EQ(count, 0u);

  nvmlProcessDetail_v1_t details[2] = {};
  nvmlProcessDetailList_t list = {.version = StructVersion<nvmlProcessDetailList_v1_t>(1),
                                  .mode = NVML_PROCESS_MODE_COMPUTE,
                                  .numProcArrayEntries = 2,
                                  .procArray = details};
  EXPECT_EQ(nvmlDeviceGetRunningProcessDetailList(Handle(kH100), &list), NVML_SUCCESS);
  EXPECT_EQ(list.numProcArrayEntries, 1u);
  EXPECT_EQ(details[0].usedGpuMemory, 4096u);

  // A sample is of a process that utilizes something.
  nvmlProcessUtilizationSample_t samples[2] = {};
  count = 2;
  EXPECT_EQ(nvmlDeviceGetProcessUtilization(Handle(kH100), samples, &count, 0),
            NVML_ERROR_NOT_FOUND);
  usage::Release(Model(kH100), 4096);
  usage::ContextDestroyed(Model(kH100));
}

TEST_F(NvmlTest, AProcessHasTheNameThatItWasStartedWith) {
  std::array<char, 256> name;
  EXPECT_EQ(nvmlSystemGetProcessName(static_cast<unsigned int>(getpid()), name.data(), name.size()),
            NVML_SUCCESS);
  EXPECT_THAT(name.data(), ::testing::EndsWith("nvml_test"));
  EXPECT_EQ(nvmlSystemGetProcessName(static_cast<unsigned int>(getpid()), name.data(), 3),
            NVML_SUCCESS);
  EXPECT_EQ(strlen(name.data()), 2u);
  EXPECT_EQ(nvmlSystemGetProcessName(0x7fffffff, name.data(), name.size()), NVML_ERROR_NOT_FOUND);
  EXPECT_EQ(nvmlSystemGetProcessName(1, name.data(), 0), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlSystemGetProcessName(1, nullptr, 8), NVML_ERROR_INVALID_ARGUMENT);
}

TEST_F(NvmlTest, SensorsShowAnIdleDevice) {
  const device::Profile& profile = *Model(kH100).profile;
  unsigned int value = 0;
  EXPECT_EQ(nvmlDeviceGetPowerUsage(Handle(kH100), &value), NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.idle_power_mw));
  EXPECT_EQ(nvmlDeviceGetEnforcedPowerLimit(Handle(kH100), &value), NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.power_limit_mw));
  EXPECT_EQ(nvmlDeviceGetClockInfo(Handle(kH100), NVML_CLOCK_SM, &value), NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.idle_sm_clock_khz / 1000));
  EXPECT_EQ(nvmlDeviceGetMaxClockInfo(Handle(kH100), NVML_CLOCK_SM, &value), NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.max_sm_clock_khz / 1000));
  EXPECT_EQ(nvmlDeviceGetClockInfo(Handle(kH100), NVML_CLOCK_COUNT, &value),
            NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(
      nvmlDeviceGetClock(Handle(kH100), NVML_CLOCK_MEM, NVML_CLOCK_ID_CUSTOMER_BOOST_MAX, &value),
      NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.max_memory_clock_khz / 1000));
  EXPECT_EQ(
      nvmlDeviceGetClock(Handle(kH100), NVML_CLOCK_MEM, NVML_CLOCK_ID_APP_CLOCK_TARGET, &value),
      NVML_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(nvmlDeviceGetClock(Handle(kH100), NVML_CLOCK_MEM, NVML_CLOCK_ID_COUNT, &value),
            NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetTemperature(Handle(kH100), NVML_TEMPERATURE_GPU, &value), NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.temperature_c));
  EXPECT_EQ(nvmlDeviceGetTemperature(Handle(kH100), NVML_TEMPERATURE_COUNT, &value),
            NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(
      nvmlDeviceGetTemperatureThreshold(Handle(kH100), NVML_TEMPERATURE_THRESHOLD_SHUTDOWN, &value),
      NVML_SUCCESS);
  EXPECT_EQ(value, Unsigned(profile.shutdown_temperature_c));
  nvmlMarginTemperature_t margin = {.version = StructVersion<nvmlMarginTemperature_v1_t>(1),
                                    .marginTemperature = 0};
  EXPECT_EQ(nvmlDeviceGetMarginTemperature(Handle(kH100), &margin), NVML_SUCCESS);
  EXPECT_EQ(margin.marginTemperature, profile.slowdown_temperature_c - profile.temperature_c);
  nvmlPstates_t state = NVML_PSTATE_UNKNOWN;
  EXPECT_EQ(nvmlDeviceGetPerformanceState(Handle(kH100), &state), NVML_SUCCESS);
  EXPECT_EQ(state, NVML_PSTATE_0);
  EXPECT_EQ(nvmlDeviceGetPowerState(Handle(kT4), &state), NVML_SUCCESS);
  EXPECT_EQ(state, NVML_PSTATE_8);
  unsigned long long reasons = 0, known = 0;
  EXPECT_EQ(nvmlDeviceGetCurrentClocksThrottleReasons(Handle(kH100), &reasons), NVML_SUCCESS);
  EXPECT_EQ(nvmlDeviceGetSupportedClocksThrottleReasons(Handle(kH100), &known), NVML_SUCCESS);
  EXPECT_EQ(reasons, nvmlClocksEventReasonGpuIdle);
  EXPECT_EQ(reasons & known, reasons);
}

TEST_F(NvmlTest, EnergyGrowsAsPowerSays) {
  unsigned long long before = 0, after = 0;
  ASSERT_EQ(nvmlDeviceGetTotalEnergyConsumption(Handle(kH100), &before), NVML_SUCCESS);
  timespec start = {}, end = {};
  clock_gettime(CLOCK_BOOTTIME, &start);
  usleep(50'000);
  ASSERT_EQ(nvmlDeviceGetTotalEnergyConsumption(Handle(kH100), &after), NVML_SUCCESS);
  clock_gettime(CLOCK_BOOTTIME, &end);
  const double seconds = static_cast<double>(end.tv_sec - start.tv_sec) +
                         1e-9 * static_cast<double>(end.tv_nsec - start.tv_nsec);
  const double watts = 1e-3 * Model(kH100).profile->idle_power_mw;
  EXPECT_GE(after, before);
  // A reading is of a whole millisecond.
  EXPECT_LE(static_cast<double>(after - before), 1e3 * watts * (seconds + 0.002));
  EXPECT_GE(static_cast<double>(after - before), 1e3 * watts * 0.048);
}

TEST_F(NvmlTest, NothingIsUtilized) {
  nvmlUtilization_t utilization = {7, 7};
  EXPECT_EQ(nvmlDeviceGetUtilizationRates(Handle(kH100), &utilization), NVML_SUCCESS);
  EXPECT_EQ(utilization.gpu, 0u);
  EXPECT_EQ(utilization.memory, 0u);
  unsigned int count = 0;
  nvmlValueType_t type = NVML_VALUE_TYPE_COUNT;
  EXPECT_EQ(
      nvmlDeviceGetSamples(Handle(kH100), NVML_TOTAL_POWER_SAMPLES, 0, &type, &count, nullptr),
      NVML_SUCCESS);
  EXPECT_EQ(count, 1u);
  nvmlSample_t sample = {};
  EXPECT_EQ(
      nvmlDeviceGetSamples(Handle(kH100), NVML_TOTAL_POWER_SAMPLES, 0, &type, &count, &sample),
      NVML_SUCCESS);
  EXPECT_EQ(type, NVML_VALUE_TYPE_UNSIGNED_INT);
  EXPECT_EQ(sample.sampleValue.uiVal, Unsigned(Model(kH100).profile->idle_power_mw));
  EXPECT_EQ(nvmlDeviceGetSamples(Handle(kH100), NVML_TOTAL_POWER_SAMPLES,
                                 sample.timeStamp + 3'600'000'000, &type, &count, &sample),
            NVML_ERROR_NOT_FOUND);
  unsigned int capacity = 0;
  EXPECT_EQ(nvmlDeviceGetEncoderCapacity(Handle(kH100), NVML_ENCODER_QUERY_H264, &capacity),
            NVML_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(nvmlDeviceGetEncoderCapacity(Handle(kT4), NVML_ENCODER_QUERY_H264, &capacity),
            NVML_SUCCESS);
  EXPECT_EQ(capacity, 100u);
}

TEST_F(NvmlTest, DevicesOfOneDomainShareItsHostBridge) {
  nvmlGpuTopologyLevel_t level = NVML_TOPOLOGY_SYSTEM;
  EXPECT_EQ(nvmlDeviceGetTopologyCommonAncestor(Handle(0), Handle(1), &level), NVML_SUCCESS);
  EXPECT_EQ(level, NVML_TOPOLOGY_HOSTBRIDGE);
  unsigned int count = 0;
  EXPECT_EQ(nvmlDeviceGetTopologyNearestGpus(Handle(0), NVML_TOPOLOGY_HOSTBRIDGE, &count, nullptr),
            NVML_SUCCESS);
  EXPECT_EQ(count, 5u);
  std::array<nvmlDevice_t, 5> near = {};
  EXPECT_EQ(
      nvmlDeviceGetTopologyNearestGpus(Handle(0), NVML_TOPOLOGY_HOSTBRIDGE, &count, near.data()),
      NVML_SUCCESS);
  EXPECT_EQ(near[0], Handle(1));
  count = 2;
  EXPECT_EQ(
      nvmlDeviceGetTopologyNearestGpus(Handle(3), NVML_TOPOLOGY_HOSTBRIDGE, &count, near.data()),
      NVML_SUCCESS);
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(nvmlDeviceGetTopologyNearestGpus(Handle(3), NVML_TOPOLOGY_HOSTBRIDGE, &count, nullptr),
            NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetTopologyNearestGpus(Handle(0), NVML_TOPOLOGY_SINGLE, &count, near.data()),
            NVML_SUCCESS);
  EXPECT_EQ(count, 0u);
  nvmlGpuP2PStatus_t status = NVML_P2P_STATUS_UNKNOWN;
  EXPECT_EQ(nvmlDeviceGetP2PStatus(Handle(0), Handle(1), NVML_P2P_CAPS_INDEX_READ, &status),
            NVML_SUCCESS);
  EXPECT_EQ(status, NVML_P2P_STATUS_OK);
  EXPECT_EQ(nvmlDeviceGetP2PStatus(Handle(0), Handle(1), NVML_P2P_CAPS_INDEX_NVLINK, &status),
            NVML_SUCCESS);
  EXPECT_EQ(status, NVML_P2P_STATUS_NOT_SUPPORTED);
}

TEST_F(NvmlTest, EveryProcessorOfTheMachineIsNear) {
  std::array<unsigned long, CPU_SETSIZE / 64> set = {};
  EXPECT_EQ(nvmlDeviceGetCpuAffinity(Handle(0), set.size(), set.data()), NVML_SUCCESS);
  long bits = 0;
  for (unsigned long word : set) bits += __builtin_popcountl(word);
  EXPECT_EQ(bits, sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_EQ(nvmlDeviceGetCpuAffinity(Handle(0), 0, set.data()), NVML_ERROR_INVALID_ARGUMENT);
  set.fill(0);
  EXPECT_EQ(nvmlDeviceGetMemoryAffinity(Handle(0), set.size(), set.data(), 0), NVML_SUCCESS);
  EXPECT_NE(set[0], 0u);
  unsigned int count = 0;
  EXPECT_EQ(nvmlSystemGetTopologyGpuSet(0, &count, nullptr), NVML_SUCCESS);
  EXPECT_EQ(count, 6u);
  EXPECT_EQ(nvmlSystemGetTopologyGpuSet(100'000, &count, nullptr), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceSetCpuAffinity(Handle(0)), NVML_SUCCESS);
  EXPECT_EQ(nvmlDeviceClearCpuAffinity(Handle(0)), NVML_SUCCESS);
}

TEST_F(NvmlTest, LinksAreThereAndInactive) {
  nvmlEnableState_t state = NVML_FEATURE_ENABLED;
  EXPECT_EQ(nvmlDeviceGetNvLinkState(Handle(kH100), 17, &state), NVML_SUCCESS);
  EXPECT_EQ(state, NVML_FEATURE_DISABLED);
  EXPECT_EQ(nvmlDeviceGetNvLinkState(Handle(kH100), 18, &state), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetNvLinkState(Handle(kL40s), 0, &state), NVML_ERROR_NOT_SUPPORTED);
  unsigned int version = 0;
  EXPECT_EQ(nvmlDeviceGetNvLinkVersion(Handle(kH100), 0, &version), NVML_SUCCESS);
  EXPECT_EQ(version, NVML_NVLINK_VERSION_4_0);
  for (unsigned int known :
       {StructVersion<nvmlGpuFabricInfo_v2_t>(2), StructVersion<nvmlGpuFabricInfo_v3_t>(3)}) {
    nvmlGpuFabricInfoV_t fabric = {};
    fabric.version = known;
    fabric.state = 9;
    EXPECT_EQ(nvmlDeviceGetGpuFabricInfoV(Handle(kH100), &fabric), NVML_SUCCESS);
    EXPECT_EQ(fabric.state, NVML_GPU_FABRIC_STATE_NOT_SUPPORTED);
    EXPECT_EQ(fabric.version, known);
  }
}

TEST_F(NvmlTest, FieldsSayWhatTheFunctionsSay) {
  constexpr unsigned int kPower = 186, kEcc = 1, kLinkCount = 91, kEnergy = 83, kUnknown = 9999,
                         kLinkState = 165;
  nvmlFieldValue_t values[6] = {};
  values[0].fieldId = kPower;
  values[1].fieldId = kEcc;
  values[2].fieldId = kLinkCount;
  values[3].fieldId = kUnknown;
  values[4].fieldId = kEnergy;
  values[5].fieldId = kLinkState;
  values[5].scopeId = 18;
  ASSERT_EQ(nvmlDeviceGetFieldValues(Handle(kH100), 6, values), NVML_SUCCESS);
  EXPECT_EQ(values[0].nvmlReturn, NVML_SUCCESS);
  EXPECT_EQ(values[0].valueType, NVML_VALUE_TYPE_UNSIGNED_INT);
  EXPECT_EQ(values[0].value.uiVal, Unsigned(Model(kH100).profile->idle_power_mw));
  EXPECT_EQ(values[1].value.uiVal, 1u);
  EXPECT_EQ(values[2].value.uiVal, 18u);
  EXPECT_EQ(values[3].nvmlReturn, NVML_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(values[4].valueType, NVML_VALUE_TYPE_UNSIGNED_LONG_LONG);
  EXPECT_GT(values[4].value.ullVal, 0u);
  EXPECT_EQ(values[5].nvmlReturn, NVML_ERROR_NOT_SUPPORTED);
  EXPECT_GT(values[0].timestamp, 1'600'000'000'000'000);
  EXPECT_EQ(nvmlDeviceGetFieldValues(Handle(kH100), 0, values), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlDeviceGetFieldValues(Handle(kH100), 1, nullptr), NVML_ERROR_INVALID_ARGUMENT);
}

TEST_F(NvmlTest, WaitingForEventsEndsWithTheTimeAndUsesNoProcessor) {
  nvmlEventSet_t set = nullptr;
  ASSERT_EQ(nvmlEventSetCreate(&set), NVML_SUCCESS);
  unsigned long long types = 0;
  EXPECT_EQ(nvmlDeviceGetSupportedEventTypes(Handle(kH100), &types), NVML_SUCCESS);
  EXPECT_NE(types & nvmlEventTypeXidCriticalError, 0u);
  EXPECT_EQ(nvmlDeviceRegisterEvents(Handle(kH100), types, set), NVML_SUCCESS);
  EXPECT_EQ(nvmlDeviceRegisterEvents(Handle(kH100), 1ULL << 40, set), NVML_ERROR_NOT_SUPPORTED);
  nvmlEventData_t data;
  timespec start = {}, end = {}, processor_start = {}, processor_end = {};
  clock_gettime(CLOCK_MONOTONIC, &start);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &processor_start);
  EXPECT_EQ(nvmlEventSetWait_v2(set, &data, 120), NVML_ERROR_TIMEOUT);
  clock_gettime(CLOCK_MONOTONIC, &end);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &processor_end);
  const auto milliseconds = [](const timespec& from, const timespec& to) {
    return (to.tv_sec - from.tv_sec) * 1'000 + (to.tv_nsec - from.tv_nsec) / 1'000'000;
  };
  EXPECT_GE(milliseconds(start, end), 120);
  EXPECT_LT(milliseconds(processor_start, processor_end), 60);
  EXPECT_EQ(nvmlEventSetWait(set, &data, 0), NVML_ERROR_TIMEOUT);
  EXPECT_EQ(nvmlEventSetWait(set, nullptr, 0), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlEventSetFree(set), NVML_SUCCESS);
  EXPECT_EQ(nvmlEventSetFree(set), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlEventSetWait_v2(set, &data, 0), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlEventSetWait_v2(reinterpret_cast<nvmlEventSet_t>(&data), &data, 0),
            NVML_ERROR_INVALID_ARGUMENT);
}

TEST_F(NvmlTest, EventSetsEndWithTheLastShutdownAndAreNotWithoutEnd) {
  nvmlEventSet_t set = nullptr;
  std::vector<nvmlEventSet_t> sets;
  nvmlReturn_t result;
  while ((result = nvmlEventSetCreate(&set)) == NVML_SUCCESS) sets.push_back(set);
  EXPECT_EQ(result, NVML_ERROR_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(std::set<nvmlEventSet_t>(sets.begin(), sets.end()).size(), sets.size());
  nvmlShutdown();
  nvmlInit_v2();
  EXPECT_EQ(nvmlEventSetFree(sets[0]), NVML_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(nvmlEventSetCreate(&set), NVML_SUCCESS);
}

TEST_F(NvmlTest, ModesAreThoseOfADeviceThatNobodySet) {
  nvmlComputeMode_t compute = NVML_COMPUTEMODE_COUNT;
  EXPECT_EQ(nvmlDeviceGetComputeMode(Handle(kH100), &compute), NVML_SUCCESS);
  EXPECT_EQ(compute, NVML_COMPUTEMODE_DEFAULT);
  unsigned int current = 7, pending = 7;
  EXPECT_EQ(nvmlDeviceGetMigMode(Handle(kH100), &current, &pending), NVML_SUCCESS);
  EXPECT_EQ(current + pending, 0u);
  EXPECT_EQ(nvmlDeviceGetMigMode(Handle(kT4), &current, &pending), NVML_ERROR_NOT_SUPPORTED);
  nvmlDevice_t partition = nullptr;
  EXPECT_EQ(nvmlDeviceGetMigDeviceHandleByIndex(Handle(kH100), 0, &partition),
            NVML_ERROR_NOT_FOUND);
  nvmlGpmSupport_t gpm = {.version = NVML_GPM_SUPPORT_VERSION, .isSupportedDevice = 1};
  EXPECT_EQ(nvmlGpmQueryDeviceSupport(Handle(kH100), &gpm), NVML_SUCCESS);
  EXPECT_EQ(gpm.isSupportedDevice, 0u);
}

TEST_F(NvmlTest, ErrnoIsKept) {
  errno = E2BIG;
  std::array<char, 64> name;
  std::array<unsigned long, 16> set;
  unsigned long long energy;
  nvmlInit_v2();
  nvmlSystemGetProcessName(0x7fffffff, name.data(), name.size());
  nvmlDeviceGetCpuAffinity(Handle(0), set.size(), set.data());
  nvmlDeviceGetTotalEnergyConsumption(Handle(0), &energy);
  EXPECT_EQ(errno, E2BIG);
}

TEST_F(NvmlTest, AChildOfForkGoesOn) {
  nvmlDevice_t handle = Handle(kH100);
  const pid_t child = fork();
  if (child == 0) {
    unsigned int index = 99;
    nvmlMemory_t memory;
    _exit(nvmlDeviceGetIndex(handle, &index) == NVML_SUCCESS && index == kH100 &&
                  nvmlDeviceGetMemoryInfo(handle, &memory) == NVML_SUCCESS &&
                  nvmlShutdown() == NVML_SUCCESS && nvmlInit_v2() == NVML_SUCCESS
              ? 0
              : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(NvmlTest, ThreadsMayStartAskAndEndAtOnce) {
  // Each thread's last shutdown may be the last of all.
  nvmlShutdown();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(nvmlInit_v2(), NVML_SUCCESS);
        nvmlMemory_t memory;
        EXPECT_EQ(nvmlDeviceGetMemoryInfo(Handle(kH100), &memory), NVML_SUCCESS);
        nvmlEventSet_t set = nullptr;
        EXPECT_EQ(nvmlEventSetCreate(&set), NVML_SUCCESS);
        EXPECT_EQ(nvmlEventSetFree(set), NVML_SUCCESS);
        EXPECT_EQ(nvmlShutdown(), NVML_SUCCESS);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(nvmlShutdown(), NVML_ERROR_UNINITIALIZED);
}

}  // namespace
}  // namespace vgpu::nvml
