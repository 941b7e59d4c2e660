#include "diag/host/dir_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vgpu::host {
namespace {

// Opens the directory that holds the last component of `path`, from `root` on, one
// component at a time; a link on the way is an error, not followed. Returns the
// descriptor and the last component ("." for the root itself).
Observed<Fd> OpenDirOf(int root, const std::string& path, std::string* last) {
  std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  for (const std::string& part : parts) {
    if (part == "..") return NotObserved{"unresolved `..`"};
  }
  *last = parts.empty() ? "." : parts.back();
  Fd at(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!at.ok()) return FromErrno<Fd>(errno);
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    Fd next(openat(at.get(), parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.ok()) return FromErrno<Fd>(errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirFiles>> DirFiles::At(const std::string& dir) {
  Fd root(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.ok()) return absl::NotFoundError(absl::StrCat(dir, ": ", ErrnoText(errno)));
  // NOLINTNEXTLINE: the constructor is private.
  return std::unique_ptr<DirFiles>(new DirFiles(std::move(root)));
}

Observed<FileMeta> DirFiles::Stat(const std::string& path) const {
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_.get(), path, &last);
  return dir.Map([&](const Fd& at) -> Observed<FileMeta> {
    struct stat st;
    if (fstatat(at.get(), last.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return FromErrno<FileMeta>(errno);
    }
    return MetaOf(st);
  });
}

Observed<std::string> DirFiles::ReadLink(const std::string& path) const {
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_.get(), path, &last);
  return dir.Map([&](const Fd& at) -> Observed<std::string> {
    char target[4097];
    ssize_t n = readlinkat(at.get(), last.c_str(), target, sizeof(target));
    if (n < 0) return FromErrno<std::string>(errno);
    return std::string(target, static_cast<size_t>(n));
  });
}

Observed<Fd> DirFiles::OpenFile(const std::string& path) const {
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_.get(), path, &last);
  if (!dir.present()) return dir;
  return OpenRegular(dir->get(), last.c_str());
}

Observed<Content> DirFiles::Read(const std::string& path, size_t limit) const {
  return OpenFile(path).Map([&](const Fd& fd) { return ReadAll(fd, path, limit); });
}

Observed<std::unique_ptr<ByteSource>> DirFiles::Open(const std::string& path) const {
  Observed<Fd> file = OpenFile(path);
  if (!file.present()) return file.Map([](const Fd&) { return std::unique_ptr<ByteSource>(); });
  return StreamOf(std::move(file).value());
}

Observed<std::unique_ptr<RangeSource>> DirFiles::OpenRanges(const std::string& path) const {
  Observed<Fd> file = OpenFile(path);
  if (!file.present()) return file.Map([](const Fd&) { return std::unique_ptr<RangeSource>(); });
  return RangesOf(std::move(file).value());
}

Observed<std::vector<std::string>> DirFiles::List(const std::string& path) const {
  using Names = std::vector<std::string>;
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_.get(), path, &last);
  return dir.Map([&](const Fd& at) -> Observed<Names> {
    Fd fd(openat(at.get(), last.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.ok()) return FromErrno<Names>(errno);
    return ListDir(std::move(fd));
  });
}

}  // namespace vgpu::host
