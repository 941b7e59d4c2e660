// Which files make up a unit: its fragment and its drop-ins, in systemd's order, and
// the files that look as if they did and do not (systemd.unit(5); unit-file.c,
// dropin.c and conf-files.c of systemd 252, system manager).
//
//   UnitFiles files = FindUnit(host, "ollama.service");
//   if (files.fragment.absent()) ...                   // no such unit on disk
//   EffectiveUnit unit = MergeUnit(files.InOrder(), context);
//   for (const SkippedFile& s : files.skipped) ...     // {".../vgpu.conf.bak", "not *.conf"}
//
// Reads `host` only; thread-compatible as it is. Bounded by Host's limits.

#ifndef DIAG_SYSTEMD_UNIT_SEARCH_H_
#define DIAG_SYSTEMD_UNIT_SEARCH_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/systemd/unit_file.h"

namespace vgpu::systemd {

// Where systemd 252 looks for system units, first wins (path-lookup.c; the order of
// /lib before /usr/lib is that of Debian).
absl::Span<const absl::string_view> DefaultUnitPath();

struct Fragment {
  UnitFile file;         // file.path is what systemd calls FragmentPath
  std::string resolved;  // the same behind all links
  // Links on the way from the unit's name to the file, as (link, target verbatim).
  std::vector<std::pair<std::string, std::string>> links;
  // A link to /dev/null, or an empty file: systemd refuses to start the unit.
  bool masked = false;
};

struct DropIn {
  UnitFile file;         // file.path as systemd lists it in DropInPaths
  std::string resolved;  // the same behind all links
};

struct SkippedFile {
  std::string path;
  std::string why;
};

struct UnitFiles {
  // The unit's own name, then its aliases, sorted.
  std::vector<std::string> names;
  // Absent: no fragment anywhere. Not observed: there may be one.
  host::Observed<Fragment> fragment;
  std::vector<DropIn> drop_ins;  // the later one wins
  // What has no effect and looks as if it should: not named *.conf, shadowed by a
  // file of the same name, masked, in a directory of another name.
  std::vector<SkippedFile> skipped;
  // What could not be looked at, and could change the answer. Its `why` is the host's.
  std::vector<SkippedFile> unseen;

  // The fragment, where there is one that is not masked, and the drop-ins.
  std::vector<const UnitFile*> InOrder() const;
};

// `unit_path` replaces the default one: the directories of `systemctl show -p
// UnitPath`, first wins.
UnitFiles FindUnit(const host::Host& host, absl::string_view unit,
                   absl::Span<const std::string> unit_path = {});

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_UNIT_SEARCH_H_
