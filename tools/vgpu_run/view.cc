#include "tools/vgpu_run/view.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
// Where the tree is written while its mounts are made; covered in our own namespace only, and
// uncovered before the command runs.
constexpr const char* kScratch[] = {"/tmp", "/mnt", "/run", "/var"};

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Where the host's own have to stay what they are, by their file system too. procfs cannot be
// overlaid; and libudev takes a directory of /sys/devices for no device if it is not sysfs's own
// (sd-device.c, systemd 251 and later).
bool KeepsTheHosts(const std::string& path) {
  return absl::StartsWith(path, "proc/") || absl::StartsWith(path, "sys/devices/");
}

// Whether the host has what the tree has at `path`.
bool HostHas(const tree::HostPci& host, const std::string& path) {
  auto directory = host.directories.find(ParentOf(path));
  if (directory != host.directories.end()) return directory->second.contains(NameOf(path));
  for (const auto& [address, function] : host.functions) {
    if (function == path) return true;
  }
  return false;
}

absl::Status Refused(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

absl::Status BindPlainly(const std::string& source, const std::string& target) {
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) {
    return absl::OkStatus();
  }
  return Refused(absl::StrCat("cannot bind ", source, " here"), target);
}

// With what is mounted below the source; the source's own files are read-only then.
absl::Status Bind(const std::string& source, const std::string& target) {
  if (absl::Status bound = BindPlainly(source, target); !bound.ok()) return bound;
  if (mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) !=
      0) {
    return Refused("cannot be made read-only", target);
  }
  return absl::OkStatus();
}

// Colons part the directories of lowerdir= (Documentation/filesystems/overlayfs.rst).
std::string EscapeColons(const std::string& path) {
  return absl::StrReplaceAll(path, {{"\\", "\\\\"}, {":", "\\:"}, {",", "\\,"}});
}

absl::Status Overlay(const std::string& upper, const std::string& lower,
                     const std::string& target) {
  std::string options = absl::StrCat("lowerdir=", EscapeColons(upper), ":", EscapeColons(lower));
  if (mount("vgpu", target.c_str(), "overlay", MS_RDONLY | kQuiet, options.c_str()) != 0) {
    return Refused("cannot be overlaid", target);
  }
  return absl::OkStatus();
}

absl::Status BindChildren(const ViewMount& mount, const std::string& tree_root) {
  for (const std::string& child : mount.children) {
    // As the host has it: who may write there may do so here.
    std::string path = absl::StrCat("/", mount.path, "/", child);
    if (absl::Status bound = BindPlainly(path, absl::StrCat(tree_root, path)); !bound.ok()) {
      return bound;
    }
  }
  return absl::OkStatus();
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return Refused("cannot be opened", path);
  ssize_t written = write(file, text.data(), text.size());
  absl::Status status = written == static_cast<ssize_t>(text.size())
                            ? absl::OkStatus()
                            : Refused("cannot be written", path);
  close(file);
  return status;
}

// CAP_SYS_ADMIN in a user namespace of our own, in which we are who we were.
absl::Status EnterUserNamespace() {
  uid_t user = geteuid();
  gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return absl::ErrnoToStatus(
        errno,
        "the kernel allows this user neither a mount namespace nor a user namespace "
        "(unshare(2); see kernel.unprivileged_userns_clone, kernel.apparmor_restrict_"
        "unprivileged_userns and user.max_user_namespaces): run vgpu-run as root, or use vgpu-run "
        "--notify, or preload libvgpu-syscall.so");
  }
  // user_namespaces(7): without this a gid_map of one's own may not be written.
  if (absl::Status denied = WriteText("/proc/self/setgroups", "deny"); !denied.ok()) return denied;
  if (absl::Status users = WriteText("/proc/self/uid_map", absl::StrCat(user, " ", user, " 1\n"));
      !users.ok()) {
    return users;
  }
  return WriteText("/proc/self/gid_map", absl::StrCat(group, " ", group, " 1\n"));
}

}  // namespace

absl::StatusOr<std::vector<ViewMount>> PlanView(const tree::Tree& tree, const tree::HostPci& host) {
  std::vector<ViewMount> plan;
  for (const std::string& path : tree.merged) {
    auto listed = host.directories.find(path);
    if (listed == host.directories.end()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "/", path,
          ": the host has no such directory, and a kernel's file system cannot get one: ",
          "preload libvgpu-syscall.so instead"));
    }
    ViewMount mount;
    mount.path = path;
    mount.kind = ViewMount::Kind::kOverlay;
    if (KeepsTheHosts(path)) {
      mount.kind = ViewMount::Kind::kBindWithHost;
      for (const auto& [name, node] : listed->second) {
        bool ours = std::find(tree.owned.begin(), tree.owned.end(),
                              absl::StrCat(path, "/", name)) != tree.owned.end();
        // A link is the tree's, as the host has it.
        if (!ours && node.target.empty()) mount.children.push_back(name);
      }
    }
    plan.push_back(std::move(mount));
  }
  for (const std::string& path : tree.owned) {
    // One that the host has not is shown by the mount of the directory that it is in.
    if (HostHas(host, path)) plan.push_back({ViewMount::Kind::kBind, path, {}});
  }
  return plan;
}

