// The program vgpu-probe (tools/vgpu_probe), carried along: vgpu-doctor is one file.

#ifndef TOOLS_VGPU_DOCTOR_EMBEDDED_PROBE_H_
#define TOOLS_VGPU_DOCTOR_EMBEDDED_PROBE_H_

#include <cstddef>

#include "absl/strings/string_view.h"

// The linker's names for the file that it was given as it is (ld -r -b binary).
extern "C" const char _binary_vgpu_probe_start[];
extern "C" const char _binary_vgpu_probe_end[];

namespace vgpu::doctor {

inline absl::string_view EmbeddedProbe() {
  return {_binary_vgpu_probe_start,
          static_cast<size_t>(_binary_vgpu_probe_end - _binary_vgpu_probe_start)};
}

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_EMBEDDED_PROBE_H_
