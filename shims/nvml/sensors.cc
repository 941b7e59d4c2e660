#include "shims/nvml/sensors.h"

#include <time.h>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

// What Hopper's driver can give as reasons. The one that holds here is that there is no work.
inline constexpr unsigned long long kKnownReasons =
    nvmlClocksEventReasonGpuIdle | nvmlClocksEventReasonApplicationsClocksSetting |
    nvmlClocksEventReasonSwPowerCap | nvmlClocksThrottleReasonHwSlowdown |
    nvmlClocksEventReasonSyncBoost | nvmlClocksEventReasonSwThermalSlowdown |
    nvmlClocksThrottleReasonHwThermalSlowdown | nvmlClocksThrottleReasonHwPowerBrakeSlowdown |
    nvmlClocksEventReasonDisplayClockSetting;

unsigned int Megahertz(int khz) { return static_cast<unsigned int>(khz / 1000); }

// One clock, or that the device has none of this type.
template <typename Clock>
nvmlReturn_t GetClock(nvmlDevice_t handle, nvmlClockType_t type, unsigned int* result,
                      Clock clock) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, result); error != NVML_SUCCESS) return error;
  if (type >= NVML_CLOCK_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  const auto mhz = clock(*device, type);
  if (!mhz) return NVML_ERROR_NOT_SUPPORTED;
  *result = *mhz;
  return NVML_SUCCESS;
}

nvmlReturn_t GetState(nvmlDevice_t handle, nvmlPstates_t* result) {
  return Answer(handle, result,
                [](const Device& device) { return device.profile->idle_performance_state; });
}

nvmlReturn_t GetReasons(nvmlDevice_t handle, unsigned long long* result) {
  return Answer(handle, result, [](const Device&) { return nvmlClocksEventReasonGpuIdle; });
}

nvmlReturn_t GetKnownReasons(nvmlDevice_t handle, unsigned long long* result) {
  return Answer(handle, result, [](const Device&) { return kKnownReasons; });
}

nvmlReturn_t GetPowerLimit(nvmlDevice_t handle, unsigned int* result) {
  return Answer(handle, result,
                [](const Device& device) { return device.profile->power_limit_mw; });
}

// The model has one sensor.
nvmlReturn_t CheckSensor(nvmlTemperatureSensors_t type) {
  if (type == NVML_TEMPERATURE_GPU) return NVML_SUCCESS;
  return type < NVML_TEMPERATURE_COUNT ? NVML_ERROR_NOT_SUPPORTED : NVML_ERROR_INVALID_ARGUMENT;
}

}  // namespace

std::optional<unsigned int> CurrentClock(const Device& device, nvmlClockType_t type) {
  switch (type) {
    case NVML_CLOCK_GRAPHICS:
    case NVML_CLOCK_SM:
      return Megahertz(device.profile->idle_sm_clock_khz);
    case NVML_CLOCK_MEM:
      return Megahertz(device.profile->idle_memory_clock_khz);
    default:
      return std::nullopt;
  }
}

std::optional<unsigned int> MaxClock(const Device& device, nvmlClockType_t type) {
  switch (type) {
    case NVML_CLOCK_GRAPHICS:
    case NVML_CLOCK_SM:
      return Megahertz(device.profile->max_sm_clock_khz);
    case NVML_CLOCK_MEM:
      return Megahertz(device.profile->max_memory_clock_khz);
    case NVML_CLOCK_VIDEO:
      return Megahertz(device.profile->max_video_clock_khz);
    default:
      return std::nullopt;
  }
}

unsigned long long Energy(const Device& device) {
  const ErrnoKeeper keeper;
  timespec up = {};
  clock_gettime(CLOCK_BOOTTIME, &up);
  const unsigned long long milliseconds = static_cast<unsigned long long>(up.tv_sec) * 1'000 +
                                          static_cast<unsigned long long>(up.tv_nsec) / 1'000'000;
  return milliseconds * static_cast<unsigned long long>(device.profile->idle_power_mw) / 1'000;
}

NVML_API nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, nvmlClockType_t type,
                                             unsigned int* clock) {
  return GetClock(device, type, clock, CurrentClock);
}

NVML_API nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, nvmlClockType_t type,
                                                unsigned int* clock) {
  return GetClock(device, type, clock, MaxClock);
}

NVML_API nvmlReturn_t nvmlDeviceGetMaxCustomerBoostClock(nvmlDevice_t device,
                                                         nvmlClockType_t clockType,
                                                         unsigned int* clockMHz) {
  return GetClock(device, clockType, clockMHz, MaxClock);
}

// The model has no application clocks.
NVML_API nvmlReturn_t nvmlDeviceGetClock(nvmlDevice_t device, nvmlClockType_t clockType,
                                         nvmlClockId_t clockId, unsigned int* clockMHz) {
  switch (clockId) {
    case NVML_CLOCK_ID_CURRENT:
      return GetClock(device, clockType, clockMHz, CurrentClock);
    case NVML_CLOCK_ID_CUSTOMER_BOOST_MAX:
      return GetClock(device, clockType, clockMHz, MaxClock);
    default:
      return GetClock(device, clockId < NVML_CLOCK_ID_COUNT ? clockType : NVML_CLOCK_COUNT,
                      clockMHz,
                      [](const Device&, nvmlClockType_t) { return std::optional<unsigned int>(); });
  }
}

