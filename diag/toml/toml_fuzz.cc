#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "diag/toml/toml.h"

// An error names a line; keys stand in rising lines below their header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tables = vgpu::toml::ParseToml(text);
  if (!tables.ok()) {
    if (!absl::StartsWith(tables.status().message(), "line ")) std::abort();
    return 0;
  }
  int line = 0;
  for (const vgpu::toml::Table& table : *tables) {
    if (table.line < line) std::abort();
    line = table.line;
    for (const vgpu::toml::Key& key : table.keys) {
      if (key.line <= line) std::abort();
      line = key.line;
    }
  }
  return 0;
}
