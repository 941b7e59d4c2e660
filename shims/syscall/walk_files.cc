#undef _FORTIFY_SOURCE

#include "shims/syscall/walk_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace vgpu::redirect {
namespace {

constexpr size_t kMaxName = 4096;

// A directory on the way down: a link to one of these is not followed into it again.
struct Above {
  dev_t device = 0;
  ino_t inode = 0;
  const Above* above = nullptr;
};

struct Walk {
  VisitFile* visit = nullptr;
  VisitFileSimply* visit_simply = nullptr;
  int flags = 0;
  dev_t device = 0;  // where it began, for FTW_MOUNT
  char path[kMaxName] = {};

  bool Has(int flag) const { return (flags & flag) != 0; }

  int Visit(const struct stat& status, int kind, int base, int level) {
    if (visit_simply != nullptr) {
      // ftw(3) knows no more kinds than these.
      if (kind == FTW_SLN) kind = FTW_NS;
      return visit_simply(path, &status, kind);
    }
    struct FTW place = {};
    place.base = base;
    place.level = level;
    return visit(path, &status, kind, &place);
  }
};

bool IsAbove(const Above* above, const struct stat& status) {
  for (; above != nullptr; above = above->above) {
    if (above->device == status.st_dev && above->inode == status.st_ino) return true;
  }
  return false;
}

int WalkOne(Walk& walk, size_t size, int base, int level, const Above* above);

// The entries of the directory at walk.path, which has `size` bytes. 0: go on.
int WalkDirectory(Walk& walk, size_t size, const struct stat& status, int level,
                  const Above* above) {
  DIR* directory = opendir(walk.path);
  if (directory == nullptr) return errno == EACCES ? 0 : -1;
  Above here{status.st_dev, status.st_ino, above};
  int result = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory);
    if (entry == nullptr) {
      if (errno != 0) result = -1;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    size_t slash = size != 0 && walk.path[size - 1] == '/' ? 0 : 1;
    size_t length = strlen(entry->d_name);
    if (size + slash + length + 1 > kMaxName) {
      errno = ENAMETOOLONG;
      result = -1;
      break;
    }
    if (slash != 0) walk.path[size] = '/';
    memcpy(walk.path + size + slash, entry->d_name, length + 1);
    if (walk.Has(FTW_CHDIR) && fchdir(dirfd(directory)) != 0) {
      result = -1;
      break;
    }
    result = WalkOne(walk, size + slash + length, static_cast<int>(size + slash), level + 1, &here);
    walk.path[size] = '\0';
    if (walk.Has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SIBLINGS) {
      result = 0;
      break;
    }
    if (result != 0) break;
  }
  int saved_errno = errno;
  closedir(directory);
  errno = saved_errno;
  return result;
}

int WalkOne(Walk& walk, size_t size, int base, int level, const Above* above) {
  struct stat status = {};
  // A path that is relative to where the walk began is not one from elsewhere.
  const char* name = walk.Has(FTW_CHDIR) && level != 0 ? walk.path + base : walk.path;
  int seen = walk.Has(FTW_PHYS) ? lstat(name, &status) : stat(name, &status);
  int kind = FTW_F;
  if (seen != 0) {
    if (errno != EACCES && errno != ENOENT && errno != ELOOP) return -1;
    if (level == 0 && errno == ENOENT) {
      // A link that leads nowhere is visited; a name that is none is an error.
      if (walk.Has(FTW_PHYS) || lstat(name, &status) != 0) return -1;
    }
    kind = !walk.Has(FTW_PHYS) && lstat(name, &status) == 0 && S_ISLNK(status.st_mode) ? FTW_SLN
                                                                                       : FTW_NS;
  } else if (S_ISDIR(status.st_mode)) {
    kind = FTW_D;
  } else if (S_ISLNK(status.st_mode)) {
    kind = FTW_SL;
  }
  if (level == 0) walk.device = status.st_dev;
  if (walk.Has(FTW_MOUNT) && status.st_dev != walk.device) return 0;
  if (kind != FTW_D) return walk.Visit(status, kind, base, level);
  // The same directory once more, by a link: nftw(3) does not visit it.
  if (!walk.Has(FTW_PHYS) && IsAbove(above, status)) return 0;

  bool readable = access(name, R_OK | X_OK) == 0;
  if (!readable) return walk.Visit(status, FTW_DNR, base, level);
  int result = 0;
  if (!walk.Has(FTW_DEPTH)) {
    result = walk.Visit(status, FTW_D, base, level);
    if (walk.Has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SUBTREE) return 0;
    if (result != 0) return result;
  }
  int before = -1;
  if (walk.Has(FTW_CHDIR)) {
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (before < 0) return -1;
  }
  result = WalkDirectory(walk, size, status, level, above);
  if (before >= 0) {
    if (fchdir(before) != 0 && result == 0) result = -1;
    close(before);
  }
  if (result == 0 && walk.Has(FTW_DEPTH)) result = walk.Visit(status, FTW_DP, base, level);
  return result;
}

int Begin(const char* path, Walk& walk) {
  if (path == nullptr || path[0] == '\0') {
    errno = ENOENT;
    return -1;
  }
  size_t size = strlen(path);
  if (size >= kMaxName) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(walk.path, path, size + 1);
  while (size > 1 && walk.path[size - 1] == '/') walk.path[--size] = '\0';
  const char* slash = strrchr(walk.path, '/');
  int base = slash == nullptr || slash[1] == '\0' ? 0 : static_cast<int>(slash + 1 - walk.path);
  return WalkOne(walk, size, base, 0, nullptr);
}

}  // namespace

bool WalkMayComeToOurs(const char* path) {
  if (path == nullptr) return false;
  if (path[0] != '/') return true;
  while (path[1] == '/') ++path;
  return path[1] == '\0' || strncmp(path, "/sys", 4) == 0 || strncmp(path, "/proc", 5) == 0;
}

int WalkFiles(const char* path, VisitFile* visit, int flags) {
  Walk walk;
  walk.visit = visit;
  walk.flags = flags;
  return Begin(path, walk);
}

int WalkFilesSimply(const char* path, VisitFileSimply* visit) {
  Walk walk;
  walk.visit_simply = visit;
  return Begin(path, walk);
}

}  // namespace vgpu::redirect