NVML_API nvmlReturn_t nvmlDeviceGetPerformanceState(nvmlDevice_t device, nvmlPstates_t* pState) {
  return GetState(device, pState);
}

// The older name of the same.
NVML_API nvmlReturn_t nvmlDeviceGetPowerState(nvmlDevice_t device, nvmlPstates_t* pState) {
  return GetState(device, pState);
}

NVML_API nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(
    nvmlDevice_t device, unsigned long long* clocksEventReasons) {
  return GetReasons(device, clocksEventReasons);
}

NVML_API nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(
    nvmlDevice_t device, unsigned long long* clocksThrottleReasons) {
  return GetReasons(device, clocksThrottleReasons);
}

NVML_API nvmlReturn_t nvmlDeviceGetSupportedClocksEventReasons(
    nvmlDevice_t device, unsigned long long* supportedClocksEventReasons) {
  return GetKnownReasons(device, supportedClocksEventReasons);
}

NVML_API nvmlReturn_t nvmlDeviceGetSupportedClocksThrottleReasons(
    nvmlDevice_t device, unsigned long long* supportedClocksThrottleReasons) {
  return GetKnownReasons(device, supportedClocksThrottleReasons);
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerManagementMode(nvmlDevice_t device,
                                                       nvmlEnableState_t* mode) {
  return Answer(device, mode, [](const Device&) { return NVML_FEATURE_ENABLED; });
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned int* limit) {
  return GetPowerLimit(device, limit);
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerManagementDefaultLimit(nvmlDevice_t device,
                                                               unsigned int* defaultLimit) {
  return GetPowerLimit(device, defaultLimit);
}

NVML_API nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int* limit) {
  return GetPowerLimit(device, limit);
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device,
                                                                   unsigned int* minLimit,
                                                                   unsigned int* maxLimit) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, minLimit, maxLimit); error != NVML_SUCCESS) {
    return error;
  }
  *minLimit = static_cast<unsigned int>(found->profile->min_power_limit_mw);
  *maxLimit = static_cast<unsigned int>(found->profile->max_power_limit_mw);
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int* power) {
  return Answer(device, power, [](const Device& found) { return found.profile->idle_power_mw; });
}

NVML_API nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device,
                                                          unsigned long long* energy) {
  return Answer(device, energy, Energy);
}

NVML_API nvmlReturn_t nvmlDeviceGetPowerSource(nvmlDevice_t device,
                                               nvmlPowerSource_t* powerSource) {
  return Answer(device, powerSource, [](const Device&) { return NVML_POWER_SOURCE_AC; });
}

NVML_API nvmlReturn_t nvmlDeviceGetNumFans(nvmlDevice_t device, unsigned int* numFans) {
  return Answer(device, numFans, [](const Device& found) { return found.profile->fans; });
}

NVML_API nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device,
                                               nvmlTemperatureSensors_t sensorType,
                                               unsigned int* temp) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, temp); error != NVML_SUCCESS) return error;
  if (nvmlReturn_t error = CheckSensor(sensorType); error != NVML_SUCCESS) return error;
  *temp = static_cast<unsigned int>(found->profile->temperature_c);
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device,
                                                nvmlTemperature_t* temperature) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, temperature); error != NVML_SUCCESS) return error;
  if (!HasVersion(*temperature, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  if (nvmlReturn_t error = CheckSensor(temperature->sensorType); error != NVML_SUCCESS) {
    return error;
  }
  temperature->temperature = found->profile->temperature_c;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device,
                                                        nvmlTemperatureThresholds_t thresholdType,
                                                        unsigned int* temp) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, temp); error != NVML_SUCCESS) return error;
  const Profile& profile = *found->profile;
  switch (thresholdType) {
    case NVML_TEMPERATURE_THRESHOLD_SHUTDOWN:
      *temp = static_cast<unsigned int>(profile.shutdown_temperature_c);
      return NVML_SUCCESS;
    case NVML_TEMPERATURE_THRESHOLD_SLOWDOWN:
      *temp = static_cast<unsigned int>(profile.slowdown_temperature_c);
      return NVML_SUCCESS;
    case NVML_TEMPERATURE_THRESHOLD_GPU_MAX:
      *temp = static_cast<unsigned int>(profile.max_operating_temperature_c);
      return NVML_SUCCESS;
    default:
      return thresholdType < NVML_TEMPERATURE_THRESHOLD_COUNT ? NVML_ERROR_NOT_SUPPORTED
                                                              : NVML_ERROR_INVALID_ARGUMENT;
  }
}

// How much warmer the device may become before it slows down.
NVML_API nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device,
                                                     nvmlMarginTemperature_t* marginTempInfo) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, marginTempInfo); error != NVML_SUCCESS) {
    return error;
  }
  if (!HasVersion(*marginTempInfo, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  marginTempInfo->marginTemperature =
      found->profile->slowdown_temperature_c - found->profile->temperature_c;
  return NVML_SUCCESS;
}

}  // namespace vgpu::nvml
