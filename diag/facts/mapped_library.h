// A library that decides discovery, as a process has it in memory, beside what the disk
// has at its path now.
//
// The kernel marks a mapped file whose name was removed or replaced with " (deleted)".
// Without the mark the inode decides, where both sides name the same device: overlayfs and
// btrfs show another device in maps than stat(2) gives (fs/proc/task_mmu.c, show_map_vma).
//
// Values; pure. Thread-compatible.

#ifndef DIAG_FACTS_MAPPED_LIBRARY_H_
#define DIAG_FACTS_MAPPED_LIBRARY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/procfs/maps.h"

namespace vgpu::facts {

enum class Freshness {
  kSame,         // the disk has what is mapped
  kReplaced,     // the disk has another file of this name
  kRemoved,      // the disk has none
  kOverwritten,  // the same file, and its content was written after the process started
};

struct MappedLibrary {
  int pid = 0;
  procfs::MappedFile mapped = {};
  host::Observed<host::Resolved> on_disk = {};
  host::Observed<Freshness> freshness = {};
};

// `on_disk` is what the process finds at mapped.path now. `same_view` is false where a
// mount of the process stands over the path, and `on_disk` is not what it sees.
host::Observed<Freshness> CompareWithDisk(const procfs::MappedFile& mapped,
                                          const host::Observed<host::Resolved>& on_disk,
                                          const host::Observed<absl::Time>& started,
                                          bool same_view);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_MAPPED_LIBRARY_H_
