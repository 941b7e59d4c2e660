// VG801 device-uuid-implausible: the UUID is zero, or holds another field of the structure.
//
// A UUID has 16 bytes of chance or hash. cudaDeviceProp begins with name and uuid, and its
// layout differs between CUDA 11, 12 and 13: a reader of another one finds what stands
// behind. Seen in the field: GPU-00000000-1400-0000-0900-000000000000, whose first eight
// bytes are 80 GiB (little-endian), the next ones a size of shared memory.
//
// The second pass selects the device by this id (CUDA_VISIBLE_DEVICES), so one that the
// child cannot find is filtered out: VG703.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/devices.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

constexpr char kAllZero[] = "all of it is zero";

bool IsConfigured(const facts::Facts& facts, absl::string_view uuid) {
  if (!facts.devices.configured.present()) return false;
  for (const facts::ConfiguredDevice& device : facts.devices.configured->devices) {
    if (device.uuid && *device.uuid == uuid) return true;
  }
  return false;
}

}  // namespace

Judgement DeviceUuidImplausible(const facts::Facts& facts) {
  const std::vector<ReportedDevice> reported = AllReportedDevices(facts);
  if (std::optional<Judgement> none = WithoutReports(facts, reported)) return *none;

  Holds holds;
  std::string plausible, first_id, filtered_id;
  bool other_id_later = false, layout_wrong = false;
  for (const ReportedDevice& device : reported) {
    // Era C counts ("0"); a MIG instance has an id of its own form.
    std::optional<std::string> uuid = facts::CanonicalUuid(device.id);
    if (!uuid) {
      if (plausible.empty()) plausible = device.id;
      continue;
    }
    const std::string wrong = WhatIsWrongWithUuid(*uuid);
    if (wrong.empty() || IsConfigured(facts, *uuid)) {
      plausible = *uuid;
      continue;
    }
    layout_wrong = layout_wrong || wrong != kAllZero;
    // A probe asks at another time, and of another process.
    if (device.where != ReportedDevice::Where::kProbe) {
      other_id_later = other_id_later || (!first_id.empty() && first_id != *uuid);
    }
    if (first_id.empty()) first_id = *uuid;
    if (device.where == ReportedDevice::Where::kFiltered) filtered_id = *uuid;
    if (holds.evidence.size() < 8) holds.evidence.push_back(FromReport(facts, device, wrong));
  }
  if (holds.evidence.empty()) {
    if (facts::CanonicalUuid(plausible)) {
      return Contradicted{absl::StrCat("the id ", plausible, " is plausible")};
    }
    if (facts.ollama.era == ollama::Era::kC) {
      return Contradicted{"this version of Ollama asks for no UUID"};
    }
    if (!plausible.empty()) {
      return Contradicted{
          absl::StrCat("the id ", plausible, " is a name of another form, and no broken UUID")};
    }
    return CannotTell{"the UUID that CUDA gives", "no line that was seen has one",
                      HowToLogMore(facts)};
  }
  holds.confidence = Confidence::kLikely;
  holds.acts = ActsNowIfRunning(facts);
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  // One device that names itself twice, and otherwise each time, cannot be selected.
  if (!effect.empty() && !filtered_id.empty() && other_id_later) {
    holds.confidence = Confidence::kCertain;
    holds.evidence.back().meaning += "; and the id differs from one line to the next";
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG703", "VG704", "VG708"};
  // The fields behind it are then elsewhere too.
  if (layout_wrong) holds.explains.insert(holds.explains.end(), {"VG802", "VG803"});
  holds.headline = absl::StrCat("The device calls itself ", first_id,
                                ", which is no UUID: the library that describes it writes another "
                                "layout than its reader expects.");
  if (facts.devices.IsVirtual()) {
    holds.fix = ReplaceShimSteps(
        facts,
        "a build whose cudaDeviceProp has the layout that the backend's CUDA version reads (1032 "
        "bytes in CUDA 12, 1008 in CUDA 13), with the uuid that devices.toml gives");
  } else {
    holds.fix.push_back({"nvidia-smi -L", "shows the ids that the driver itself gives", "", ""});
  }
  holds.expect = {"id=GPU-… with other digits than zeros, the same one at every start",
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
