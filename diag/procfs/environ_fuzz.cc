// Of what is taken for an environment, nothing is lost.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/environ.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = vgpu::procfs::ParseEnviron(bytes);
  if (!parsed.ok()) return 0;
  const vgpu::procfs::Environ& environ = *parsed;
  size_t total = 0;
  for (const auto& entry : environ.entries()) {
    total += entry.name.size() + entry.value.size() + (entry.assignment ? 1 : 0);
    if (entry.name.find('=') != std::string::npos) abort();
  }
  size_t nul_bytes = 0;
  for (char c : bytes) nul_bytes += c == '\0';
  if (total + nul_bytes != size) abort();
  for (size_t i = 0; i < environ.entries().size() && i < 3; ++i) {
    const auto& entry = environ.entries()[i];
    if (environ.Find(entry.name).has_value() != environ.FindAsLoader(entry.name).has_value())
      abort();
    if (entry.assignment && !environ.Find(entry.name).has_value()) abort();
  }

  const auto cut = vgpu::procfs::ParseEnviron(bytes, /*truncated=*/true);
  if (cut.ok() && (!cut->truncated() || cut->entries().size() > environ.entries().size())) abort();
  return 0;
}
