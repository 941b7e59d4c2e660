#include "shims/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "shims/base/sys.h"

namespace vgpu {
namespace {

// 0, or an error's number. `*size` bytes were read; `*whole`: there are no more.
int ReadOpenFile(int fd, std::span<char> buffer, size_t* size, bool* whole) {
  struct stat status;
  if (int error = sys::Stat(fd, &status); error < 0) return -error;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  *size = 0;
  *whole = false;
  while (!*whole && *size < buffer.size()) {
    const ssize_t got = sys::Read(fd, buffer.data() + *size, buffer.size() - *size);
    if (got < 0) return static_cast<int>(-got);
    *size += static_cast<size_t>(got);
    *whole = got == 0;
  }
  if (*whole) return 0;
  char more;
  const ssize_t got = sys::Read(fd, &more, 1);
  if (got < 0) return static_cast<int>(-got);
  *whole = got == 0;
  return 0;
}

int ReadPath(const char* path, std::span<char> buffer, size_t* size, bool* whole) {
  // Looked at before it is opened, because opening a device can do something, and after,
  // because the path may lead elsewhere by then.
  struct stat status;
  if (int error = sys::StatAt(AT_FDCWD, path, &status, 0); error < 0) return -error;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  const int fd = sys::OpenAt(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return -fd;
  const int error = ReadOpenFile(fd, buffer, size, whole);
  sys::Close(fd);
  return error;
}

}  // namespace

int ReadSmallFile(const char* path, std::span<char> buffer, std::string_view* text) {
  size_t size;
  bool whole;
  const int error = ReadPath(path, buffer, &size, &whole);
  if (error != 0) return error;
  if (!whole) return EFBIG;
  *text = {buffer.data(), size};
  return 0;
}

int ReadFileBeginning(const char* path, std::span<char> buffer, std::string_view* text) {
  size_t size;
  bool whole;
  const int error = ReadPath(path, buffer, &size, &whole);
  if (error == 0) *text = {buffer.data(), size};
  return error;
}

}  // namespace vgpu
