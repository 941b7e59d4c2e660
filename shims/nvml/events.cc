// Event sets. A virtual device has no errors and changes no clocks, so that no event ever comes:
// what can be waited for is waited for, asleep, until the time is over.
//
// Sets stand in a table of fixed size, and a handle is the address of a place in it: nothing to
// allocate, to lock, or to leave behind. A place holds the run (Run()) that its set was created in,
// so that the last nvmlShutdown frees them all.

#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

inline constexpr size_t kMaxEventSets = 1024;

constinit std::array<std::atomic<uint64_t>, kMaxEventSets> runs = {};

std::atomic<uint64_t>* PlaceOf(nvmlEventSet_t set) {
  for (std::atomic<uint64_t>& place : runs) {
    if (reinterpret_cast<nvmlEventSet_t>(&place) == set) return &place;
  }
  return nullptr;
}

unsigned long long SupportedEvents(const Device& device) {
  const unsigned long long ecc = nvmlEventTypeSingleBitEccError | nvmlEventTypeDoubleBitEccError;
  return nvmlEventTypeXidCriticalError | nvmlEventTypePState | nvmlEventTypeClock |
         (device.profile->ecc ? ecc : nvmlEventTypeNone);
}

// Until `milliseconds` are over, however many signals come.
void SleepFor(unsigned int milliseconds) {
  timespec end = {};
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += milliseconds / 1'000;
  end.tv_nsec += static_cast<long>(milliseconds % 1'000) * 1'000'000;
  if (end.tv_nsec >= 1'000'000'000) {
    end.tv_nsec -= 1'000'000'000;
    ++end.tv_sec;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {
  }
}

nvmlReturn_t Wait(nvmlEventSet_t set, nvmlEventData_t* data, unsigned int milliseconds) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (data == nullptr || !IsEventSet(set)) return NVML_ERROR_INVALID_ARGUMENT;
  const ErrnoKeeper keeper;
  SleepFor(milliseconds);
  return NVML_ERROR_TIMEOUT;
}

}  // namespace

bool IsEventSet(nvmlEventSet_t set) {
  const uint64_t run = Run();
  const std::atomic<uint64_t>* place = PlaceOf(set);
  return run != 0 && place != nullptr && place->load(std::memory_order_acquire) == run;
}

NVML_API nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t* set) {
  const uint64_t run = Run();
  if (run == 0) return NVML_ERROR_UNINITIALIZED;
  if (set == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  for (std::atomic<uint64_t>& place : runs) {
    uint64_t old = place.load(std::memory_order_acquire);
    if (old != run && place.compare_exchange_strong(old, run, std::memory_order_acq_rel)) {
      *set = reinterpret_cast<nvmlEventSet_t>(&place);
      return NVML_SUCCESS;
    }
  }
  return NVML_ERROR_INSUFFICIENT_RESOURCES;
}

NVML_API nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
  uint64_t run = Run();
  if (run == 0) return NVML_ERROR_UNINITIALIZED;
  std::atomic<uint64_t>* place = PlaceOf(set);
  if (place == nullptr || !place->compare_exchange_strong(run, 0, std::memory_order_acq_rel)) {
    return NVML_ERROR_INVALID_ARGUMENT;
  }
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlEventSetWait(nvmlEventSet_t set, nvmlEventData_t* data,
                                       unsigned int timeoutms) {
  return Wait(set, data, timeoutms);
}

NVML_API nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t* data,
                                          unsigned int timeoutms) {
  return Wait(set, data, timeoutms);
}

// There is nothing to note: no set gets an event.
NVML_API nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long eventTypes,
                                               nvmlEventSet_t set) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found); error != NVML_SUCCESS) return error;
  if (!IsEventSet(set)) return NVML_ERROR_INVALID_ARGUMENT;
  return (eventTypes & ~SupportedEvents(*found)) == 0 ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

NVML_API nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device,
                                                       unsigned long long* eventTypes) {
  return Answer(device, eventTypes, SupportedEvents);
}

}  // namespace vgpu::nvml
