// libc's functions that take a path, and those that give one back: the path is redirected where
// it means a file of the synthetic tree, and the real function does the rest. Offsets, end of file,
// mappings, duplicates and streams are the kernel's and libc's own.
//
// Which functions of libc take a path, and what is decided about each, stands in entry_points.inc.

// Fortified declarations would be defined twice.
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shims/base/next_symbol.h"
#include "shims/base/sys.h"
#include "shims/syscall/resolve.h"
#include "shims/syscall/walk_files.h"

namespace vgpu::redirect {
namespace {

// Where a call goes.
class Redirection {
 public:
  Redirection(int directory, const char* path, Purpose purpose)
      : directory_(directory), path_(path) {
    if (!MayBeOurs(path)) return;
    resolved_ = Resolve(directory, path, purpose, buffer_);
    if (resolved_ == Resolved::kNot) return;
    directory_ = AT_FDCWD;
    path_ = buffer_.data();
  }
  Redirection(const char* path, Purpose purpose) : Redirection(AT_FDCWD, path, purpose) {}
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

  int directory() const { return directory_; }
  const char* path() const { return path_; }
  bool in_tree() const { return resolved_ == Resolved::kInTree; }

 private:
  int directory_;
  const char* path_;
  Resolved resolved_ = Resolved::kNot;
  std::array<char, kMaxPath> buffer_;  // unset until it is used
};

// The real function; sets errno where there is none.
template <auto& next, typename Failure, typename... Arguments>
auto Real(Failure failure, Arguments... arguments) {
  auto* function = next.Get();
  if (function == nullptr) {
    errno = ENOSYS;
    return static_cast<decltype(function(arguments...))>(failure);
  }
  return function(arguments...);
}

bool Writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

// The files are the device's, and say what it is: nobody writes them. sysfs says EACCES to a user.
template <typename Result>
Result Refuse(Result result) {
  errno = EACCES;
  return result;
}

Purpose ForFlags(int flags) {
  return (flags & O_NOFOLLOW) != 0 ? Purpose::kOpenNoFollow : Purpose::kOpen;
}

Purpose ForAtFlags(int flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? Purpose::kNoFollow : Purpose::kFollow;
}

// Whether open(2) reads its third argument.
bool TakesMode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

}  // namespace
}  // namespace vgpu::redirect

using namespace vgpu::redirect;  // NOLINT: the functions below are libc's, in no namespace

// A wrapper has a name of its own in C++ and libc's as a symbol: so it need not agree with the
// attributes of the headers' declarations.
#define VGPU_WRAP(result, name, parameters)                                  \
  static constinit vgpu::NextFunction<result parameters> next_##name{#name}; \
  extern "C" __attribute__((visibility("default")))                          \
  result wrapped_##name parameters __asm__(#name);                           \
  result wrapped_##name parameters

#define VGPU_WRAP_VARIADIC(result, name, parameters, next_parameters)             \
  static constinit vgpu::NextFunction<result next_parameters> next_##name{#name}; \
  extern "C" __attribute__((visibility("default")))                               \
  result wrapped_##name parameters __asm__(#name);                                \
  result wrapped_##name parameters

// --- open ------------------------------------------------------------------------------------

#define VGPU_OPEN(name)                                                                        \
  VGPU_WRAP_VARIADIC(int, name, (const char* path, int flags, ...), (const char*, int, ...)) { \
    va_list list;                                                                              \
    va_start(list, flags);                                                                     \
    mode_t mode = TakesMode(flags) ? va_arg(list, mode_t) : 0;                                 \
    va_end(list);                                                                              \
    Redirection to(path, ForFlags(flags));                                                     \
    if (to.in_tree() && Writes(flags)) return Refuse(-1);                                      \
    return Real<next_##name>(-1, to.path(), flags, mode);                                      \
  }

