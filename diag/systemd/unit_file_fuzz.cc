#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "diag/systemd/unit_file.h"

// What was read stood in the text: in order, below the last line, and no longer than it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const vgpu::systemd::UnitFile file = vgpu::systemd::ParseUnitFile("/x", text);
  size_t total = 0;
  int line = 0;
  for (const vgpu::systemd::Assignment& a : file.assignments) {
    if (a.key.empty() || a.line <= line || a.line > static_cast<int>(size) + 1) std::abort();
    if (a.key.find('=') != std::string::npos) std::abort();
    line = a.line;
    total += a.key.size() + a.value.size();
  }
  if (total > size) std::abort();
  if (file.stopped && file.problems.empty()) std::abort();
  return 0;
}
