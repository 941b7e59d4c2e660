// File capabilities: the extended attribute security.capability as text.
//
//   FileCapsText(value) == "cap_perfmon=ep"       // as getcap(8) prints it
//
// The layout is struct vfs_cap_data of include/uapi/linux/capability.h, revisions 1 to 3.
// Pure; thread-safe.

#ifndef DIAG_HOST_FILE_CAPS_H_
#define DIAG_HOST_FILE_CAPS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::host {

// Absent: the attribute grants nothing. Not observed: it is none that the kernel takes.
Observed<std::string> FileCapsText(absl::string_view attribute);

}  // namespace vgpu::host

#endif  // DIAG_HOST_FILE_CAPS_H_