#define VGPU_OPEN_AT(name)                                                         \
  VGPU_WRAP_VARIADIC(int, name, (int directory, const char* path, int flags, ...), \
                     (int, const char*, int, ...)) {                               \
    va_list list;                                                                  \
    va_start(list, flags);                                                         \
    mode_t mode = TakesMode(flags) ? va_arg(list, mode_t) : 0;                     \
    va_end(list);                                                                  \
    Redirection to(directory, path, ForFlags(flags));                              \
    if (to.in_tree() && Writes(flags)) return Refuse(-1);                          \
    return Real<next_##name>(-1, to.directory(), to.path(), flags, mode);          \
  }

// Fortified programs: open with two arguments.
#define VGPU_OPEN_2(name)                                 \
  VGPU_WRAP(int, name, (const char* path, int flags)) {   \
    Redirection to(path, ForFlags(flags));                \
    if (to.in_tree() && Writes(flags)) return Refuse(-1); \
    return Real<next_##name>(-1, to.path(), flags);       \
  }

#define VGPU_OPEN_AT_2(name)                                           \
  VGPU_WRAP(int, name, (int directory, const char* path, int flags)) { \
    Redirection to(directory, path, ForFlags(flags));                  \
    if (to.in_tree() && Writes(flags)) return Refuse(-1);              \
    return Real<next_##name>(-1, to.directory(), to.path(), flags);    \
  }

VGPU_OPEN(open)
VGPU_OPEN(open64)
VGPU_OPEN(__open)
VGPU_OPEN(__open64)
VGPU_OPEN_AT(openat)
VGPU_OPEN_AT(openat64)
VGPU_OPEN_2(__open_2)
VGPU_OPEN_2(__open64_2)
VGPU_OPEN_AT_2(__openat_2)
VGPU_OPEN_AT_2(__openat64_2)

VGPU_WRAP(int, open_tree, (int directory, const char* path, unsigned flags)) {
  Redirection to(directory, path, ForAtFlags(static_cast<int>(flags)));
  return Real<next_open_tree>(-1, to.directory(), to.path(), flags);
}

// The child opens it from inside libc. A relative path is one in the child's working directory,
// which is not known here.
VGPU_WRAP(int, posix_spawn_file_actions_addopen,
          (posix_spawn_file_actions_t * actions, int fd, const char* path, int flags,
           mode_t mode)) {
  if (path == nullptr || path[0] != '/') {
    return Real<next_posix_spawn_file_actions_addopen>(ENOSYS, actions, fd, path, flags, mode);
  }
  Redirection to(path, ForFlags(flags));
  if (to.in_tree() && Writes(flags)) return EACCES;
  return Real<next_posix_spawn_file_actions_addopen>(ENOSYS, actions, fd, to.path(), flags, mode);
}

// --- streams ---------------------------------------------------------------------------------

#define VGPU_FOPEN(name)                                                      \
  VGPU_WRAP(FILE*, name, (const char* path, const char* mode)) {              \
    Redirection to(path, Purpose::kOpen);                                     \
    if (to.in_tree() && mode != nullptr && strpbrk(mode, "wa+") != nullptr) { \
      return Refuse(static_cast<FILE*>(nullptr));                             \
    }                                                                         \
    return Real<next_##name>(nullptr, to.path(), mode);                       \
  }

#define VGPU_FREOPEN(name)                                                     \
  VGPU_WRAP(FILE*, name, (const char* path, const char* mode, FILE* stream)) { \
    Redirection to(path, Purpose::kOpen);                                      \
    if (to.in_tree() && mode != nullptr && strpbrk(mode, "wa+") != nullptr) {  \
      fclose(stream);                                                          \
      return Refuse(static_cast<FILE*>(nullptr));                              \
    }                                                                          \
    return Real<next_##name>(nullptr, to.path(), mode, stream);                \
  }

VGPU_FOPEN(fopen)
VGPU_FOPEN(fopen64)
VGPU_FOPEN(_IO_fopen)
VGPU_FREOPEN(freopen)
VGPU_FREOPEN(freopen64)

// --- attributes ------------------------------------------------------------------------------

#define VGPU_STAT(name, purpose, type)                            \
  VGPU_WRAP(int, name, (const char* path, struct type* status)) { \
    Redirection to(path, purpose);                                \
    return Real<next_##name>(-1, to.path(), status);              \
  }

