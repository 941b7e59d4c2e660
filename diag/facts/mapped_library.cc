#include "diag/facts/mapped_library.h"

#include <sys/sysmacros.h>

#include "absl/strings/str_cat.h"

namespace vgpu::facts {

using host::NotObserved;
using host::Observed;

Observed<Freshness> CompareWithDisk(const procfs::MappedFile& mapped,
                                    const Observed<host::Resolved>& on_disk,
                                    const Observed<absl::Time>& started, bool same_view) {
  if (on_disk.not_observed()) return NotObserved{std::string(on_disk.why_not())};
  if (!same_view) {
    return NotObserved{absl::StrCat(mapped.path, " is on a mount of the process's own")};
  }
  if (on_disk.absent()) {
    if (mapped.marked_deleted) return Freshness::kRemoved;
    return NotObserved{absl::StrCat(mapped.path, " was not captured")};
  }
  const host::FileMeta& meta = on_disk->meta;
  if (meta.id.present()) {
    const bool same_device = gnu_dev_major(meta.id->dev) == mapped.dev_major &&
                             gnu_dev_minor(meta.id->dev) == mapped.dev_minor;
    if (meta.id->ino != mapped.inode) {
      if (mapped.marked_deleted || same_device) return Freshness::kReplaced;
      return NotObserved{absl::StrCat(mapped.path, ": maps and stat name different devices")};
    }
    // Another device and, by chance or not, this inode number: then only the mark tells.
    if (mapped.marked_deleted && !same_device) return Freshness::kReplaced;
  } else if (mapped.marked_deleted) {
    return Freshness::kReplaced;
  } else {
    return NotObserved{absl::StrCat("the inode number of ", mapped.path, " is not known")};
  }
  // Whole seconds of the boot time and hundredths of the start are in `started`.
  if (meta.mtime.present() && started.present() && *meta.mtime > *started + absl::Seconds(2)) {
    return Freshness::kOverwritten;
  }
  return Freshness::kSame;
}

}  // namespace vgpu::facts
