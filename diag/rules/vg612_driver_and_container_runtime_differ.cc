// VG612 driver-and-container-runtime-differ: CUDA's error 500 in a container or under WSL:
// the driver's libraries that were mapped in are of another release than what maps them, or
// than the kernel's side. Elsewhere the same code speaks for mixed layers (VG418).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

// The log names a library of WSL's.
bool WslInLog(const facts::Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr) return false;
  for (const ollama::LogLine& line : start->no_device) {
    if (absl::StrContains(line.text, "/usr/lib/wsl/")) return true;
  }
  return false;
}

}  // namespace

Judgement DriverAndContainerRuntimeDiffer(const facts::Facts& facts) {
  if (auto none = WithoutCard(facts)) return *none;
  const bool container = facts.container.IsContainer();
  const bool wsl = facts.devices.wsl || WslInLog(facts);
  if (!container && !wsl && !facts.container.container.not_observed()) {
    return Contradicted{"the server runs in no container and not under WSL"};
  }
  const ollama::CudaError* error = DecidingError(facts);
  if (error == nullptr || !error->Is(500)) return WithoutCode(facts);
  if (!container && !wsl) {
    return CannotTell{"whether the server runs in a container",
                      std::string(facts.container.container.why_not()), HowToSeeProcess(facts)};
  }
  Holds holds;
  holds.confidence = Confidence::kLikely;
  holds.evidence = CodeEvidence(facts, *error);
  if (container) {
    const bool known = facts.container.container.present();
    holds.evidence.push_back(
        {known ? absl::StrCat("/proc/", facts.process->pid, "/cgroup") : facts.container.marker, 0,
         known ? facts.container.container->runtime : "", "the server runs in a container"});
  } else {
    holds.evidence.push_back({"/usr/lib/wsl/lib", 0, "", "the driver is Windows' own, under WSL"});
  }
  if (facts.devices.module_version.present()) {
    holds.evidence.push_back({"/proc/driver/nvidia/version", 0, *facts.devices.module_version,
                              "the kernel module's release"});
  }
  if (!facts.devices.driver_libraries.empty()) {
    const facts::DriverLibrary& library = facts.devices.driver_libraries.front();
    holds.evidence.push_back({library.path, 0, library.version, "the library's release"});
  }
  holds.explains = {"VG704", "VG707", "VG708"};
  holds.headline = container ? "The GPU driver and what maps it into the container do not fit each "
                               "other: update the container toolkit."
                             : "The GPU driver and WSL do not fit each other: update both.";
  if (container) {
    holds.fix.push_back(
        {"sudo apt-get install --only-upgrade nvidia-container-toolkit && sudo nvidia-ctk cdi "
         "generate --output=/etc/cdi/nvidia.yaml",
         "on the host: the toolkit of today, and a description of the driver that is there now; "
         "then create the container anew, for a restart keeps its old mounts",
         "containers that are created from then on get other mounts", ""});
  } else {
    holds.fix.push_back({"wsl.exe --update",
                         "then install the newest driver for the card in Windows",
                         "WSL is shut down for it", ""});
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
