// Any text is a list of events, each of a line that there is.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/timeline/package_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const uint64_t lines = 1 + static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  const absl::TimeZone zone = absl::FixedTimeZone(-5 * 3600);
  for (const auto& events :
       {vgpu::timeline::ParseDpkgLog(text, zone), vgpu::timeline::ParseAptHistory(text, zone),
        vgpu::timeline::ParsePacmanLog(text, zone), vgpu::timeline::ParseDnfRpmLog(text)}) {
    for (const vgpu::timeline::PackageEvent& event : events) {
      if (event.line == 0 || event.line > lines || event.text.empty()) abort();
      vgpu::timeline::BearsOnGpu(event.package);
    }
  }
  return 0;
}
