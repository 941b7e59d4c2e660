// The environment of a command that vgpu-run starts.
//
// Pure; thread-safe.

#ifndef TOOLS_VGPU_RUN_ENVIRONMENT_H_
#define TOOLS_VGPU_RUN_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::run {

// libudev shows a device only if its directory is on sysfs itself, unless this variable says 0
// (docs/ENVIRONMENT.md of systemd, 251 and later). The virtual device's is not.
inline constexpr char kVerifySysfs[] = "SYSTEMD_DEVICE_VERIFY_SYSFS";

// `environment` with kVerifySysfs, if it does not have it.
std::vector<std::string> WithView(std::vector<std::string> environment);

// The shims that a command's programs preload, in the order of lookup, in the directory `shims`.
std::vector<std::string> PreloadedShims(absl::string_view shims);

// `environment` ("NAME=value" each) with the shims of the directory `shims` before what LD_PRELOAD
// and LD_LIBRARY_PATH have: the loader finds ours first, by preload and by name. What is there
// already is not added again. Everything else is as it was.
std::vector<std::string> WithShims(std::vector<std::string> environment, absl::string_view shims);

}  // namespace vgpu::run

#endif  // TOOLS_VGPU_RUN_ENVIRONMENT_H_
