// What discovery said of its CUDA devices, line by line, and what layers 6 and 8 ask of it.

#ifndef DIAG_RULES_REPORTED_DEVICE_H_
#define DIAG_RULES_REPORTED_DEVICE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// One line, or one step of a probe, that describes a device. An empty text: it does not say.
struct ReportedDevice {
  enum class Where {
    kResult,     // inference compute … library=CUDA
    kVerifying,  // verifying if device is supported
    kFiltered,   // filtering device which didn't fully initialize
    kSkipped,    // skipping CUDA device — compute capability not in compiled architectures
    kGgml,       // "  Device 0: …, compute capability 9.0, …"
    kProbe,      // a step of `vgpu-doctor verify`
  };
  Where where = Where::kResult;
  const ollama::LogLine* line = nullptr;  // null: of a probe
  std::string step;                       // of a probe: "cuda"
  std::string id, pci_id, compute, name, total;
};

// The start that counts: of the running process; of a service that does not run, the last
// one of its log. Null where the log does not show it.
const ollama::ServerStart* StartToJudge(const facts::Facts& facts);

// Of the last discovery of that start, in the order of the log. Devices that CUDA did not
// report (Vulkan, ROCm, the CPU) are left out.
std::vector<ReportedDevice> ReportedDevices(const ollama::ServerStart& start);

// The same of the start to judge, and behind it what the steps of a probe say of theirs.
std::vector<ReportedDevice> AllReportedDevices(const facts::Facts& facts);

// The judgement of a rule about what devices say of themselves, where none said anything:
// contradicted where it can be seen that discovery had none, else cannot tell. Nothing
// where `start` reports some.
std::optional<Judgement> WithoutReports(const facts::Facts& facts,
                                        const std::vector<ReportedDevice>& reported);

// Nothing shows a device, virtual or NVIDIA's, and no place that would show one was looked at:
// what was not seen. Nothing where one was seen, or is known not to be there.
std::optional<Judgement> DeviceNotSeen(const facts::Facts& facts);

// Evidence from a line of the log to judge, or from the probe.
Evidence FromReport(const facts::Facts& facts, const ReportedDevice& device, std::string meaning);

// Of a canonical UUID: why it cannot be one. Empty: nothing is wrong with it.
std::string WhatIsWrongWithUuid(absl::string_view uuid);

// Steps that put another build of the shim in place that describes the device: libcudart in
// eras B and C, libcuda in era A.
std::vector<FixStep> ReplaceShimSteps(const facts::Facts& facts, std::string why);

// The steps after a change of devices.toml.
std::vector<FixStep> EditDevicesSteps(const facts::Facts& facts, std::string what);

// The running process is known to have found its GPU, and to have kept it.
bool DiscoveryFoundGpu(const facts::Facts& facts);

// Of a fault that hides the GPU and stops no start.
Acts ActsNowIfRunning(const facts::Facts& facts);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_REPORTED_DEVICE_H_
