#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "diag/systemd/environment_file.h"

// Names are names, lines rise, and no more comes out than went in.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const vgpu::systemd::EnvironmentFile file = vgpu::systemd::ParseEnvironmentFile(text);
  size_t total = 0;
  int line = 0;
  for (const auto& variable : file.variables) {
    if (!vgpu::systemd::IsEnvironmentName(variable.key)) std::abort();
    if (variable.line <= line) std::abort();
    line = variable.line;
    total += variable.key.size() + variable.value.size();
  }
  if (total > size) std::abort();
  if (file.refused && (!file.variables.empty() || file.problems.empty())) std::abort();
  return 0;
}
