#include "tools/vgpu_doctor/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/host/host.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

absl::Status Failed(const std::string& name, int error) {
  const std::string message = absl::StrCat(name, ": ", host::ErrnoText(error));
  if (error == EEXIST) return absl::AlreadyExistsError(absl::StrCat(name, ": is there already"));
  return absl::UnavailableError(message);
}

}  // namespace

absl::Status FileSink::Write(absl::string_view bytes) {
  return WriteAll(fd_.get(), bytes) ? absl::OkStatus() : Failed(name_, errno);
}

absl::StatusOr<NewFile> NewFile::Create(const std::string& name) {
  struct stat st;
  // Told before a minute's work, and not after it.
  if (lstat(name.c_str(), &st) == 0) return Failed(name, EEXIST);
  const bool here = name.find('/') == std::string::npos;
  const std::string directory = here ? "." : std::string(host::Dirname(name));
  host::Fd unnamed(open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (unnamed.ok()) return NewFile(std::move(unnamed), name, false);
  // A file system without unnamed files, or a kernel that takes O_TMPFILE for O_DIRECTORY.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return Failed(name, errno);
  host::Fd named(open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!named.ok()) return Failed(name, errno);
  return NewFile(std::move(named), name, true);
}

NewFile::NewFile(NewFile&& other) noexcept
    : FileSink(std::move(other.fd_), other.name_),
      has_name_(std::exchange(other.has_name_, false)) {}

NewFile::~NewFile() {
  if (has_name_) unlink(name_.c_str());
}

absl::Status NewFile::Publish() {
  if (fsync(fd_.get()) != 0) return Failed(name_, errno);
  if (has_name_) {
    has_name_ = false;
    return absl::OkStatus();
  }
  // As open(2) says of O_TMPFILE.
  const std::string self = absl::StrCat("/proc/self/fd/", fd_.get());
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return Failed(name_, errno);
  }
  return absl::OkStatus();
}

}  // namespace vgpu::doctor
