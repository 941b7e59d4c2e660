#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "shims/log/log.h"
#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

// How often nvmlInit was called and nvmlShutdown was not, and in the upper half how often that came
// back to none. One number and no lock, so that the two change together, and whoever forks
// meanwhile leaves a child that can go on.
inline constexpr uint64_t kStart = 1;
inline constexpr uint64_t kRun = uint64_t{1} << 32;

constinit std::atomic<uint64_t> state = 0;
constinit std::atomic<const Configuration*> devices = nullptr;

uint32_t Starts(uint64_t of) { return static_cast<uint32_t>(of % kRun); }

nvmlReturn_t Start() {
  const ErrnoKeeper keeper;
  const Configuration* configuration = device::Current(kLibrary);
  if (configuration == nullptr) return NVML_ERROR_DRIVER_NOT_LOADED;
  devices.store(configuration, std::memory_order_release);
  if (Starts(state.fetch_add(kStart, std::memory_order_acq_rel)) == 0) {
    log::Write(log::Level::kInfo, kLibrary, "initialized",
               {{"devices", configuration->count}, {"driver", configuration->driver.Version()}});
  }
  return NVML_SUCCESS;
}

// The beginning of a file of procfs: how many bytes, or an error's number below zero.
int ReadBeginning(const char* path, char* text, size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return -errno;
  const ssize_t length = read(file, text, size);
  const int error = errno;
  close(file);
  return length < 0 ? -error : static_cast<int>(length);
}

}  // namespace

const Configuration* Initialized() {
  return Run() == 0 ? nullptr : devices.load(std::memory_order_acquire);
}

uint64_t Run() {
  const uint64_t now = state.load(std::memory_order_acquire);
  return Starts(now) == 0 ? 0 : now / kRun + 1;
}

NVML_API nvmlReturn_t nvmlInit() { return Start(); }
NVML_API nvmlReturn_t nvmlInit_v2() { return Start(); }
// NO_GPUS and NO_ATTACH ask for less than a start does here anyway.
NVML_API nvmlReturn_t nvmlInitWithFlags(unsigned int) { return Start(); }

NVML_API nvmlReturn_t nvmlShutdown() {
  uint64_t before = state.load(std::memory_order_acquire);
  uint64_t after;
  do {
    if (Starts(before) == 0) return NVML_ERROR_UNINITIALIZED;
    after = before - kStart + (Starts(before) == 1 ? kRun : 0);
  } while (!state.compare_exchange_weak(before, after, std::memory_order_acq_rel));
  return NVML_SUCCESS;
}

// Never null and valid for ever, whatever the code and whether initialised or not.
NVML_API const char* nvmlErrorString(nvmlReturn_t result) {
  // The words that nvidia-ml-py 13.615.71 has too, as far as it has them: clients print them.
  switch (result) {
    case NVML_SUCCESS:
      return "Success";
    case NVML_ERROR_UNINITIALIZED:
      return "Uninitialized";
    case NVML_ERROR_INVALID_ARGUMENT:
      return "Invalid Argument";
    case NVML_ERROR_NOT_SUPPORTED:
      return "Not Supported";
    case NVML_ERROR_NO_PERMISSION:
      return "Insufficient Permissions";
    case NVML_ERROR_ALREADY_INITIALIZED:
      return "Already Initialized";
    case NVML_ERROR_NOT_FOUND:
      return "Not Found";
    case NVML_ERROR_INSUFFICIENT_SIZE:
      return "Insufficient Size";
    case NVML_ERROR_INSUFFICIENT_POWER:
      return "Insufficient External Power";
    case NVML_ERROR_DRIVER_NOT_LOADED:
      return "Driver Not Loaded";
    case NVML_ERROR_TIMEOUT:
      return "Timeout";
    case NVML_ERROR_IRQ_ISSUE:
      return "Interrupt Request Issue";
    case NVML_ERROR_LIBRARY_NOT_FOUND:
      return "NVML Shared Library Not Found";
    case NVML_ERROR_FUNCTION_NOT_FOUND:
      return "Function Not Found";
    case NVML_ERROR_CORRUPTED_INFOROM:
      return "Corrupted infoROM";
    case NVML_ERROR_GPU_IS_LOST:
      return "GPU is lost";
    case NVML_ERROR_RESET_REQUIRED:
      return "GPU requires restart";
    case NVML_ERROR_OPERATING_SYSTEM:
      return "The operating system has blocked the request.";
    case NVML_ERROR_LIB_RM_VERSION_MISMATCH:
      return "RM has detected an NVML/RM version mismatch.";
    case NVML_ERROR_IN_USE:
      return "In Use";
    case NVML_ERROR_MEMORY:
      return "Insufficient Memory";
    case NVML_ERROR_NO_DATA:
      return "No Data";
    case NVML_ERROR_VGPU_ECC_NOT_SUPPORTED:
      return "vGPU ECC Not Supported";
    case NVML_ERROR_INSUFFICIENT_RESOURCES:
      return "Insufficient Resources";
    case NVML_ERROR_FREQ_NOT_SUPPORTED:
      return "Frequency Not Supported";
    case NVML_ERROR_ARGUMENT_VERSION_MISMATCH:
      return "Argument Version Mismatch";
    case NVML_ERROR_DEPRECATED:
      return "Deprecated";
    case NVML_ERROR_NOT_READY:
      return "Not Ready";
    case NVML_ERROR_GPU_NOT_FOUND:
      return "GPU Not Found";
    case NVML_ERROR_INVALID_STATE:
      return "Invalid State";
    case NVML_ERROR_RESET_TYPE_NOT_SUPPORTED:
      return "Reset Type Not Supported";
    case NVML_ERROR_UNKNOWN:
      break;
  }
  return "Unknown Error";
}

