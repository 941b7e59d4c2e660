// Where a command's answer goes: standard output, or a file.

#ifndef TOOLS_VGPU_DOCTOR_OUTPUT_H_
#define TOOLS_VGPU_DOCTOR_OUTPUT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::doctor {

// Writes `text` to the file `name`; "-" is standard output. A regular file is replaced at once,
// so that who reads it at the same time (a node exporter, a browser) sees the old text or the
// new, and never a part; it stays as it was where that fails. What is no regular file
// (/dev/null, a pipe) is written to.
//
// Returns 0, or the exit status where it could not be done, and standard error says why.
int WriteOutput(absl::string_view text, const std::string& name);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_OUTPUT_H_
