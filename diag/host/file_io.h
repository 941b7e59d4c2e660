// What LiveHost and TreeHost share: looks at open file descriptors, bounded.

#ifndef DIAG_HOST_FILE_IO_H_
#define DIAG_HOST_FILE_IO_H_

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::host {

// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int release();

 private:
  int fd_;
};

// The answer that an errno of a look means: no such thing is absent, everything else
// is not observed in the words of strerror(3), in lower case: "permission denied".
std::string ErrnoText(int error);
template <typename T>
Observed<T> FromErrno(int error);

FileType TypeOf(mode_t mode);
// All that stat(2) says.
FileMeta MetaOf(const struct stat& st);

// Opens `name` below `dir` without following a link and without waiting for the
// writer of a FIFO. The descriptor is of a regular file, or the answer says why not.
Observed<Fd> OpenRegular(int dir, const char* name);

// Reads a regular file to its end, at most `limit` bytes and for at most kReadTime.
// procfs files have no size and may be endless: the bounds are what ends them.
constexpr absl::Duration kReadTime = absl::Seconds(5);
Observed<Content> ReadAll(const Fd& fd, std::string path, size_t limit);

std::unique_ptr<ByteSource> StreamOf(Fd fd);

// Of a regular file.
Observed<std::unique_ptr<RangeSource>> RangesOf(Fd fd);

// What a person names as input: a file, a FIFO, or "-" for standard input. Unlike a path of
// a host that is judged, links are followed and a FIFO's writer is waited for. Errors: it
// cannot be opened, or is a directory.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenInput(const std::string& name);

// Names in an open directory, sorted.
Observed<std::vector<std::string>> ListDir(Fd fd);

template <typename T>
Observed<T> FromErrno(int error) {
  // ENOTDIR: nothing is below a file. ESRCH: procfs, the process has ended.
  if (error == ENOENT || error == ENOTDIR || error == ESRCH) return Absent{};
  return NotObserved{ErrnoText(error)};
}

}  // namespace vgpu::host

#endif  // DIAG_HOST_FILE_IO_H_
