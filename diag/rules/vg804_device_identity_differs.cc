// VG804 device-identity-differs: name, memory or UUID are not those that are configured.
//
// What is configured is /etc/vgpu/devices.toml, else the default profile: so a device that
// its owner gave another name is right. NVIDIA's own driver has no profile here.

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

// Ollama prints one decimal, a driver keeps some memory for itself, and a data sheet's GB
// is not what a card reports.
constexpr double kProfileTolerance = 0.10;
constexpr double kGivenTolerance = 0.03;

// "80.0 GiB" in MiB; negative where it is no size.
double MemoryMib(absl::string_view total) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(total, ' ');
  double number = 0;
  if (!absl::SimpleAtod(parts.first, &number)) return -1;
  if (parts.second == "GiB") return number * 1024;
  if (parts.second == "MiB") return number;
  if (parts.second == "TiB") return number * 1024 * 1024;
  return -1;
}

bool Fits(const facts::ConfiguredDevice& device, double mib) {
  const double wanted = static_cast<double>(device.memory_mib);
  return std::abs(mib - wanted) <=
         wanted * (device.memory_given ? kGivenTolerance : kProfileTolerance);
}

// What no configured device has; empty: there is one that fits in all that the line says.
std::string WhatDiffers(const facts::DeviceConfig& config, const ReportedDevice& reported) {
  std::vector<std::string> names, sizes, ids;
  bool name_known = reported.name.empty();
  const double mib = MemoryMib(reported.total);
  bool memory_known = mib < 0;
  const std::optional<std::string> uuid = facts::CanonicalUuid(reported.id);
  // One that can be none is VG801.
  bool uuid_known = !uuid || !WhatIsWrongWithUuid(*uuid).empty();
  for (const facts::ConfiguredDevice& device : config.devices) {
    name_known = name_known || device.name == reported.name;
    memory_known = memory_known || Fits(device, mib);
    // A derived id is not known here.
    uuid_known = uuid_known || !device.uuid || *device.uuid == *uuid;
    if (names.size() >= 4) continue;
    names.push_back(device.name);
    sizes.push_back(absl::StrCat(device.memory_mib, " MiB"));
    ids.push_back(device.uuid.value_or(""));
  }
  std::vector<std::string> differs;
  if (!name_known) differs.push_back(absl::StrCat("the name ", absl::StrJoin(names, " or ")));
  if (!memory_known) differs.push_back(absl::StrCat("memory of ", absl::StrJoin(sizes, " or ")));
  if (!uuid_known) differs.push_back(absl::StrCat("the id ", absl::StrJoin(ids, " or ")));
  return absl::StrJoin(differs, ", ");
}

}  // namespace

Judgement DeviceIdentityDiffers(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (!devices.IsVirtual() && devices.configured.not_observed()) {
    return CannotTell{"the configured devices",
                      Because(devices.config_source, devices.configured.why_not()),
                      absl::StrCat("sudo cat ", facts::kDeviceConfigFile)};
  }
  if (!devices.IsVirtual()) {
    return Contradicted{"no virtual device is configured, and no shim was seen"};
  }
  if (!devices.configured.present()) {
    return CannotTell{"the configured devices",
                      Because(devices.config_source, devices.configured.why_not()),
                      absl::StrCat("sudo cat ", facts::kDeviceConfigFile)};
  }
  const std::vector<ReportedDevice> reported = AllReportedDevices(facts);
  if (std::optional<Judgement> none = WithoutReports(facts, reported)) return *none;

  Holds holds;
  for (const ReportedDevice& device : reported) {
    const std::string differs = WhatDiffers(*devices.configured, device);
    if (differs.empty() || holds.evidence.size() >= 8) continue;
    holds.evidence.push_back(FromReport(
        facts, device, absl::StrCat("configured is ", differs, " (", devices.config_source, ")")));
  }
  if (holds.evidence.empty()) {
    return Contradicted{absl::StrCat("name and memory are those of ", devices.config_source)};
  }
  holds.confidence = Confidence::kLikely;
  holds.acts = Acts::kNextStart;
  holds.headline = absl::StrCat("The device is not the one that ", devices.config_source,
                                " describes: another build of the shims, or another file.");
  holds.fix = EditDevicesSteps(
      facts, "describes the device that is wanted: name, memory_mib and uuid below [[device]]");
  holds.expect = {"description= and total= as they are configured"};
  return holds;
}

}  // namespace vgpu::rules
