#include "diag/host/file_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace vgpu::host {
namespace {

class FdSource : public ByteSource {
 public:
  explicit FdSource(Fd fd) : fd_(std::move(fd)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    while (true) {
      ssize_t n = read(fd_.get(), buffer, size);
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return absl::UnavailableError(ErrnoText(errno));
    }
  }

 private:
  Fd fd_;
};

class FdRanges : public RangeSource {
 public:
  FdRanges(Fd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}
  uint64_t size() const override { return size_; }
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const override {
    // No more is made room for than the file has; the offset of pread(2) is signed.
    if (offset >= size_) return std::string();
    std::string bytes(std::min<uint64_t>(length, size_ - offset), '\0');
    size_t done = 0;
    while (done < bytes.size()) {
      ssize_t n = pread(fd_.get(), bytes.data() + done, bytes.size() - done,
                        static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return absl::UnavailableError(ErrnoText(errno));
      if (n == 0) break;  // it shrank
      done += static_cast<size_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  Fd fd_;
  uint64_t size_;
};

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

int Fd::release() { return std::exchange(fd_, -1); }

std::string ErrnoText(int error) {
  char buffer[128];
  // The GNU form: it may answer with a text of its own instead of the buffer.
  return absl::AsciiStrToLower(strerror_r(error, buffer, sizeof(buffer)));
}

FileType TypeOf(mode_t mode) {
  if (S_ISDIR(mode)) return FileType::kDir;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  if (S_ISCHR(mode)) return FileType::kCharDevice;
  if (S_ISBLK(mode)) return FileType::kBlockDevice;
  if (S_ISFIFO(mode)) return FileType::kFifo;
  if (S_ISSOCK(mode)) return FileType::kSocket;
  return FileType::kFile;
}

FileMeta MetaOf(const struct stat& st) {
  FileMeta meta;
  meta.type = TypeOf(st.st_mode);
  meta.mode = static_cast<uint32_t>(st.st_mode & 07777);
  meta.uid = static_cast<uint32_t>(st.st_uid);
  meta.gid = static_cast<uint32_t>(st.st_gid);
  meta.size = static_cast<uint64_t>(st.st_size);
  meta.mtime = absl::TimeFromTimespec(st.st_mtim);
  meta.ctime = absl::TimeFromTimespec(st.st_ctim);
  meta.id = FileId{st.st_dev, st.st_ino};
  return meta;
}

Observed<Fd> OpenRegular(int dir, const char* name) {
  struct stat st;
  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return FromErrno<Fd>(errno);
  // Before opening: the open of a device may have effects.
  if (!S_ISREG(st.st_mode)) {
    return NotObserved{absl::StrCat("is no regular file (", FileTypeName(TypeOf(st.st_mode)), ")")};
  }
  Fd fd(openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!fd.ok()) return FromErrno<Fd>(errno);
  // After opening: another thing may have taken its place in between.
  if (fstat(fd.get(), &st) != 0) return FromErrno<Fd>(errno);
  if (!S_ISREG(st.st_mode)) return NotObserved{"changed while it was looked at"};
  return fd;
}

Observed<Content> ReadAll(const Fd& fd, std::string path, size_t limit) {
  Content content;
  content.path = std::move(path);
  struct stat st;
  // The size is a hint only: procfs says 0, and a file may grow.
  if (fstat(fd.get(), &st) == 0 && st.st_size > 0) {
    content.bytes.reserve(std::min<size_t>(limit, static_cast<size_t>(st.st_size)) + 1);
  }
  const absl::Time deadline = absl::Now() + kReadTime;
  char buffer[64 << 10];
  while (true) {
    size_t want = std::min(sizeof(buffer), limit - content.bytes.size() + 1);
    ssize_t n = read(fd.get(), buffer, want);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      // A process that ends while its file is read: what was read is no whole answer.
      return FromErrno<Content>(error);
    }
    if (n == 0) return content;
    content.bytes.append(buffer, static_cast<size_t>(n));
    if (content.bytes.size() > limit) {
      content.bytes.resize(limit);
      content.truncated = true;
      return content;
    }
    if (absl::Now() > deadline) {
      return NotObserved{
          absl::StrCat("reading did not end within ", absl::FormatDuration(kReadTime))};
    }
  }
}

std::unique_ptr<ByteSource> StreamOf(Fd fd) {
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FdSource>(std::move(fd));
}

Observed<std::unique_ptr<RangeSource>> RangesOf(Fd fd) {
  using Source = std::unique_ptr<RangeSource>;
  struct stat st;
  if (fstat(fd.get(), &st) != 0) return FromErrno<Source>(errno);
  return Source(std::make_unique<FdRanges>(std::move(fd), static_cast<uint64_t>(st.st_size)));
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenInput(const std::string& name) {
  Fd fd(name == "-" ? dup(STDIN_FILENO) : open(name.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!fd.ok() || fstat(fd.get(), &st) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(name, ": ", ErrnoText(errno)));
  }
  if (S_ISDIR(st.st_mode))
    return absl::InvalidArgumentError(absl::StrCat(name, ": is a directory"));
  return StreamOf(std::move(fd));
}

Observed<std::vector<std::string>> ListDir(Fd fd) {
  DIR* dir = fdopendir(fd.get());
  if (dir == nullptr) return FromErrno<std::vector<std::string>>(errno);
  fd.release();
  std::vector<std::string> names;
  int error = 0;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(dir);
    if (entry == nullptr) {
      error = errno;
      break;
    }
    absl::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == Host::kMaxEntries) {
      closedir(dir);
      return NotObserved{absl::StrCat("holds more than ", Host::kMaxEntries, " names")};
    }
    names.emplace_back(name);
  }
  closedir(dir);
  if (error != 0) return FromErrno<std::vector<std::string>>(error);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace vgpu::host
