// nftw(3) and ftw(3) over a file system with the tree in it: libc's own look at directories from
// inside libc, where no wrapper is asked.

#ifndef SHIMS_SYSCALL_WALK_FILES_H_
#define SHIMS_SYSCALL_WALK_FILES_H_

#include <ftw.h>
#include <sys/stat.h>

namespace vgpu::redirect {

using VisitFile = int(const char* path, const struct stat* status, int kind, struct FTW* place);
using VisitFileSimply = int(const char* path, const struct stat* status, int kind);

// Whether a walk that begins at `path` may come to something of ours: it begins in /sys or /proc,
// above them, or at a relative name.
bool WalkMayComeToOurs(const char* path);

// As nftw(3) with the same flags (FTW_PHYS, FTW_MOUNT, FTW_DEPTH, FTW_CHDIR, FTW_ACTIONRETVAL), but
// that one descriptor is open for each level.
int WalkFiles(const char* path, VisitFile* visit, int flags);
// As ftw(3).
int WalkFilesSimply(const char* path, VisitFileSimply* visit);

}  // namespace vgpu::redirect

#endif  // SHIMS_SYSCALL_WALK_FILES_H_
