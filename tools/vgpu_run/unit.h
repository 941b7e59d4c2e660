// The unit way: a drop-in by which a service, and all that it starts, sees the virtual devices, and
// nothing else on the machine does.
//
// Three files are written:
//   /etc/systemd/system/SERVICE.d/90-vgpu.conf  binds the tree's directories over the host's and
//                                               the preload file over /etc/ld.so.preload, inside
//                                               the unit only (BindReadOnlyPaths=, systemd.exec(5))
//   /etc/systemd/system/vgpu-view.service       a oneshot that the service requires: writes the
//                                               tree to /run/vgpu, and mounts there what a bind
//                                               alone cannot show (a device beside the host's own)
//   /etc/vgpu/ld.so.preload                     the shims, behind what the host's own file has
//
// The host's /etc/ld.so.preload is read and never written. Where there is none, systemd makes an
// empty one as the bind's target; a mark in /var/lib/vgpu remembers that, and removal takes
// the empty file away again.

#ifndef TOOLS_VGPU_RUN_UNIT_H_
#define TOOLS_VGPU_RUN_UNIT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vgpu_run/view.h"

namespace vgpu::run {

inline constexpr char kRunDirectory[] = "/run/vgpu";
inline constexpr char kViewUnit[] = "vgpu-view.service";
inline constexpr char kViewUnitPath[] = "/etc/systemd/system/vgpu-view.service";

struct UnitOptions {
  std::string service;    // "ollama.service"
  std::string root = "";  // where files are written: "" is this machine, else an image's root
  std::string shims;      // the directory of the shims, as the service will see it
  std::string vgpu_run;   // this program, as systemd will call it
};

struct PlannedFile {
  std::string path;  // without the root
  std::string content;
};

// What --install writes. `library_path` and `preload` are what the unit and the host have already:
// the value of LD_LIBRARY_PATH, and the content of /etc/ld.so.preload. An error says what
// about the service's name is wrong.
absl::StatusOr<std::vector<PlannedFile>> PlanUnit(const UnitOptions& options,
                                                  const std::vector<ViewMount>& view,
                                                  const std::string& library_path,
                                                  const std::string& preload);

// The unit's own LD_LIBRARY_PATH, without what a drop-in of ours adds; empty where it has none.
// An error where the unit's files cannot be read or its value cannot be known.
absl::StatusOr<std::string> LibraryPathOf(const UnitOptions& options);

// The content of the host's /etc/ld.so.preload; empty where there is none. An error where it
// cannot be read: ours would take its place without it.
absl::StatusOr<std::string> HostPreload(const UnitOptions& options);

// Writes the files, each whole (a new file, then rename(2)); a second time it changes what has
// changed. Returns the paths that were written.
absl::StatusOr<std::vector<std::string>> InstallUnit(const UnitOptions& options,
                                                     const std::vector<PlannedFile>& files);

// Leaves the machine as it was: the files, directories of ours that are empty then, and the empty
// /etc/ld.so.preload that systemd made. What another service's drop-in still needs stays.
// Returns the paths that were removed.
absl::StatusOr<std::vector<std::string>> RemoveUnit(const UnitOptions& options);

}  // namespace vgpu::run

#endif  // TOOLS_VGPU_RUN_UNIT_H_