NVML_API nvmlReturn_t nvmlSystemGetDriverVersion(char* version, unsigned int length) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  return CopyText(configuration->driver.Version(), version, length);
}

// The major version of CUDA, and the driver's: "12.570.124.06".
NVML_API nvmlReturn_t nvmlSystemGetNVMLVersion(char* version, unsigned int length) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  std::array<char, NVML_SYSTEM_NVML_VERSION_BUFFER_SIZE> text;
  snprintf(text.data(), text.size(), "%d.%s", configuration->driver.cuda_version / 1000,
           configuration->driver.version.data());
  return CopyText(text.data(), version, length);
}

NVML_API nvmlReturn_t nvmlSystemGetCudaDriverVersion(int* cudaDriverVersion) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (cudaDriverVersion == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *cudaDriverVersion = configuration->driver.cuda_version;
  return NVML_SUCCESS;
}

// The second version asks the driver shim's file instead of this library: here they are one.
NVML_API nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int* cudaDriverVersion) {
  return nvmlSystemGetCudaDriverVersion(cudaDriverVersion);
}

// What the process calls itself (the first argument), cut to what there is room for; a thread of
// the kernel has its name only.
NVML_API nvmlReturn_t nvmlSystemGetProcessName(unsigned int pid, char* name, unsigned int length) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (name == nullptr || length == 0) return NVML_ERROR_INVALID_ARGUMENT;
  const ErrnoKeeper keeper;
  for (const char* file : {"cmdline", "comm"}) {
    std::array<char, 64> path;
    snprintf(path.data(), path.size(), "/proc/%u/%s", pid, file);
    const int size = ReadBeginning(path.data(), name, length - 1);
    if (size == -EACCES || size == -EPERM) return NVML_ERROR_NO_PERMISSION;
    if (size < 0) return NVML_ERROR_NOT_FOUND;
    name[size] = '\0';
    name[strcspn(name, "\n")] = '\0';
    if (name[0] != '\0') return NVML_SUCCESS;
  }
  return NVML_ERROR_NOT_FOUND;
}

// No host interface cards, units (S-class systems) or devices kept from use.
NVML_API nvmlReturn_t nvmlSystemGetHicVersion(unsigned int* hwbcCount, nvmlHwbcEntry_t*) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (hwbcCount == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *hwbcCount = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlUnitGetCount(unsigned int* unitCount) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (unitCount == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *unitCount = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlUnitGetHandleByIndex(unsigned int, nvmlUnit_t*) {
  return Initialized() == nullptr ? NVML_ERROR_UNINITIALIZED : NVML_ERROR_INVALID_ARGUMENT;
}

NVML_API nvmlReturn_t nvmlGetExcludedDeviceCount(unsigned int* deviceCount) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (deviceCount == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *deviceCount = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlGetExcludedDeviceInfoByIndex(unsigned int, nvmlExcludedDeviceInfo_t*) {
  return Initialized() == nullptr ? NVML_ERROR_UNINITIALIZED : NVML_ERROR_INVALID_ARGUMENT;
}

}  // namespace vgpu::nvml
