#include "tools/vgpu_doctor/verify/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/host/host.h"
#include "diag/procfs/cgroup.h"
#include "diag/procfs/mountinfo.h"

namespace vgpu::doctor {
namespace {

using host::ErrnoText;
using host::Fd;

// A step is a driver's library and Ollama's child of discovery, one at a time.
constexpr uint64_t kMemoryRoom = uint64_t{1} << 30;
constexpr uint64_t kTaskRoom = 128;
constexpr char kDevices[] = "devices";

std::string ReadFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (fd.ok() && text.size() < (size_t{1} << 20)) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

// Nothing: "max", or there is no such file.
std::optional<uint64_t> NumberIn(const std::string& path) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(ReadFile(path)), &number)) return std::nullopt;
  return number;
}

bool HasRoom(const std::string& directory, absl::string_view limit, absl::string_view current,
             uint64_t room) {
  const std::optional<uint64_t> most = NumberIn(absl::StrCat(directory, "/", limit));
  const std::optional<uint64_t> now = NumberIn(absl::StrCat(directory, "/", current));
  return !most || !now || (*most > *now && *most - *now >= room);
}

// What a process more in the cgroup could do harm to; "" nothing.
std::string Harm(std::string directory, const std::string& top) {
  while (directory.size() > top.size()) {
    if (!HasRoom(directory, "memory.max", "memory.current", kMemoryRoom) ||
        !HasRoom(directory, "memory.high", "memory.current", kMemoryRoom)) {
      return "less than 1 GiB is left of the memory that it may have";
    }
    if (!HasRoom(directory, "pids.max", "pids.current", kTaskRoom)) {
      return absl::StrCat("fewer than ", kTaskRoom, " are left of the tasks that it may have");
    }
    if (NumberIn(directory + "/cgroup.freeze").value_or(0) != 0) return "it is frozen";
    directory.resize(directory.rfind('/'));
  }
  return "";
}

bool IsOfDevices(const procfs::CgroupLine& line) {
  const std::vector<absl::string_view> controllers = absl::StrSplit(line.controllers, ',');
  return std::find(controllers.begin(), controllers.end(), kDevices) != controllers.end();
}

// Where that hierarchy is mounted; null: nowhere that can be written.
const procfs::Mount* MountOf(const procfs::MountTable& mounts, const procfs::CgroupLine& line) {
  for (const procfs::Mount& mount : mounts.mounts()) {
    const bool of_devices = std::find(mount.super_options.begin(), mount.super_options.end(),
                                      kDevices) != mount.super_options.end();
    if (line.hierarchy == 0 ? mount.fs_type == "cgroup2"
                            : mount.fs_type == "cgroup" && of_devices) {
      if (!mount.read_only()) return &mount;
    }
  }
  return nullptr;
}

// Where the cgroup is, below that mount. "" where it is not.
std::string DirectoryOf(const procfs::Mount& mount, const procfs::CgroupLine& line) {
  absl::string_view rest = line.path;
  // The path of one that lies outside of the caller's cgroup namespace begins so
  // (cgroup_namespaces(7)).
  if (absl::StartsWith(rest, "/..")) return "";
  if (mount.root != "/" && !absl::ConsumePrefix(&rest, mount.root)) return "";
  return absl::StrCat(mount.mount_point, rest == "/" ? "" : rest);
}

// 0: this process is there now. Else errno.
int JoinOne(const Fd& procs) {
  // "0" is whoever writes it (cgroup_procs_write, kernel/cgroup/cgroup.c).
  return write(procs.get(), "0", 1) == 1 ? 0 : errno;
}

}  // namespace

Cgroups Cgroups::Of(int pid) {
  Cgroups cgroups;
  const absl::StatusOr<procfs::Cgroup> theirs =
      procfs::ParseCgroup(ReadFile(absl::StrCat("/proc/", pid, "/cgroup")));
  const absl::StatusOr<procfs::Cgroup> own = procfs::ParseCgroup(ReadFile("/proc/self/cgroup"));
  const absl::StatusOr<procfs::MountTable> mounts =
      procfs::ParseMountInfo(ReadFile("/proc/self/mountinfo"));
  if (!theirs.ok() || !own.ok() || !mounts.ok()) {
    cgroups.why_not_ = "where it is was not seen";
    return cgroups;
  }
  for (const procfs::CgroupLine& line : theirs->lines()) {
    if (line.hierarchy != 0 && !IsOfDevices(line)) continue;
    const bool there =
        std::any_of(own->lines().begin(), own->lines().end(), [&](const procfs::CgroupLine& mine) {
          return mine.hierarchy == line.hierarchy && mine.path == line.path;
        });
    if (there) continue;
    const procfs::Mount* mount = MountOf(*mounts, line);
    if (mount == nullptr) {
      cgroups.why_not_ = "its file system is not mounted here for writing";
      continue;
    }
    const std::string directory = DirectoryOf(*mount, line);
    if (directory.empty()) {
      cgroups.why_not_ = absl::StrCat(line.path, " is not seen from here");
      continue;
    }
    if (line.hierarchy == 0) {
      if (std::string harm = Harm(directory, mount->mount_point); !harm.empty()) {
        cgroups.why_not_ = std::move(harm);
        continue;
      }
    }
    const std::string path = directory + "/cgroup.procs";
    const Fd low(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    // A child gives its descriptors the first numbers.
    Fd procs(low.ok() ? fcntl(low.get(), F_DUPFD_CLOEXEC, 16) : -1);
    if (!procs.ok()) {
      cgroups.why_not_ = absl::StrCat(path, ": ", ErrnoText(errno));
      continue;
    }
    const pid_t child = fork();
    if (child == 0) _exit(JoinOne(procs));
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const int error = child < 0 ? EAGAIN : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    if (error != 0) {
      cgroups.why_not_ = absl::StrCat(path, ": ", ErrnoText(error));
      continue;
    }
    cgroups.procs_.push_back(std::move(procs));
    cgroups.paths_.push_back(line.path);
  }
  return cgroups;
}

absl::Status Cgroups::Join() const {
  for (size_t i = 0; i < procs_.size(); ++i) {
    if (const int error = JoinOne(procs_[i]); error != 0) {
      return absl::UnavailableError(absl::StrCat("the cgroup ", paths_[i], ": ", ErrnoText(error)));
    }
  }
  return absl::OkStatus();
}

}  // namespace vgpu::doctor
