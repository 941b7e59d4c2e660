// System calls that nothing comes between: they go past the C library's functions, which a
// preloaded library, ours among them, may have replaced (a replaced open(2) that asks for the
// configuration would else ask itself). They are no cancellation points, so that a thread
// cannot end while it holds a lock of ours.
//
// Each returns what the kernel does: below zero, an error's number with its sign turned. errno
// is not touched. EINTR is tried again.

#ifndef SHIMS_BASE_SYS_H_
#define SHIMS_BASE_SYS_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>

namespace vgpu::sys {

// `directory` may be AT_FDCWD. O_CLOEXEC and O_NOCTTY are added.
int OpenAt(int directory, const char* path, int flags, mode_t mode = 0);
void Close(int fd);
ssize_t Read(int fd, void* buffer, size_t size);
ssize_t PositionedRead(int fd, void* buffer, size_t size, off_t offset);
ssize_t Write(int fd, const void* buffer, size_t size);
ssize_t PositionedWrite(int fd, const void* buffer, size_t size, off_t offset);
int Stat(int fd, struct stat* status);
// `flags` as of fstatat(2).
int StatAt(int directory, const char* path, struct stat* status, int flags);
int MakeDirectoryAt(int directory, const char* path, mode_t mode);
int ChangeMode(int fd, mode_t mode);
int UnlinkAt(int directory, const char* path);
// `operation` as of flock(2).
int Lock(int fd, int operation);
// Gives `from` the name `to`, which must not exist.
int RenameAt(int directory, const char* from, const char* to);
int RemoveDirectoryAt(int directory, const char* path);
// Whether a signal could be sent to process `pid`: 0, -EPERM, -ESRCH.
int Probe(pid_t pid);
void Sleep(long microseconds);
// Fills `buffer` with entries (struct linux_dirent64, getdents64(2)): how many bytes.
ssize_t ReadEntries(int fd, void* buffer, size_t size);

}  // namespace vgpu::sys

#endif  // SHIMS_BASE_SYS_H_
