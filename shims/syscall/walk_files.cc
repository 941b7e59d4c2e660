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

// The directories that a walk has been in: one that links lead to once more is not visited again.
class Visited {
 public:
  Visited() = default;
  Visited(const Visited&) = delete;
  Visited& operator=(const Visited&) = delete;
  ~Visited() { free(slots_); }

  // 1: it is new; 0: it has been visited; -1: there is no memory, and errno says so.
  int Add(const struct stat& status) {
    if (2 * (count_ + 1) > room_ && !Grow()) return -1;
    Slot* slot = Find({status.st_dev, status.st_ino, true});
    if (slot->used) return 0;
    *slot = {status.st_dev, status.st_ino, true};
    ++count_;
    return 1;
  }

 private:
  struct Slot {
    dev_t device = 0;
    ino_t inode = 0;
    bool used = false;
  };

  Slot* Find(const Slot& wanted) const {
    size_t at = (wanted.inode * 0x9e3779b97f4a7c15u ^ wanted.device) & (room_ - 1);
    while (slots_[at].used &&
           (slots_[at].device != wanted.device || slots_[at].inode != wanted.inode)) {
      at = (at + 1) & (room_ - 1);
    }
    return &slots_[at];
  }

  bool Grow() {
    Slot* before = slots_;
    const size_t room_before = room_;
    auto* slots = static_cast<Slot*>(calloc(room_ == 0 ? 64 : 2 * room_, sizeof(Slot)));
    if (slots == nullptr) return false;
    slots_ = slots;
    room_ = room_ == 0 ? 64 : 2 * room_;
    for (size_t i = 0; i < room_before; ++i) {
      if (before[i].used) *Find(before[i]) = before[i];
    }
    free(before);
    return true;
  }

  Slot* slots_ = nullptr;
  size_t room_ = 0, count_ = 0;  // room: a power of two
};

struct Walk {
  VisitFile* visit = nullptr;
  VisitFileSimply* visit_simply = nullptr;
  int flags = 0;
  dev_t device = 0;  // where it began, for FTW_MOUNT
  Visited visited;
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

int WalkOne(Walk& walk, size_t size, int base, int level);

// The entries of the directory at walk.path, which has `size` bytes. 0: go on.
int WalkDirectory(Walk& walk, size_t size, DIR* directory, int level) {
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
    result = WalkOne(walk, size + slash + length, static_cast<int>(size + slash), level + 1);
    walk.path[size] = '\0';
    if (walk.Has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SIBLINGS) {
      result = 0;
      break;
    }
    if (result != 0) break;
  }
  return result;
}

// FTW_SKIP_SUBTREE of what has nothing below it, or was walked, says no more than to go on.
int GoOn(const Walk& walk, int result) {
  return walk.Has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SUBTREE ? 0 : result;
}

int WalkOne(Walk& walk, size_t size, int base, int level) {
  struct stat status = {};
  // A path that is relative to where the walk began is not one from elsewhere.
  const char* name = walk.Has(FTW_CHDIR) ? walk.path + base : walk.path;
  int seen = walk.Has(FTW_PHYS) ? lstat(name, &status) : stat(name, &status);
  int kind = FTW_F;
  if (seen != 0) {
    if (errno != EACCES && errno != ENOENT) return -1;
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
  if (kind != FTW_D) return GoOn(walk, walk.Visit(status, kind, base, level));
  if (!walk.Has(FTW_PHYS)) {
    int added = walk.visited.Add(status);
    if (added <= 0) return added;
  }
  DIR* directory = opendir(name);
  if (directory == nullptr) {
    return errno == EACCES ? GoOn(walk, walk.Visit(status, FTW_DNR, base, level)) : -1;
  }
  int result = walk.Has(FTW_DEPTH) ? 0 : walk.Visit(status, FTW_D, base, level);
  if (result == 0) {
    int before = -1;
    if (walk.Has(FTW_CHDIR)) {
      before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (before < 0 || fchdir(dirfd(directory)) != 0) result = -1;
    }
    if (result == 0) result = WalkDirectory(walk, size, directory, level);
    // As the C library does, from within the directory.
    if (result == 0 && walk.Has(FTW_DEPTH)) result = walk.Visit(status, FTW_DP, base, level);
    if (before >= 0) {
      if (fchdir(before) != 0 && result == 0) result = -1;
      close(before);
    }
  }
  int saved_errno = errno;
  closedir(directory);
  errno = saved_errno;
  return GoOn(walk, result);
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
  int before = -1;
  if (walk.Has(FTW_CHDIR)) {
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (before < 0) return -1;
    if (base > 0) {
      // The directory that it is in: "/" keeps its slash.
      char first = walk.path[base];
      walk.path[base] = '\0';
      int changed = chdir(walk.path);
      walk.path[base] = first;
      if (changed != 0) {
        close(before);
        return -1;
      }
    }
  }
  int result = WalkOne(walk, size, base, 0);
  if (walk.Has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SIBLINGS) result = 0;
  if (before >= 0) {
    int saved_errno = errno;
    if (fchdir(before) == 0) {
      errno = saved_errno;
    } else {
      result = -1;
    }
    close(before);
  }
  return result;
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
