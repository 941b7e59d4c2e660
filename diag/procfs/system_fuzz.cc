// The three files of the host, from any text.

#include <algorithm>
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
  size_t lines = std::count(text.begin(), text.end(), '\n');
  if (!text.empty() && text.back() != '\n') ++lines;
  if (modules.names.size() + modules.malformed_lines != lines) abort();
  if (!modules.names.empty() && !modules.Contains(modules.names.back())) abort();
  return 0;
}
