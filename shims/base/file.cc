#include "shims/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "shims/base/sys.h"

namespace vgpu {
namespace {

int ReadAll(int fd, std::span<char> buffer, std::string_view* text) {
  struct stat status;
  if (int error = sys::Stat(fd, &status); error < 0) return -error;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = sys::Read(fd, buffer.data() + size, buffer.size() - size);
    if (got < 0) return static_cast<int>(-got);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  *text = {buffer.data(), size};
  if (size < buffer.size()) return 0;
  char more;
  const ssize_t got = sys::Read(fd, &more, 1);
  return got < 0 ? static_cast<int>(-got) : got > 0 ? EFBIG : 0;
}

}  // namespace

int ReadSmallFile(const char* path, std::span<char> buffer, std::string_view* text) {
  // Looked at before it is opened, because opening a device can do something, and after,
  // because the path may lead elsewhere by then.
  struct stat status;
  if (int error = sys::StatAt(AT_FDCWD, path, &status, 0); error < 0) return -error;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  const int fd = sys::OpenAt(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return -fd;
  const int error = ReadAll(fd, buffer, text);
  sys::Close(fd);
  return error;
}

}  // namespace vgpu
