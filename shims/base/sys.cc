#include "shims/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace vgpu::sys {
namespace {

template <typename... Arguments>
long Call(long number, Arguments... arguments) {
  const int kept = errno;
  long result;
  do {
    result = syscall(number, arguments...);
    if (result < 0) result = -errno;
  } while (result == -EINTR);
  errno = kept;
  return result;
}

}  // namespace

int OpenAt(int directory, const char* path, int flags, mode_t mode) {
  return static_cast<int>(
      Call(SYS_openat, directory, path, flags | O_CLOEXEC | O_NOCTTY, static_cast<long>(mode)));
}

void Close(int fd) {
  // Not again after EINTR: the descriptor is free by then, close(2).
  const int kept = errno;
  syscall(SYS_close, fd);
  errno = kept;
}

ssize_t Read(int fd, void* buffer, size_t size) { return Call(SYS_read, fd, buffer, size); }

ssize_t PositionedRead(int fd, void* buffer, size_t size, off_t offset) {
  return Call(SYS_pread64, fd, buffer, size, offset);
}

ssize_t Write(int fd, const void* buffer, size_t size) { return Call(SYS_write, fd, buffer, size); }

ssize_t PositionedWrite(int fd, const void* buffer, size_t size, off_t offset) {
  return Call(SYS_pwrite64, fd, buffer, size, offset);
}

int Stat(int fd, struct stat* status) {
  // On 64-bit machines the kernel's struct stat is glibc's.
  static_assert(sizeof(long) == 8);
  return static_cast<int>(Call(SYS_fstat, fd, status));
}

int StatAt(int directory, const char* path, struct stat* status, int flags) {
  return static_cast<int>(Call(SYS_newfstatat, directory, path, status, flags));
}

int MakeDirectoryAt(int directory, const char* path, mode_t mode) {
  return static_cast<int>(Call(SYS_mkdirat, directory, path, static_cast<long>(mode)));
}

int ChangeMode(int fd, mode_t mode) {
  return static_cast<int>(Call(SYS_fchmod, fd, static_cast<long>(mode)));
}

int UnlinkAt(int directory, const char* path) {
  return static_cast<int>(Call(SYS_unlinkat, directory, path, 0));
}

int Lock(int fd, int operation) { return static_cast<int>(Call(SYS_flock, fd, operation)); }

int RenameAt(int directory, const char* from, const char* to) {
  return static_cast<int>(Call(SYS_renameat2, directory, from, directory, to, RENAME_NOREPLACE));
}

int RemoveDirectoryAt(int directory, const char* path) {
  return static_cast<int>(Call(SYS_unlinkat, directory, path, AT_REMOVEDIR));
}

int Probe(pid_t pid) { return static_cast<int>(Call(SYS_kill, pid, 0)); }

void Sleep(long microseconds) {
  timespec rest = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
  const int kept = errno;
  syscall(SYS_nanosleep, &rest, nullptr);
  errno = kept;
}

ssize_t ReadEntries(int fd, void* buffer, size_t size) {
  return Call(SYS_getdents64, fd, buffer, size);
}

}  // namespace vgpu::sys
