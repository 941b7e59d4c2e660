#include "diag/host/dir_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vgpu::host {
namespace {

constexpr int kOpenDir = O_PATH | O_DIRECTORY | O_CLOEXEC;

// Opens a directory below `root` in one call. A link on the way is an error (ELOOP).
// openat2(2), Linux 5.6; glibc 2.36 has no wrapper.
Fd OpenAtOnce(int root, const std::string& dir) {
  open_how how = {};
  how.flags = kOpenDir;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return Fd(static_cast<int>(syscall(SYS_openat2, root, dir.c_str(), &how, sizeof(how))));
}

// The same on any kernel: one component at a time. A link on the way is ENOTDIR.
Fd OpenStepByStep(int root, absl::string_view dir) {
  Fd at;
  for (absl::string_view part : absl::StrSplit(dir, '/')) {
    at = Fd(openat(at.ok() ? at.get() : root, std::string(part).c_str(), kOpenDir | O_NOFOLLOW));
    if (!at.ok()) break;
  }
  return at;
}

}  // namespace

// The directory that holds the last component of `path`, opened from the root on without
// following a link, and that component ("." for the root itself).
struct DirFiles::Place {
  Fd own;  // unset where it is the root itself
  int at = -1;
  std::string last;
};

Observed<DirFiles::Place> DirFiles::Find(absl::string_view path) const {
  std::string clean;  // without leading, doubled and trailing slashes
  clean.reserve(path.size());
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == "..") return NotObserved{"unresolved `..`"};
    absl::StrAppend(&clean, clean.empty() ? "" : "/", part);
  }
  Place place;
  place.at = root_.get();
  const size_t slash = clean.rfind('/');
  place.last = clean.empty() ? "." : clean.substr(slash + 1);  // npos + 1 is 0
  if (slash == std::string::npos) return place;
  clean.resize(slash);
  if (at_once_) {
    place.own = OpenAtOnce(root_.get(), clean);
    // A kernel without it, or a sandbox that does not know it.
    at_once_ = place.own.ok() || (errno != ENOSYS && errno != EPERM);
  }
  if (!at_once_) place.own = OpenStepByStep(root_.get(), clean);
  if (!place.own.ok()) return FromErrno<Place>(errno == ELOOP ? ENOTDIR : errno);
  place.at = place.own.get();
  return place;
}

absl::StatusOr<std::unique_ptr<DirFiles>> DirFiles::At(const std::string& dir) {
  Fd root(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.ok()) return absl::NotFoundError(absl::StrCat(dir, ": ", ErrnoText(errno)));
  // NOLINTNEXTLINE: the constructor is private.
  return std::unique_ptr<DirFiles>(new DirFiles(std::move(root)));
}

Observed<FileMeta> DirFiles::Stat(const std::string& path) const {
  return Find(path).Map([&](const Place& place) -> Observed<FileMeta> {
    struct stat st;
    if (fstatat(place.at, place.last.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return FromErrno<FileMeta>(errno);
    }
    return MetaOf(st);
  });
}

Observed<std::string> DirFiles::ReadLink(const std::string& path) const {
  return Find(path).Map([&](const Place& place) -> Observed<std::string> {
    char target[4097];
    ssize_t n = readlinkat(place.at, place.last.c_str(), target, sizeof(target));
    if (n < 0) return FromErrno<std::string>(errno);
    return std::string(target, static_cast<size_t>(n));
  });
}

Observed<Fd> DirFiles::OpenFile(const std::string& path) const {
  return Find(path).Map(
      [](const Place& place) { return OpenRegular(place.at, place.last.c_str()); });
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
  return Find(path).Map([&](const Place& place) -> Observed<Names> {
    Fd fd(openat(place.at, place.last.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.ok()) return FromErrno<Names>(errno);
    return ListDir(std::move(fd));
  });
}

}  // namespace vgpu::host
