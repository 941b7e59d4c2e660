// /proc/PID/mountinfo: the file systems that a process sees, and where.
//
//   absl::StatusOr<MountTable> mounts = ParseMountInfo(content.bytes, content.truncated);
//   const Mount* mount = mounts->MountOf("/opt/vgpu/lib/libvgpu-cuda.so");
//   if (mount != nullptr && mount->noexec()) ...
//
// Mount points are paths in the process's own view: relative to its root directory.
//
// Value types; thread-compatible. Malformed lines are skipped and counted, empty ones skipped.

#ifndef DIAG_PROCFS_MOUNTINFO_H_
#define DIAG_PROCFS_MOUNTINFO_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::procfs {

// One line (Documentation/filesystems/proc.rst, 3.5). Escapes are undone.
struct Mount {
  int32_t id = 0;
  int32_t parent_id = 0;
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;

  // The directory or file of the file system that is mounted here: "/", or what a bind
  // mount shows.
  std::string root;
  // That was removed, or replaced by another of its name, after it was mounted: the
  // process goes on seeing the old one. (The kernel marks it with "//deleted", which
  // `root` leaves out.)
  bool root_deleted = false;

  std::string mount_point;
  std::vector<std::string> options;          // of this mount: rw, nosuid, noexec, ...
  std::vector<std::string> optional_fields;  // shared:1, master:2, ...
  std::string fs_type;
  std::string source;
  std::vector<std::string> super_options;  // of the file system: ro, size=4k, ...

  bool read_only() const;  // the mount or its file system
  bool noexec() const;
};

// nullopt: not a line of mountinfo.
std::optional<Mount> ParseMountInfoLine(absl::string_view line);

class MountTable {
 public:
  const std::vector<Mount>& mounts() const { return mounts_; }  // in the order of the file
  size_t malformed_lines() const { return malformed_lines_; }

  // The text was cut, by a read limit or before it came here (its last line is not ended).
  bool truncated() const { return truncated_; }

  // False: MountOf may answer with a mount that another one covers.
  bool whole() const { return !truncated_ && malformed_lines_ == 0; }

  // The mount that an absolute path without symbolic links and without "." and ".." lies
  // on, as a walk along the path finds it: from the root over the mounts that stand on
  // each other, by parent ids, so that a mount that a later one covers is not found. The
  // order of lines alone would not do: that of "/" stands behind "/proc" where an
  // initramfs mounted the latter. Of siblings that the path could enter, the last line
  // wins.
  //
  // nullptr: not known (a process in a chroot sees no line for its root). The pointer is
  // good as long as the table.
  const Mount* MountOf(absl::string_view path) const;

 private:
  friend absl::StatusOr<MountTable> ParseMountInfo(absl::string_view text, bool truncated);

  std::vector<Mount> mounts_;
  // Indexes into mounts_ by the id of the parent, in the order of the file. Under
  // nullopt: those whose parent has no line of its own.
  absl::flat_hash_map<std::optional<int32_t>, std::vector<size_t>> children_;
  size_t malformed_lines_ = 0;
  bool truncated_ = false;
};

// `truncated`: the file goes on behind `text`; the line that was cut is left out. An error
// where no line is one of this file.
absl::StatusOr<MountTable> ParseMountInfo(absl::string_view text, bool truncated = false);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_MOUNTINFO_H_
