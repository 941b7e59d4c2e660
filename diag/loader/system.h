// What the loader's search depends on besides the program: its default directories, the
// cache, the CPU.
//
// Which directories are built into a loader is told by where it lies: Debian's is in
// /lib/x86_64-linux-gnu, that of most others in /lib64 (measured with `ld.so --help`).
//
// A value; thread-compatible.

#ifndef DIAG_LOADER_SYSTEM_H_
#define DIAG_LOADER_SYSTEM_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/loader/cpu.h"
#include "diag/loader/files.h"
#include "diag/loader/ld_so_cache.h"
#include "diag/loader/ld_so_conf.h"

namespace vgpu::loader {

struct System {
  std::vector<std::string> default_dirs;
  std::string lib;  // $LIB
  host::Observed<Cpu> cpu;
  host::Observed<LdSoCache> cache;
  // Of a capture without the cache: the directories that it was made from.
  std::optional<LdSoConf> conf;
  // A file that is not there was not there: false for a capture that left out the
  // system's libraries.
  bool absence_counts = true;
  // Whether this glibc still looks into `tls`, `haswell`, ... (up to 2.36).
  host::Observed<bool> legacy_subdirs;

  // In secure mode $ORIGIN may lead only there.
  bool IsTrusted(absl::string_view path) const;
};

System ReadSystem(Files& files, const View& view, absl::string_view interpreter);

// A part of glibc itself, which no host lacks that has another part of it.
bool IsPartOfGlibc(absl::string_view name);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_SYSTEM_H_
