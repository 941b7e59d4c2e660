// VG803 compute-capability-implausible: 0.0, 512.1, or not what is configured.
//
// The backend is built for a list of compute capabilities. With one that is in no list the
// second pass aborts (GGML_ASSERT(ggml_cuda_has_arch), v0.12.4 and later), era C drops the
// device, and era A calls the card too old.

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

// Capabilities run from 1.0 to 12.1 (CUDA 13); the next ones will not be in the hundreds.
bool CanBe(absl::string_view compute) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(compute, absl::MaxSplits('.', 1));
  int major = 0, minor = 0;
  return absl::SimpleAtoi(parts.first, &major) && absl::SimpleAtoi(parts.second, &minor) &&
         major >= 1 && major < 30 && minor >= 0 && minor <= 9;
}

bool IsConfigured(const facts::DeviceConfig& config, absl::string_view compute) {
  for (const facts::ConfiguredDevice& device : config.devices) {
    if (device.compute_capability == compute) return true;
  }
  return false;
}

}  // namespace

Judgement ComputeImplausible(const facts::Facts& facts) {
  const std::vector<ReportedDevice> reported = AllReportedDevices(facts);
  if (std::optional<Judgement> none = WithoutReports(facts, reported)) return *none;

  const host::Observed<facts::DeviceConfig>& config = facts.devices.configured;
  Holds holds;
  std::string right, wrong;
  bool impossible = false;
  for (const ReportedDevice& device : reported) {
    if (device.compute.empty()) continue;
    const bool possible = CanBe(device.compute);
    if (possible && (!config.present() || IsConfigured(*config, device.compute))) {
      right = device.compute;
      continue;
    }
    wrong = device.compute;
    impossible = impossible || !possible;
    if (holds.evidence.size() >= 8) continue;
    holds.evidence.push_back(
        FromReport(facts, device,
                   possible ? absl::StrCat("compute capability ", device.compute, ", and ",
                                           config->devices[0].compute_capability,
                                           " is configured (", facts.devices.config_source, ")")
                            : absl::StrCat("there is no compute capability ", device.compute)));
  }
  if (holds.evidence.empty()) {
    return Contradicted{right.empty() ? "no line of the log gives a compute capability"
                                      : absl::StrCat("compute=", right, " is what it should be")};
  }
  // A backend may well have code for another capability that can be.
  holds.confidence = impossible ? Confidence::kLikely : Confidence::kPossible;
  holds.acts = ActsNowIfRunning(facts);
  for (Evidence& evidence : NoGpuEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG511"};
  if (impossible) holds.explains.insert(holds.explains.end(), {"VG703", "VG704", "VG708"});
  holds.headline =
      absl::StrCat("The device reports compute capability ", wrong,
                   ": the library that describes it is wrong about it, and the backend may have no "
                   "code for such a device.");
  if (!facts.devices.IsVirtual()) {
    holds.fix.push_back({"nvidia-smi --query-gpu=name,compute_cap --format=csv",
                         "shows what the driver itself gives", "", ""});
  } else {
    holds.fix = ReplaceShimSteps(facts,
                                 "a build that fills major and minor in the layout of the "
                                 "backend's CUDA version, as devices.toml or the profile has them");
  }
  holds.expect = {config.present() ? absl::StrCat("compute=", config->devices[0].compute_capability)
                                   : std::string("compute= as NVIDIA lists it for the card"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
