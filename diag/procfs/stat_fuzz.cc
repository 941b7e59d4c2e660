// A text is refused with a short message, or gives a process with a state.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/stat.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto stat = vgpu::procfs::ParseProcessStat(text);
  if (!stat.ok()) {
    if (stat.status().message().empty() || stat.status().message().size() > 400) abort();
    return 0;
  }
  if (stat->state == '\0' && text.find('\0') == absl::string_view::npos) abort();
  if (text.find(stat->comm) == absl::string_view::npos) abort();
  if (vgpu::procfs::TicksToDuration(stat->start_ticks) < absl::ZeroDuration()) abort();
  return 0;
}