#define VGPU_STAT_AT(name, type)                                                            \
  VGPU_WRAP(int, name, (int directory, const char* path, struct type* status, int flags)) { \
    Redirection to(directory, path, ForAtFlags(flags));                                     \
    return Real<next_##name>(-1, to.directory(), to.path(), status, flags);                 \
  }

// What programs built before glibc 2.33 call.
#define VGPU_XSTAT(name, purpose, type)                                        \
  VGPU_WRAP(int, name, (int version, const char* path, struct type* status)) { \
    Redirection to(path, purpose);                                             \
    return Real<next_##name>(-1, version, to.path(), status);                  \
  }

#define VGPU_XSTAT_AT(name, type)                                                             \
  VGPU_WRAP(int, name,                                                                        \
            (int version, int directory, const char* path, struct type* status, int flags)) { \
    Redirection to(directory, path, ForAtFlags(flags));                                       \
    return Real<next_##name>(-1, version, to.directory(), to.path(), status, flags);          \
  }

VGPU_STAT(stat, Purpose::kFollow, stat)
VGPU_STAT(stat64, Purpose::kFollow, stat64)
VGPU_STAT(lstat, Purpose::kNoFollow, stat)
VGPU_STAT(lstat64, Purpose::kNoFollow, stat64)
VGPU_STAT_AT(fstatat, stat)
VGPU_STAT_AT(fstatat64, stat64)
VGPU_XSTAT(__xstat, Purpose::kFollow, stat)
VGPU_XSTAT(__xstat64, Purpose::kFollow, stat64)
VGPU_XSTAT(__lxstat, Purpose::kNoFollow, stat)
VGPU_XSTAT(__lxstat64, Purpose::kNoFollow, stat64)
VGPU_XSTAT_AT(__fxstatat, stat)
VGPU_XSTAT_AT(__fxstatat64, stat64)
VGPU_STAT(statfs, Purpose::kFollow, statfs)
VGPU_STAT(statfs64, Purpose::kFollow, statfs64)
VGPU_STAT(__statfs, Purpose::kFollow, statfs)
VGPU_STAT(statvfs, Purpose::kFollow, statvfs)
VGPU_STAT(statvfs64, Purpose::kFollow, statvfs64)

VGPU_WRAP(int, statx,
          (int directory, const char* path, int flags, unsigned mask, struct statx* status)) {
  Redirection to(directory, path, ForAtFlags(flags));
  return Real<next_statx>(-1, to.directory(), to.path(), flags, mask, status);
}

VGPU_WRAP(long, pathconf, (const char* path, int name)) {
  Redirection to(path, Purpose::kFollow);
  return Real<next_pathconf>(-1, to.path(), name);
}

VGPU_WRAP(int, access, (const char* path, int mode)) {
  Redirection to(path, Purpose::kFollow);
  if (to.in_tree() && (mode & W_OK) != 0) return Refuse(-1);
  return Real<next_access>(-1, to.path(), mode);
}

#define VGPU_EACCESS(name)                                     \
  VGPU_WRAP(int, name, (const char* path, int mode)) {         \
    Redirection to(path, Purpose::kFollow);                    \
    if (to.in_tree() && (mode & W_OK) != 0) return Refuse(-1); \
    return Real<next_##name>(-1, to.path(), mode);             \
  }
VGPU_EACCESS(eaccess)
VGPU_EACCESS(euidaccess)

VGPU_WRAP(int, faccessat, (int directory, const char* path, int mode, int flags)) {
  Redirection to(directory, path, ForAtFlags(flags));
  if (to.in_tree() && (mode & W_OK) != 0) return Refuse(-1);
  return Real<next_faccessat>(-1, to.directory(), to.path(), mode, flags);
}

#define VGPU_GETXATTR(name, purpose)                                                              \
  VGPU_WRAP(ssize_t, name, (const char* path, const char* attribute, void* value, size_t size)) { \
    Redirection to(path, purpose);                                                                \
    return Real<next_##name>(-1, to.path(), attribute, value, size);                              \
  }
