// Fields: values by number. Their numbers, and what each counts, are those of nvml.h 13.5.37
// (NVML_FI_…); monitoring asks for them (DCGM, nvitop).

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "shims/nvml/call.h"
#include "shims/nvml/nvlink.h"
#include "shims/nvml/nvml.h"
#include "shims/nvml/sensors.h"

namespace vgpu::nvml {
namespace {

// A value, or that this device has none.
using Reading = std::optional<uint64_t>;
using Read = Reading (*)(const Device& device, unsigned int scope);

// `scope` of power fields (NVML_POWER_SCOPE_GPU): the others are a module and its memory.
inline constexpr unsigned int kScopeGpu = 0;

Reading None(bool supported) { return supported ? Reading(0) : std::nullopt; }

Reading Zero(const Device&, unsigned int) { return 0; }
Reading Ecc(const Device& device, unsigned int) {
  return device.profile->ecc ? Reading(NVML_FEATURE_ENABLED) : std::nullopt;
}
Reading EccErrors(const Device& device, unsigned int) { return None(device.profile->ecc); }
Reading RetiredPages(const Device& device, unsigned int) {
  return None(device.profile->ecc &&
              device.profile->nvml_architecture < int{NVML_DEVICE_ARCH_AMPERE});
}
Reading RemappedRows(const Device& device, unsigned int) {
  return None(device.profile->ecc &&
              device.profile->nvml_architecture >= int{NVML_DEVICE_ARCH_AMPERE});
}

// Of links that are inactive: no speed, no traffic, no errors.
Reading Links(const Device& device, unsigned int) {
  return static_cast<uint64_t>(device.profile->nvlinks);
}
Reading OfLinks(const Device& device, unsigned int) { return None(device.profile->nvlinks > 0); }
Reading OfOneLink(const Device& device, unsigned int link) {
  return None(link < static_cast<unsigned int>(device.profile->nvlinks));
}
Reading LinkVersion(const Device& device, unsigned int link) {
  if (!OfOneLink(device, link)) return std::nullopt;
  return NvlinkVersion(device);
}

// Power of the GPU; there is no module around it.
template <int Profile::*kMilliwatts>
Reading Power(const Device& device, unsigned int scope) {
  if (scope != kScopeGpu) return std::nullopt;
  return static_cast<uint64_t>(device.profile->*kMilliwatts);
}
Reading EnergyUsed(const Device& device, unsigned int scope) {
  return scope == kScopeGpu ? Reading(Energy(device)) : std::nullopt;
}
Reading Temperature(const Device& device, unsigned int) {
  return static_cast<uint64_t>(device.profile->temperature_c);
}

// Fields with consecutive numbers that are read alike.
struct Fields {
  unsigned int first;
  unsigned int last;
  nvmlValueType_t type;
  Read read;
};

inline constexpr nvmlValueType_t kUint = NVML_VALUE_TYPE_UNSIGNED_INT;
inline constexpr nvmlValueType_t kUlong = NVML_VALUE_TYPE_UNSIGNED_LONG_LONG;

// By number. What is not here is NOT_SUPPORTED.
inline constexpr auto kFields = std::to_array<Fields>({
    {1, 2, kUint, Ecc},             // mode: current, pending
    {3, 28, kUlong, EccErrors},     // by kind, counter and place
    {29, 31, kUint, RetiredPages},  // by cause; pending
    {32, 73, kUlong, OfLinks},      // errors and traffic of links 0 to 5
    {74, 81, kUlong, Zero},         // time for which a policy held clocks down, ns
    {83, 83, kUlong, EnergyUsed},   // mJ
    {84, 90, kUint, OfLinks},       // speed of links 0 to 5, MB/s
    {91, 91, kUint, Links},         // how many
    {92, 93, kUint, RetiredPages},  // pending, by cause
    {94, 95, kUint, Zero},          // PCIe replays
    {96, 131, kUlong, OfLinks},     // errors and traffic of links 6 to 11
    {132, 137, kUint, OfLinks},     // speed of links 6 to 11, MB/s
    {138, 141, kUlong, OfLinks},    // throughput, KiB
    {142, 145, kUint, RemappedRows},
    {147, 147, kUint, OfLinks},     // how many lead to an NVSwitch
    {148, 160, kUlong, OfLinks},    // ECC errors
    {161, 163, kUlong, OfOneLink},  // errors of the data link layer
    {164, 165, kUint, OfOneLink},   // speed, MB/s; state
    {166, 166, kUint, LinkVersion},
    {169, 170, kUint, Zero},                            // PCIe recoveries; links between chips
    {173, 183, kUlong, Zero},                           // PCIe errors
    {185, 186, kUint, Power<&Profile::idle_power_mw>},  // average, instant
    {187, 187, kUint, Power<&Profile::min_power_limit_mw>},
    {188, 188, kUint, Power<&Profile::max_power_limit_mw>},
    {189, 190, kUint, Power<&Profile::power_limit_mw>},  // default, current
    {191, 191, kUlong, EnergyUsed},                      // mJ
    {192, 192, kUint, Power<&Profile::power_limit_mw>},  // requested
    {197, 198, kUlong, Zero},                            // bytes over PCIe
    {201, 215, kUlong, OfOneLink},                       // packets, bytes, errors, recoveries
    {226, 227, kUint, Zero},                             // no reset is wanted
    {230, 230, kUint, Zero},                             // nor any other recovery
    {269, 271, kUlong, Zero},                            // time for which clocks were held down, ns
    {301, 302, kUint, RemappedRows},                     // that are not in use
    {308, 308, kUint, Temperature},                      // degrees Celsius
});

static_assert(std::is_sorted(kFields.begin(), kFields.end(),
                             [](const Fields& a, const Fields& b) { return a.last < b.first; }));

void Fill(const Device& device, nvmlFieldValue_t& value) {
  value.timestamp = static_cast<long long>(Now());
  value.latencyUsec = 0;
  value.nvmlReturn = NVML_ERROR_NOT_SUPPORTED;
  const auto* field = std::find_if(kFields.begin(), kFields.end(), [&](const Fields& fields) {
    return fields.first <= value.fieldId && value.fieldId <= fields.last;
  });
  if (field == kFields.end()) return;
  const Reading reading = field->read(device, value.scopeId);
  if (!reading) return;
  value.valueType = field->type;
  value.value = {};
  if (field->type == kUint) {
    value.value.uiVal = static_cast<unsigned int>(*reading);
  } else {
    value.value.ullVal = *reading;
  }
  value.nvmlReturn = NVML_SUCCESS;
}

}  // namespace

// Each value has a result of its own; the call succeeds where all were looked at.
NVML_API nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int valuesCount,
                                               nvmlFieldValue_t* values) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, values); error != NVML_SUCCESS) return error;
  if (valuesCount < 1) return NVML_ERROR_INVALID_ARGUMENT;
  for (int i = 0; i < valuesCount; ++i) Fill(*found, values[i]);
  return NVML_SUCCESS;
}

}  // namespace vgpu::nvml
