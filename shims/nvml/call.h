// What all functions of this library begin and end with.
//
//   NVML_API nvmlReturn_t nvmlDeviceGetNumFans(nvmlDevice_t device, unsigned int* numFans) {
//     return Answer(device, numFans, [](const Device& found) { return found.profile->fans; });
//   }
//
// The order of what is wrong is NVML's: not initialised, then the handle, then the arguments.

#ifndef SHIMS_NVML_CALL_H_
#define SHIMS_NVML_CALL_H_

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "shims/abi/nvml_types.h"
#include "shims/device/device.h"

namespace vgpu::nvml {

using device::Configuration;
using device::Device;
using device::Profile;

inline constexpr std::string_view kLibrary = "libvgpu-nvml";

// The devices; null before nvmlInit and after the last nvmlShutdown.
const Configuration* Initialized();
// The number of the time between the first nvmlInit and the last nvmlShutdown that it is, from 1;
// 0 where Initialized() is null.
uint64_t Run();

// The device that `handle` stands for. Any pointer may be asked for: none is followed.
nvmlReturn_t Find(nvmlDevice_t handle, const Device** device);

// The same, and that there is somewhere to write the answers to.
template <typename... Results>
nvmlReturn_t Find(nvmlDevice_t handle, const Device** device, const Results*... results) {
  if (nvmlReturn_t error = Find(handle, device); error != NVML_SUCCESS) return error;
  return ((results == nullptr) || ...) ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
}

nvmlDevice_t HandleOf(const Device& device);
// In the order of PCI addresses, from 0.
int IndexOf(const Device& device);

// Whether `set` is an event set that was created and is not freed. Any pointer may be asked for.
bool IsEventSet(nvmlEventSet_t set);

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

// One value of one device. `value` takes a Device and gives a number or an optional one, without a
// value where the device does not support the query.
template <typename T, typename Value>
nvmlReturn_t Answer(nvmlDevice_t handle, T* result, Value value) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, result); error != NVML_SUCCESS) return error;
  const auto answer = value(*device);
  if constexpr (kIsOptional<std::remove_const_t<decltype(answer)>>) {
    if (!answer) return NVML_ERROR_NOT_SUPPORTED;
    *result = static_cast<T>(*answer);
  } else {
    *result = static_cast<T>(answer);
  }
  return NVML_SUCCESS;
}

// Text with its NUL, into `length` bytes.
inline nvmlReturn_t CopyText(std::string_view text, char* result, unsigned int length) {
  if (result == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (length <= text.size()) return NVML_ERROR_INSUFFICIENT_SIZE;
  memcpy(result, text.data(), text.size());
  result[text.size()] = '\0';
  return NVML_SUCCESS;
}

// A list into memory of the caller's: `*count` says how much there is room for, and then how many
// there are. `write` takes an index into the list and the element to fill.
template <typename T, typename Write>
nvmlReturn_t CopyList(size_t size, unsigned int* count, T* result, Write write) {
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  const size_t room = *count;
  *count = static_cast<unsigned int>(size);
  if (room < size) return NVML_ERROR_INSUFFICIENT_SIZE;
  if (size != 0 && result == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  for (size_t i = 0; i < size; ++i) write(i, result[i]);
  return NVML_SUCCESS;
}

// Whether a client's structure is of this version of its type.
template <typename T>
bool HasVersion(const T& structure, unsigned int version) {
  return structure.version == StructVersion<T>(version);
}

// Keeps errno over a call that asks the system for something.
class ErrnoKeeper {
 public:
  ErrnoKeeper() : value_(errno) {}
  ~ErrnoKeeper() { errno = value_; }
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

 private:
  const int value_;
};

// Since 1970, in microseconds: NVML's time stamps.
unsigned long long Now();

}  // namespace vgpu::nvml

#endif  // SHIMS_NVML_CALL_H_
