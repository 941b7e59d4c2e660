// The three files of the host, from any text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/system.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto boot = vgpu::procfs::ParseBootTime(text);
  if (boot.ok() && *boot < absl::UnixEpoch()) abort();
  const auto uptime = vgpu::procfs::ParseUptime(text);
  if (uptime.ok() && *uptime < absl::ZeroDuration()) abort();
  const auto modules = vgpu::procfs::ParseModules(text);
  if (!modules.ok()) return 0;
  size_t lines = 0;  // that are ended, and not empty
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n' && i > 0 && text[i - 1] != '\n';
  if (modules->names.size() + modules->malformed_lines != lines) abort();
  if (!modules->names.empty() && !modules->Has(modules->names.back()).value_or(false)) abort();
  return 0;
}
