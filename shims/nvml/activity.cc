#include <optional>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"
#include "shims/nvml/sensors.h"

namespace vgpu::nvml {
namespace {

// Over which time utilization is taken. The drivers' is between a sixth of a second and a second,
// by kind of GPU (nvml.h 12.9, nvmlDeviceGetUtilizationRates); there is nothing to take here.
inline constexpr unsigned int kSamplingPeriodUs = 1'000'000;

nvmlReturn_t GetEngine(nvmlDevice_t handle, unsigned int* utilization, unsigned int* period_us) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, utilization, period_us); error != NVML_SUCCESS) {
    return error;
  }
  *utilization = 0;
  *period_us = kSamplingPeriodUs;
  return NVML_SUCCESS;
}

// What one type of samples is of, now.
std::optional<unsigned int> Reading(const Device& device, nvmlSamplingType_t type) {
  switch (type) {
    case NVML_TOTAL_POWER_SAMPLES:
      return static_cast<unsigned int>(device.profile->idle_power_mw);
    case NVML_GPU_UTILIZATION_SAMPLES:
    case NVML_MEMORY_UTILIZATION_SAMPLES:
    case NVML_ENC_UTILIZATION_SAMPLES:
    case NVML_DEC_UTILIZATION_SAMPLES:
    case NVML_JPG_UTILIZATION_SAMPLES:
    case NVML_OFA_UTILIZATION_SAMPLES:
      return 0;
    case NVML_PROCESSOR_CLK_SAMPLES:
      return CurrentClock(device, NVML_CLOCK_SM);
    case NVML_MEMORY_CLK_SAMPLES:
      return CurrentClock(device, NVML_CLOCK_MEM);
    default:
      return std::nullopt;
  }
}

// No one encodes or captures: an empty list, of no sessions.
nvmlReturn_t GetNoSessions(nvmlDevice_t handle, unsigned int* count) {
  return Answer(handle, count, [](const Device&) { return 0; });
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device,
                                                    nvmlUtilization_t* utilization) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, utilization); error != NVML_SUCCESS) return error;
  *utilization = {.gpu = 0, .memory = 0};
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetEncoderUtilization(nvmlDevice_t device,
                                                      unsigned int* utilization,
                                                      unsigned int* samplingPeriodUs) {
  return GetEngine(device, utilization, samplingPeriodUs);
}

NVML_API nvmlReturn_t nvmlDeviceGetDecoderUtilization(nvmlDevice_t device,
                                                      unsigned int* utilization,
                                                      unsigned int* samplingPeriodUs) {
  return GetEngine(device, utilization, samplingPeriodUs);
}

NVML_API nvmlReturn_t nvmlDeviceGetJpgUtilization(nvmlDevice_t device, unsigned int* utilization,
                                                  unsigned int* samplingPeriodUs) {
  return GetEngine(device, utilization, samplingPeriodUs);
}

NVML_API nvmlReturn_t nvmlDeviceGetOfaUtilization(nvmlDevice_t device, unsigned int* utilization,
                                                  unsigned int* samplingPeriodUs) {
  return GetEngine(device, utilization, samplingPeriodUs);
}

NVML_API nvmlReturn_t nvmlDeviceGetDynamicPstatesInfo(
    nvmlDevice_t device, nvmlGpuDynamicPstatesInfo_t* pDynamicPstatesInfo) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, pDynamicPstatesInfo); error != NVML_SUCCESS) {
    return error;
  }
  *pDynamicPstatesInfo = {};
  for (const nvmlGpuUtilizationDomainId_t domain :
       {NVML_GPU_UTILIZATION_DOMAIN_GPU, NVML_GPU_UTILIZATION_DOMAIN_FB,
        NVML_GPU_UTILIZATION_DOMAIN_VID, NVML_GPU_UTILIZATION_DOMAIN_BUS}) {
    pDynamicPstatesInfo->utilization[domain].bIsPresent = 1;
  }
  return NVML_SUCCESS;
}

// One sample, of now. A client that has seen it asks for those after it, and there are none yet.
NVML_API nvmlReturn_t nvmlDeviceGetSamples(nvmlDevice_t device, nvmlSamplingType_t type,
                                           unsigned long long lastSeenTimeStamp,
                                           nvmlValueType_t* sampleValType,
                                           unsigned int* sampleCount, nvmlSample_t* samples) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, sampleValType, sampleCount);
      error != NVML_SUCCESS) {
    return error;
  }
  if (type >= NVML_SAMPLINGTYPE_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  const auto reading = Reading(*found, type);
  if (!reading) return NVML_ERROR_NOT_SUPPORTED;
  const unsigned long long now = Now();
  if (lastSeenTimeStamp >= now) return NVML_ERROR_NOT_FOUND;
  *sampleValType = NVML_VALUE_TYPE_UNSIGNED_INT;
  // Without a buffer, the question is how large it has to be.
  if (samples == nullptr) {
    *sampleCount = 1;
    return NVML_SUCCESS;
  }
  return CopyList(1, sampleCount, samples, [&](size_t, nvmlSample_t& sample) {
    sample = {.timeStamp = now, .sampleValue = {}};
    sample.sampleValue.uiVal = *reading;
  });
}

NVML_API nvmlReturn_t nvmlDeviceGetViolationStatus(nvmlDevice_t device,
                                                   nvmlPerfPolicyType_t perfPolicyType,
                                                   nvmlViolationTime_t* violTime) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, violTime); error != NVML_SUCCESS) return error;
  if (perfPolicyType >= NVML_PERF_POLICY_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  *violTime = {.referenceTime = Now(), .violationTime = 0};
  return NVML_SUCCESS;
}

// In percent of what the encoders can do: all of it is left.
NVML_API nvmlReturn_t nvmlDeviceGetEncoderCapacity(nvmlDevice_t device,
                                                   nvmlEncoderType_t encoderQueryType,
                                                   unsigned int* encoderCapacity) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, encoderCapacity); error != NVML_SUCCESS) {
    return error;
  }
  if (encoderQueryType > NVML_ENCODER_QUERY_AV1) return NVML_ERROR_INVALID_ARGUMENT;
  if (found->profile->encoders == 0) return NVML_ERROR_NOT_SUPPORTED;
  *encoderCapacity = 100;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetEncoderStats(nvmlDevice_t device, unsigned int* sessionCount,
                                                unsigned int* averageFps,
                                                unsigned int* averageLatency) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, sessionCount, averageFps, averageLatency);
      error != NVML_SUCCESS) {
    return error;
  }
  *sessionCount = *averageFps = *averageLatency = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetEncoderSessions(nvmlDevice_t device, unsigned int* sessionCount,
                                                   nvmlEncoderSessionInfo_t*) {
  return GetNoSessions(device, sessionCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetFBCStats(nvmlDevice_t device, nvmlFBCStats_t* fbcStats) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, fbcStats); error != NVML_SUCCESS) return error;
  *fbcStats = {.sessionsCount = 0, .averageFPS = 0, .averageLatency = 0};
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetFBCSessions(nvmlDevice_t device, unsigned int* sessionCount,
                                               nvmlFBCSessionInfo_t*) {
  return GetNoSessions(device, sessionCount);
}

}  // namespace vgpu::nvml
