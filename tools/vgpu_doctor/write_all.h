// Writes to a descriptor until all is written.

#ifndef TOOLS_VGPU_DOCTOR_WRITE_ALL_H_
#define TOOLS_VGPU_DOCTOR_WRITE_ALL_H_

#include "absl/strings/string_view.h"

namespace vgpu::doctor {

// False, with errno: not all of it was written. Allocates nothing: also for children of fork(2).
bool WriteAll(int fd, absl::string_view text);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WRITE_ALL_H_