absl::Status MountView(const std::vector<ViewMount>& plan, const std::string& tree_root,
                       const std::string& target_root) {
  for (const ViewMount& mount : plan) {
    std::string source = absl::StrCat(tree_root, "/", mount.path);
    std::string target = absl::StrCat(target_root == "/" ? "" : target_root, "/", mount.path);
    absl::Status status;
    switch (mount.kind) {
      case ViewMount::Kind::kBind:
        status = Bind(source, target);
        break;
      case ViewMount::Kind::kOverlay:
        status = Overlay(source, target, target);
        break;
      case ViewMount::Kind::kBindWithHost:
        status = BindChildren(mount, tree_root);
        if (status.ok()) status = Bind(source, target);
        break;
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string TreePath(const std::string& run_directory) {
  return absl::StrCat(run_directory, "/root");
}

std::string OverlayPath(const std::string& run_directory, const ViewMount& mount) {
  return absl::StrCat(run_directory, "/overlay/", absl::StrReplaceAll(mount.path, {{"/", "-"}}));
}

absl::Status MountForUnits(const std::vector<ViewMount>& plan, const std::string& run_directory) {
  std::string root = TreePath(run_directory);
  for (const ViewMount& mount : plan) {
    absl::Status status;
    if (mount.kind == ViewMount::Kind::kOverlay) {
      std::string target = OverlayPath(run_directory, mount);
      std::error_code error;
      fs::create_directories(target, error);
      status = error ? absl::UnavailableError(absl::StrCat(target, ": ", error.message()))
                     : Overlay(absl::StrCat(root, "/", mount.path), absl::StrCat("/", mount.path),
                               target);
    } else if (mount.kind == ViewMount::Kind::kBindWithHost) {
      status = BindChildren(mount, root);
    }
    if (!status.ok()) {
      // The first failure is the one to tell of.
      (void)UnmountForUnits(run_directory);
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status UnmountForUnits(const std::string& run_directory) {
  std::error_code error;
  fs::path whole = fs::canonical(run_directory, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  if (error) return absl::UnavailableError(absl::StrCat(run_directory, ": ", error.message()));
  // Every mount below it, the last one made first. A path in mountinfo has its spaces as \040,
  // and ours have none.
  std::vector<std::string> mounts;
  std::ifstream mountinfo("/proc/self/mountinfo");
  for (std::string line; std::getline(mountinfo, line);) {
    std::vector<std::string> words;
    for (size_t start = 0, end; start < line.size() && words.size() < 5; start = end + 1) {
      end = std::min(line.find(' ', start), line.size());
      words.push_back(line.substr(start, end - start));
    }
    if (words.size() == 5 && absl::StartsWith(words[4], absl::StrCat(whole.string(), "/"))) {
      mounts.push_back(words[4]);
    }
  }
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (umount2(mount->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return Refused("cannot be unmounted", *mount);
    }
  }
  fs::remove_all(whole, error);
  if (error) return absl::UnavailableError(absl::StrCat(run_directory, ": ", error.message()));
  return absl::OkStatus();
}

absl::Status EnterView(const device::Configuration& configuration) {
  std::error_code error;
  fs::path working = fs::current_path(error);
  if (unshare(CLONE_NEWNS) != 0) {
    if (errno != EPERM) return absl::ErrnoToStatus(errno, "unshare(CLONE_NEWNS)");
    if (absl::Status entered = EnterUserNamespace(); !entered.ok()) return entered;
  }
  // What the host mounts later still arrives; what we mount stays here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return Refused("cannot be made a slave mount", "/");
  }
  absl::StatusOr<tree::HostPci> host = tree::ReadHostPci("/");
  if (!host.ok()) return host.status();
  tree::Tree tree = tree::MakeTree(configuration, *host);
  absl::StatusOr<std::vector<ViewMount>> plan = PlanView(tree, *host);
  if (!plan.ok()) return plan.status();

  const auto* scratch =
      std::find_if(std::begin(kScratch), std::end(kScratch), [](const char* path) {
        std::error_code ignored;
        return fs::is_directory(path, ignored);
      });
  if (scratch == std::end(kScratch)) {
    return absl::FailedPreconditionError("/tmp, /mnt, /run and /var: none is a directory");
  }
  if (mount("vgpu", *scratch, "tmpfs", kQuiet, "mode=0755,size=16m") != 0) {
    return Refused("a tmpfs cannot be mounted", *scratch);
  }
  std::string root = absl::StrCat(*scratch, "/root");
  if (absl::Status written = tree::WriteTree(tree, root); !written.ok()) return written;
  if (absl::Status mounted = MountView(*plan, root, "/"); !mounted.ok()) return mounted;
  // The mounts keep what they need of it.
  if (umount2(*scratch, MNT_DETACH) != 0) return Refused("cannot be uncovered", *scratch);
  // Where it was is perhaps under a mount of ours now.
  if (!working.empty() && chdir(working.c_str()) != 0) {
    return Refused("cannot be entered again", working.string());
  }
  return absl::OkStatus();
}

}  // namespace vgpu::run
