// Every line is a mapping or malformed, and no file is listed twice.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <tuple>

#include "diag/procfs/maps.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = vgpu::procfs::ParseMaps(text);
  if (!parsed.ok()) return 0;
  const vgpu::procfs::MappedObjects& maps = *parsed;
  size_t lines = 0;  // that are ended, and not empty
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n' && i > 0 && text[i - 1] != '\n';
  if (maps.mappings + maps.malformed_lines != lines) abort();
  if (maps.files.size() > maps.mappings) abort();
  std::set<std::tuple<uint32_t, uint32_t, uint64_t>> seen;
  for (const auto& file : maps.files) {
    if (file.inode == 0 || file.shown_path().empty()) abort();
    if (!seen.emplace(file.dev_major, file.dev_minor, file.inode).second) abort();
  }

  const auto cut = vgpu::procfs::ParseMaps(text, /*truncated=*/true);
  if (!cut.ok() || !cut->truncated || cut->files.size() > maps.files.size()) abort();
  return 0;
}