#define VGPU_LISTXATTR(name, purpose)                                     \
  VGPU_WRAP(ssize_t, name, (const char* path, char* list, size_t size)) { \
    Redirection to(path, purpose);                                        \
    return Real<next_##name>(-1, to.path(), list, size);                  \
  }
VGPU_GETXATTR(getxattr, Purpose::kFollow)
VGPU_GETXATTR(lgetxattr, Purpose::kNoFollow)
VGPU_LISTXATTR(listxattr, Purpose::kFollow)
VGPU_LISTXATTR(llistxattr, Purpose::kNoFollow)

VGPU_WRAP(int, inotify_add_watch, (int fd, const char* path, uint32_t mask)) {
  Redirection to(path, Purpose::kFollow);
  return Real<next_inotify_add_watch>(-1, fd, to.path(), mask);
}

VGPU_WRAP(int, fanotify_mark,
          (int fd, unsigned flags, uint64_t mask, int directory, const char* path)) {
  Redirection to(directory, path,
                 (flags & FAN_MARK_DONT_FOLLOW) != 0 ? Purpose::kNoFollow : Purpose::kFollow);
  return Real<next_fanotify_mark>(-1, fd, flags, mask, to.directory(), to.path());
}

VGPU_WRAP(key_t, ftok, (const char* path, int project)) {
  Redirection to(path, Purpose::kFollow);
  return Real<next_ftok>(-1, to.path(), project);
}

VGPU_WRAP(int, name_to_handle_at,
          (int directory, const char* path, struct file_handle* handle, int* mount, int flags)) {
  Redirection to(directory, path,
                 (flags & AT_SYMLINK_FOLLOW) != 0 ? Purpose::kFollow : Purpose::kNoFollow);
  return Real<next_name_to_handle_at>(-1, to.directory(), to.path(), handle, mount, flags);
}

// --- links and names -------------------------------------------------------------------------

// The kernel's answer without the tree's own directory. One that filled the buffer may have been
// cut, and then it cannot be told what it was: the program, too, sees that it was full.
static ssize_t Shown(char* target, ssize_t size) {
  if (size <= 0) return size;
  size_t shown = HideTree(target, static_cast<size_t>(size));
  // For who filled the buffer with NULs and looks at no size.
  memset(target + shown, 0, static_cast<size_t>(size) - shown);
  return static_cast<ssize_t>(shown);
}

VGPU_WRAP(ssize_t, readlink, (const char* path, char* target, size_t size)) {
  Redirection to(path, Purpose::kNoFollow);
  return Shown(target, Real<next_readlink>(-1, to.path(), target, size));
}

VGPU_WRAP(ssize_t, __readlink_chk, (const char* path, char* target, size_t size, size_t room)) {
  Redirection to(path, Purpose::kNoFollow);
  return Shown(target, Real<next___readlink_chk>(-1, to.path(), target, size, room));
}

VGPU_WRAP(ssize_t, readlinkat, (int directory, const char* path, char* target, size_t size)) {
  Redirection to(directory, path, Purpose::kNoFollow);
  return Shown(target, Real<next_readlinkat>(-1, to.directory(), to.path(), target, size));
}

VGPU_WRAP(ssize_t, __readlinkat_chk,
          (int directory, const char* path, char* target, size_t size, size_t room)) {
  Redirection to(directory, path, Purpose::kNoFollow);
  return Shown(target,
               Real<next___readlinkat_chk>(-1, to.directory(), to.path(), target, size, room));
}

// Takes the tree's own directory off a name that libc has made.
static char* Hidden(char* name) {
  if (name != nullptr) name[HideTree(name, strlen(name))] = '\0';
  return name;
}

