// Every line is a mount or malformed, and the mount of a path contains it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/mountinfo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = vgpu::procfs::ParseMountInfo(text);
  if (!parsed.ok()) return 0;
  const vgpu::procfs::MountTable& table = *parsed;
  size_t lines = 0;  // that are ended, and not empty
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n' && i > 0 && text[i - 1] != '\n';
  if (table.mounts().size() + table.malformed_lines() != lines) abort();

  size_t looked_at = 0;
  for (const auto& mount : table.mounts()) {
    const std::string below = mount.mount_point == "/" ? "/below" : mount.mount_point + "/below";
    const auto* found = table.MountOf(below);
    if (found != nullptr && below.compare(0, found->mount_point.size(), found->mount_point) != 0) {
      abort();
    }
    if (++looked_at == 4) break;
  }
  if (table.MountOf("relative") != nullptr) abort();
  return 0;
}
