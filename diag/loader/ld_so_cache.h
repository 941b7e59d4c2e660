// /etc/ld.so.cache: the table that ldconfig makes of the libraries in its directories.
//
//   absl::StatusOr<LdSoCache> cache = LdSoCache::Parse(content.bytes);
//   for (const LdSoCache::Entry* entry : cache->Find("libcuda.so.1")) ...
//
// Reads the format that glibc writes since 2.32 ("glibc-ld.so.cache1.1"), alone or behind
// the older table that ldconfig's --format=compat puts before it. Entries of other
// machines' libraries (32-bit ones) are kept, and Entry::ours tells them apart.
//
// The input is not trusted: offsets are checked, and an entry that points outside of the
// file is left out, as the loader does (elf/dl-cache.c, search_cache, 2.36). Memory is
// bounded by a small multiple of its size.
//
// A value that owns its text; thread-compatible.

#ifndef DIAG_LOADER_LD_SO_CACHE_H_
#define DIAG_LOADER_LD_SO_CACHE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::loader {

class LdSoCache {
 public:
  struct Entry {
    std::string name;  // "libcuda.so.1"
    std::string path;  // "/usr/lib/x86_64-linux-gnu/libcuda.so.1"
    // A 64-bit library for the machine whose cache this is.
    bool ours = false;
    // Of a file below glibc-hwcaps/: "x86-64-v3". Empty: for every CPU.
    std::string hwcaps;
    // The bits of the older kind of such directories; 0: for every CPU.
    uint64_t legacy_hwcap = 0;
  };

  static absl::StatusOr<LdSoCache> Parse(absl::string_view bytes);

  // The entries of a name that are `ours`, in the order of the file.
  std::vector<const Entry*> Find(absl::string_view name) const;

  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_LD_SO_CACHE_H_