// The canonical name of what is ours; false: libc is to make it. `room` holds PATH_MAX bytes.
static bool NameOurs(const char* path, char* room, bool* exists) {
  if (!MayBeOurs(path)) return false;
  std::array<char, kMaxPath> name;
  if (Resolve(AT_FDCWD, path, Purpose::kName, name) == Resolved::kNot) return false;
  // It is one only if it exists; wrapped_access sees the tree.
  *exists = wrapped_access(name.data(), F_OK) == 0;
  if (*exists) memcpy(room, name.data(), strlen(name.data()) + 1);
  return true;
}

VGPU_WRAP(char*, realpath, (const char* path, char* resolved)) {
  char name[kMaxPath];
  bool exists = false;
  if (NameOurs(path, name, &exists)) {
    if (!exists) return nullptr;
    return resolved == nullptr ? strdup(name) : strcpy(resolved, name);
  }
  return Hidden(Real<next_realpath>(nullptr, path, resolved));
}

VGPU_WRAP(char*, __realpath_chk, (const char* path, char* resolved, size_t room)) {
  char name[kMaxPath];
  bool exists = false;
  // glibc ends a program whose buffer is below PATH_MAX: so does the real one, below.
  if (room >= PATH_MAX && NameOurs(path, name, &exists)) {
    return exists ? strcpy(resolved, name) : nullptr;
  }
  return Hidden(Real<next___realpath_chk>(nullptr, path, resolved, room));
}

VGPU_WRAP(char*, canonicalize_file_name, (const char* path)) {
  return wrapped_realpath(path, nullptr);
}

// A buffer that holds the name that is shown may be too small for the name in the tree.
static char* GetWorkingDirectory(char* buffer, size_t size) {
  char name[kMaxPath];
  if (getcwd(name, sizeof name) == nullptr) return nullptr;
  size_t length = strlen(name);
  if (length + 1 > size) {
    errno = ERANGE;
    return nullptr;
  }
  return strcpy(buffer, name);
}

VGPU_WRAP(char*, getcwd, (char* buffer, size_t size)) {
  char* name = Real<next_getcwd>(nullptr, buffer, size);
  if (name != nullptr) return Hidden(name);
  if (errno != ERANGE || buffer == nullptr || size == 0 || size >= kMaxPath) return nullptr;
  return GetWorkingDirectory(buffer, size);
}

VGPU_WRAP(char*, __getcwd_chk, (char* buffer, size_t size, size_t room)) {
  char* name = Real<next___getcwd_chk>(nullptr, buffer, size, room);
  if (name != nullptr) return Hidden(name);
  if (errno != ERANGE || size == 0 || size >= kMaxPath) return nullptr;
  return GetWorkingDirectory(buffer, size);
}

VGPU_WRAP(char*, getwd, (char* buffer)) { return Hidden(Real<next_getwd>(nullptr, buffer)); }

VGPU_WRAP(char*, __getwd_chk, (char* buffer, size_t room)) {
  return Hidden(Real<next___getwd_chk>(nullptr, buffer, room));
}

VGPU_WRAP(char*, get_current_dir_name, (void)) {
  // PWD, which libc prefers where it names the same directory, is the program's own.
  return Hidden(Real<next_get_current_dir_name>(nullptr));
}

VGPU_WRAP(int, chdir, (const char* path)) {
  Redirection to(path, Purpose::kOpen);
  return Real<next_chdir>(-1, to.path());
}

VGPU_WRAP(int, posix_spawn_file_actions_addchdir_np,
          (posix_spawn_file_actions_t * actions, const char* path)) {
  if (path == nullptr || path[0] != '/') {
    return Real<next_posix_spawn_file_actions_addchdir_np>(ENOSYS, actions, path);
  }
  Redirection to(path, Purpose::kOpen);
  return Real<next_posix_spawn_file_actions_addchdir_np>(ENOSYS, actions, to.path());
}

// --- directories -----------------------------------------------------------------------------

VGPU_WRAP(DIR*, opendir, (const char* path)) {
  Redirection to(path, Purpose::kOpen);
  return Real<next_opendir>(nullptr, to.path());
}

