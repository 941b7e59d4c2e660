// VG606 driver-library-mismatch: NVIDIA's kernel module and its libraries are of different
// versions.
//
// So after an upgrade of the packages without a reboot: the module in memory stays. The
// libraries refuse it (CUDA error 803; "NVRM: API mismatch" in the kernel's log). Libraries
// of the package cuda-compat are made for an older module, and are not looked at.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

// The line that says that library and module do not fit; null where there is none.
const ollama::CudaError* SaidSo(const ollama::ServerStart* start) {
  if (start == nullptr) return nullptr;
  for (const ollama::CudaError& error : start->cuda_errors) {
    if (error.Is(803)) return &error;
  }
  return nullptr;
}

}  // namespace

Judgement DriverLibraryMismatch(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.IsVirtual()) return Contradicted{"the device is virtual: it has no kernel module"};
  if (devices.wsl) return Contradicted{"under Windows the driver is Windows' own"};
  if (auto unseen = DeviceNotSeen(facts)) return *unseen;
  if (!devices.IsPhysical()) return Contradicted{"no NVIDIA driver or device was seen"};
  if (devices.module_version.absent()) return Contradicted{"NVIDIA's kernel module is not loaded"};
  if (!devices.module_version.present()) {
    return CannotTell{"the version of NVIDIA's kernel module",
                      std::string(devices.module_version.why_not()),
                      "cat /proc/driver/nvidia/version"};
  }
  std::vector<const facts::DriverLibrary*> cuda;
  for (const facts::DriverLibrary& library : devices.driver_libraries) {
    if (absl::StrContains(library.path, "/libcuda.so.")) cuda.push_back(&library);
  }
  if (cuda.empty()) {
    return CannotTell{"the version of libcuda", "no libcuda.so.VERSION was seen",
                      "ls -l /usr/lib/*/libcuda.so* /usr/lib64/libcuda.so*"};
  }
  // Where one of the right version is installed too, which is found is the loader's matter.
  for (const facts::DriverLibrary* library : cuda) {
    if (library->version == *devices.module_version) {
      return Contradicted{absl::StrCat("module and library are both ", library->version)};
    }
  }
  const ollama::ServerStart* start = StartToJudge(facts);
  const ollama::CudaError* said = SaidSo(start);
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool found_gpu = DiscoveryFoundGpu(facts);
  Holds holds;
  holds.evidence.push_back(
      {"/proc/driver/nvidia/version", 0, *devices.module_version, "the kernel module in memory"});
  holds.evidence.push_back({cuda.front()->path, 0, cuda.front()->version, "the library on disk"});
  if (said != nullptr) {
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), said->line,
                                     "CUDA says that library and module do not fit"));
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.confidence = said != nullptr && !found_gpu ? Confidence::kCertain : Confidence::kLikely;
  // What found its GPU has the old libraries in memory.
  holds.acts = found_gpu ? Acts::kNextStart : ActsNowIfRunning(facts);
  holds.explains = {"VG607", "VG704", "VG707"};
  holds.headline =
      absl::StrCat("NVIDIA's kernel module is ", *devices.module_version, " and its library ",
                   cuda.front()->version, ": reboot, or load the new module.");
  holds.fix.push_back({"sudo systemctl reboot",
                       "the kernel loads the module that belongs to the installed libraries; "
                       "where it does not, the module was not built for this kernel (`sudo dkms "
                       "autoinstall`)",
                       "everything that runs is stopped", ""});
  holds.expect = {absl::StrCat("cat /proc/driver/nvidia/version names ", cuda.front()->version),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
