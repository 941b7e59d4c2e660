// A captured host in one file: a tar archive, as it is or compressed with Zstandard.
//
// It is read into memory, whole, and nothing is written anywhere. The archive may be an
// enemy's: a member that is a device, a FIFO or a link to a file that the archive lacks, an
// absolute path, a `..`, a path that is there twice or lies below a link, more bytes or
// names than a capture has, each is an error that says what and where. Where the members
// lie in one directory, as `vgpu-doctor capture` writes them, that is the host's root.

#ifndef DIAG_ARCHIVE_READ_ARCHIVE_H_
#define DIAG_ARCHIVE_READ_ARCHIVE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "diag/archive/tar.h"
#include "diag/host/memory_files.h"
#include "diag/host/tree_files.h"

namespace vgpu::archive {

struct ArchiveLimits {
  TarLimits tar;
  host::MemoryFiles::Limits names;
};

absl::StatusOr<std::unique_ptr<host::TreeFiles>> ReadArchive(host::ByteSource& source,
                                                             const ArchiveLimits& limits = {});

}  // namespace vgpu::archive

#endif  // DIAG_ARCHIVE_READ_ARCHIVE_H_
