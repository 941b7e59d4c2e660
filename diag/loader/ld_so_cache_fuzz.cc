// No bytes make the parser read outside of them, or keep more than a bounded multiple.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/loader/ld_so_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<vgpu::loader::LdSoCache> cache = vgpu::loader::LdSoCache::Parse(bytes);
  if (!cache.ok()) return 0;
  for (const vgpu::loader::LdSoCache::Entry& entry : cache->entries()) {
    if (entry.name.size() > size || entry.path.size() > size) std::abort();
    if (entry.ours && cache->Find(entry.name).empty()) std::abort();
  }
  return 0;
}
