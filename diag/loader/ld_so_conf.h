// /etc/ld.so.conf: the directories from which ldconfig makes the loader's cache.
//
//   LdSoConf conf = ReadLdSoConf(host, root);
//   for (const LdSoConf::Dir& dir : conf.dirs) ...     // "/usr/local/lib"
//
// The loader itself never reads it. Where the cache was not captured, these directories
// stand in for it. One directory a line, `#` begins a comment, `include` takes glob
// patterns, relative ones from the directory of the file (elf/ldconfig.c, parse_conf,
// 2.36). `hwcap` lines are ignored, as ldconfig does.

#ifndef DIAG_LOADER_LD_SO_CONF_H_
#define DIAG_LOADER_LD_SO_CONF_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::loader {

struct LdSoConf {
  struct Dir {
    std::string path;
    std::string file;  // that names it
    int line = 0;
  };
  std::vector<Dir> dirs;  // in order, without duplicates
  std::vector<host::NotObserved> unread;
};

LdSoConf ReadLdSoConf(const host::Host& host, absl::string_view root = "");

// Whether a name matches a shell pattern of `*`, `?` and `[...]`.
bool MatchesGlob(absl::string_view pattern, absl::string_view name);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_LD_SO_CONF_H_