#define VGPU_SCANDIR(name, entry)                                                        \
  VGPU_WRAP(int, name,                                                                   \
            (const char* path, struct entry*** list, int (*filter)(const struct entry*), \
             int (*compare)(const struct entry**, const struct entry**))) {              \
    Redirection to(path, Purpose::kOpen);                                                \
    return Real<next_##name>(-1, to.path(), list, filter, compare);                      \
  }
#define VGPU_SCANDIR_AT(name, entry)                                                              \
  VGPU_WRAP(                                                                                      \
      int, name,                                                                                  \
      (int directory, const char* path, struct entry*** list, int (*filter)(const struct entry*), \
       int (*compare)(const struct entry**, const struct entry**))) {                             \
    Redirection to(directory, path, Purpose::kOpen);                                              \
    return Real<next_##name>(-1, to.directory(), to.path(), list, filter, compare);               \
  }
VGPU_SCANDIR(scandir, dirent)
VGPU_SCANDIR(scandir64, dirent64)
VGPU_SCANDIR_AT(scandirat, dirent)
VGPU_SCANDIR_AT(scandirat64, dirent64)

// glob(3) opens directories from inside libc, where no wrapper is asked, but lets its caller give
// the functions by which it does.
template <typename Glob>
static void UseOurDirectories(Glob* found) {
  found->gl_opendir = [](const char* path) -> void* { return wrapped_opendir(path); };
  found->gl_readdir = [](void* stream) {
    return reinterpret_cast<decltype(found->gl_readdir(nullptr))>(
        readdir(static_cast<DIR*>(stream)));
  };
  found->gl_closedir = [](void* stream) { closedir(static_cast<DIR*>(stream)); };
}

#define VGPU_GLOB(name, type, status, stat_name, lstat_name)                                    \
  VGPU_WRAP(int, name,                                                                          \
            (const char* pattern, int flags, int (*on_error)(const char*, int), type* found)) { \
    if (found == nullptr || (flags & GLOB_ALTDIRFUNC) != 0) {                                   \
      return Real<next_##name>(GLOB_ABORTED, pattern, flags, on_error, found);                  \
    }                                                                                           \
    UseOurDirectories(found);                                                                   \
    found->gl_stat = [](const char* path, struct status* into) {                                \
      return wrapped_##stat_name(path, into);                                                   \
    };                                                                                          \
    found->gl_lstat = [](const char* path, struct status* into) {                               \
      return wrapped_##lstat_name(path, into);                                                  \
    };                                                                                          \
    int result =                                                                                \
        Real<next_##name>(GLOB_ABORTED, pattern, flags | GLOB_ALTDIRFUNC, on_error, found);     \
    found->gl_flags &= ~GLOB_ALTDIRFUNC;                                                        \
    return result;                                                                              \
  }
// dirent and dirent64, stat and stat64 are one layout on 64-bit machines.
static_assert(sizeof(dirent) == sizeof(dirent64) && sizeof(struct stat) == sizeof(struct stat64));
VGPU_GLOB(glob, glob_t, stat, stat, lstat)
VGPU_GLOB(glob64, glob64_t, stat64, stat64, lstat64)

// nftw(3) and ftw(3) walk from inside libc. A walk that can come to something of ours is
// walked here.
#define VGPU_NFTW(name, status)                                                                   \
  VGPU_WRAP(int, name,                                                                            \
            (const char* path, int (*visit)(const char*, const struct status*, int, struct FTW*), \
             int descriptors, int flags)) {                                                       \
    if (!WalkMayComeToOurs(path)) {                                                               \
      return Real<next_##name>(-1, path, visit, descriptors, flags);                              \
    }                                                                                             \
    return WalkFiles(path, reinterpret_cast<VisitFile*>(visit), flags);                           \
  }
#define VGPU_FTW(name, status)                                                                     \
  VGPU_WRAP(                                                                                       \
      int, name,                                                                                   \
      (const char* path, int (*visit)(const char*, const struct status*, int), int descriptors)) { \
    if (!WalkMayComeToOurs(path)) return Real<next_##name>(-1, path, visit, descriptors);          \
    return WalkFilesSimply(path, reinterpret_cast<VisitFileSimply*>(visit));                       \
  }
