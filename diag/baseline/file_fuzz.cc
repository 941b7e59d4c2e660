// Any text is a baseline or an error; what is read is written and read again as the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/baseline/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<vgpu::baseline::Snapshot> read = vgpu::baseline::ReadBaseline(text);
  if (!read.ok()) {
    if (read.status().message().empty()) abort();
    return 0;
  }
  const std::string written = vgpu::baseline::WriteBaseline(*read);
  const absl::StatusOr<vgpu::baseline::Snapshot> again = vgpu::baseline::ReadBaseline(written);
  if (!again.ok() || vgpu::baseline::WriteBaseline(*again) != written) abort();
  return 0;
}
