// /proc/PID/maps: which files a process has in memory. This is the proof of loading.
//
//   absl::StatusOr<MappedObjects> maps = ParseMaps(content.bytes, content.truncated);
//   for (const MappedFile& file : maps->files) ...
//
// A process has a few hundred mapped files and may have a million mappings: only the
// distinct files are kept.
//
// Value types; thread-compatible. Malformed lines are skipped and counted, empty ones skipped.

#ifndef DIAG_PROCFS_MAPS_H_
#define DIAG_PROCFS_MAPS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::procfs {

// One line (proc(5)). The path is a view of the line, as the kernel wrote it.
struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  uint64_t offset = 0;
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint64_t inode = 0;  // 0: no file
  absl::string_view path;
};

// nullopt: not a line of maps.
std::optional<Mapping> ParseMapsLine(absl::string_view line);

// One file, however many mappings of it there are. Device and inode number are its
// identity: compare them with stat(2) of the path on disk. (On overlayfs and btrfs the
// device here can differ from the one that stat gives.)
struct MappedFile {
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint64_t inode = 0;

  // Of its first mapping, as the process's mount namespace names it. The kernel writes
  // a newline in a name as \012 and a backslash as itself (fs/proc/task_mmu.c,
  // show_map_vma); \012 is read as a newline here.
  std::string path;

  // The kernel marked the path with " (deleted)", which `path` leaves out: the name was
  // removed or replaced after the file was mapped. A file may also really be called so;
  // where shown_path() exists with this inode, it is that file, and not deleted.
  bool marked_deleted = false;
  std::string shown_path() const { return marked_deleted ? path + " (deleted)" : path; }

  bool executable = false;  // some mapping of it is: code, not only data
  uint64_t start = 0;       // its lowest address: AT_BASE for the dynamic loader
};

struct MappedObjects {
  // Distinct files in the order of their first mappings (which is by address). What has
  // no path of the file system is left out: [heap], [vdso], anon_inode:, [anon:...].
  std::vector<MappedFile> files;
  size_t mappings = 0;  // well-formed lines
  size_t malformed_lines = 0;

  // The text was cut, by a read limit or before it came here (its last line is not ended).
  // The line that was cut is left out.
  bool truncated = false;

  // False: what is not in `files` may be mapped all the same.
  bool whole() const { return !truncated && malformed_lines == 0; }
};

// `truncated`: the file goes on behind `text`. An error where no line is one of this file;
// an empty text too, which is that of a kernel thread or a zombie.
absl::StatusOr<MappedObjects> ParseMaps(absl::string_view text, bool truncated = false);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_MAPS_H_