VGPU_NFTW(nftw, stat)
VGPU_NFTW(nftw64, stat64)
VGPU_FTW(ftw, stat)
VGPU_FTW(ftw64, stat64)

// --- what changes files: nothing of ours is changed ------------------------------------------

// A path that leads out of the tree is the host's to judge.

#define VGPU_REFUSE(name, purpose, parameters, ...) \
  VGPU_WRAP(int, name, parameters) {                \
    Redirection to(path, purpose);                  \
    if (to.in_tree()) return Refuse(-1);            \
    return Real<next_##name>(-1, __VA_ARGS__);      \
  }
#define VGPU_REFUSE_AT(name, purpose, parameters, ...) \
  VGPU_WRAP(int, name, parameters) {                   \
    Redirection to(directory, path, purpose);          \
    if (to.in_tree()) return Refuse(-1);               \
    return Real<next_##name>(-1, __VA_ARGS__);         \
  }
VGPU_REFUSE(creat, Purpose::kOpen, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE(creat64, Purpose::kOpen, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE(truncate, Purpose::kFollow, (const char* path, off_t size), to.path(), size)
VGPU_REFUSE(truncate64, Purpose::kFollow, (const char* path, off64_t size), to.path(), size)
VGPU_REFUSE(chmod, Purpose::kFollow, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE(lchmod, Purpose::kNoFollow, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE_AT(fchmodat, ForAtFlags(flags),
               (int directory, const char* path, mode_t mode, int flags), to.directory(), to.path(),
               mode, flags)
VGPU_REFUSE(chown, Purpose::kFollow, (const char* path, uid_t user, gid_t group), to.path(), user,
            group)
VGPU_REFUSE(lchown, Purpose::kNoFollow, (const char* path, uid_t user, gid_t group), to.path(),
            user, group)
VGPU_REFUSE_AT(fchownat, ForAtFlags(flags),
               (int directory, const char* path, uid_t user, gid_t group, int flags),
               to.directory(), to.path(), user, group, flags)
VGPU_REFUSE(utime, Purpose::kFollow, (const char* path, const struct utimbuf* times), to.path(),
            times)
VGPU_REFUSE(utimes, Purpose::kFollow, (const char* path, const timeval* times), to.path(), times)
VGPU_REFUSE(lutimes, Purpose::kNoFollow, (const char* path, const timeval* times), to.path(), times)
VGPU_REFUSE_AT(futimesat, Purpose::kFollow, (int directory, const char* path, const timeval* times),
               to.directory(), to.path(), times)
VGPU_REFUSE_AT(utimensat, ForAtFlags(flags),
               (int directory, const char* path, const timespec* times, int flags), to.directory(),
               to.path(), times, flags)
VGPU_REFUSE(setxattr, Purpose::kFollow,
            (const char* path, const char* name, const void* value, size_t size, int flags),
            to.path(), name, value, size, flags)
VGPU_REFUSE(lsetxattr, Purpose::kNoFollow,
            (const char* path, const char* name, const void* value, size_t size, int flags),
            to.path(), name, value, size, flags)
VGPU_REFUSE(removexattr, Purpose::kFollow, (const char* path, const char* name), to.path(), name)
VGPU_REFUSE(lremovexattr, Purpose::kNoFollow, (const char* path, const char* name), to.path(), name)
VGPU_REFUSE(unlink, Purpose::kNoFollow, (const char* path), to.path())
VGPU_REFUSE_AT(unlinkat, Purpose::kNoFollow, (int directory, const char* path, int flags),
               to.directory(), to.path(), flags)
VGPU_REFUSE(remove, Purpose::kNoFollow, (const char* path), to.path())
VGPU_REFUSE(rmdir, Purpose::kNoFollow, (const char* path), to.path())

// What would make a file: "mkdir -p" goes on where there is one.
static int RefuseToMake(const Redirection& to) {
  struct stat status = {};
  errno =
      vgpu::sys::StatAt(AT_FDCWD, to.path(), &status, AT_SYMLINK_NOFOLLOW) == 0 ? EEXIST : EACCES;
  return -1;
}

#define VGPU_REFUSE_TO_MAKE(name, parameters, ...) \
  VGPU_WRAP(int, name, parameters) {               \
    Redirection to(path, Purpose::kNoFollow);      \
    if (to.in_tree()) return RefuseToMake(to);     \
    return Real<next_##name>(-1, __VA_ARGS__);     \
  }
#define VGPU_REFUSE_TO_MAKE_AT(name, parameters, ...)    \
  VGPU_WRAP(int, name, parameters) {                     \
    Redirection to(directory, path, Purpose::kNoFollow); \
    if (to.in_tree()) return RefuseToMake(to);           \
    return Real<next_##name>(-1, __VA_ARGS__);           \
  }
VGPU_REFUSE_TO_MAKE(mkdir, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE_TO_MAKE_AT(mkdirat, (int directory, const char* path, mode_t mode), to.directory(),
                       to.path(), mode)
VGPU_REFUSE_TO_MAKE(mkfifo, (const char* path, mode_t mode), to.path(), mode)
VGPU_REFUSE_TO_MAKE_AT(mkfifoat, (int directory, const char* path, mode_t mode), to.directory(),
                       to.path(), mode)
VGPU_REFUSE_TO_MAKE(mknod, (const char* path, mode_t mode, dev_t device), to.path(), mode, device)
VGPU_REFUSE_TO_MAKE_AT(mknodat, (int directory, const char* path, mode_t mode, dev_t device),
                       to.directory(), to.path(), mode, device)
VGPU_REFUSE_TO_MAKE(__xmknod, (int version, const char* path, mode_t mode, dev_t* device), version,
                    to.path(), mode, device)
VGPU_REFUSE_TO_MAKE_AT(__xmknodat,
                       (int version, int directory, const char* path, mode_t mode, dev_t* device),
                       version, to.directory(), to.path(), mode, device)
VGPU_REFUSE_TO_MAKE(symlink, (const char* target, const char* path), target, to.path())
VGPU_REFUSE_TO_MAKE_AT(symlinkat, (const char* target, int directory, const char* path), target,
                       to.directory(), to.path())

// Of two names one may be ours.
#define VGPU_REFUSE_TWO(name, refuse_new, parameters, ...)         \
  VGPU_WRAP(int, name, parameters) {                               \
    Redirection from(old_directory, old_path, Purpose::kNoFollow); \
    if (from.in_tree()) return Refuse(-1);                         \
    Redirection to(new_directory, new_path, Purpose::kNoFollow);   \
    if (to.in_tree()) return refuse_new;                           \
    return Real<next_##name>(-1, __VA_ARGS__);                     \
  }
#define VGPU_REFUSE_TWO_PATHS(name, refuse_new)                        \
  VGPU_WRAP(int, name, (const char* old_path, const char* new_path)) { \
    Redirection from(old_path, Purpose::kNoFollow);                    \
    if (from.in_tree()) return Refuse(-1);                             \
    Redirection to(new_path, Purpose::kNoFollow);                      \
    if (to.in_tree()) return refuse_new;                               \
    return Real<next_##name>(-1, from.path(), to.path());              \
  }
VGPU_REFUSE_TWO_PATHS(rename, Refuse(-1))
VGPU_REFUSE_TWO_PATHS(link, RefuseToMake(to))
VGPU_REFUSE_TWO(renameat, Refuse(-1),
                (int old_directory, const char* old_path, int new_directory, const char* new_path),
                from.directory(), from.path(), to.directory(), to.path())
VGPU_REFUSE_TWO(renameat2, Refuse(-1),
                (int old_directory, const char* old_path, int new_directory, const char* new_path,
                 unsigned flags),
                from.directory(), from.path(), to.directory(), to.path(), flags)
VGPU_REFUSE_TWO(linkat, RefuseToMake(to),
                (int old_directory, const char* old_path, int new_directory, const char* new_path,
                 int flags),
                from.directory(), from.path(), to.directory(), to.path(), flags)
