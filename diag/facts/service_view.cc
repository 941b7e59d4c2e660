#include "diag/facts/service_view.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace vgpu::facts {
namespace {

using procfs::Mount;
using procfs::MountTable;
using systemd::MountSetting;

bool SameDevice(const Mount& a, const Mount& b) {
  return a.dev_major == b.dev_major && a.dev_minor == b.dev_minor;
}

std::string Below(absl::string_view path, absl::string_view dir) {
  if (dir == "/") dir = "";
  return std::string(path.substr(std::min(path.size(), dir.size())));
}

// systemd mounts these over what it makes inaccessible (namespace.c; mount-util.c,
// mode_to_inaccessible_node); in a container those that its manager made for it, in /run/host
// (nspawn-mount.c, systemd 247).
bool IsInaccessibleNode(const Mount& mount) {
  absl::string_view root = mount.root;
  absl::ConsumePrefix(&root, "/run");
  return absl::StartsWith(root, "/systemd/inaccessible/") ||
         absl::StartsWith(root, "/host/inaccessible/");
}

// Where the same directory of the file system stands in the host, so far as the table still
// shows the host's own mount of it: the one that holds the most of the file system.
std::string HostPathOf(const MountTable& mounts, const Mount& mount, absl::string_view path) {
  const Mount* best = nullptr;
  for (const Mount& other : mounts.mounts()) {
    if (&other == &mount || !SameDevice(other, mount)) continue;
    if (!systemd::IsWithin(mount.root, other.root)) continue;
    if (best == nullptr || other.root.size() < best->root.size()) best = &other;
  }
  if (best == nullptr) return "";
  const std::string dir = best->mount_point == "/" ? "" : best->mount_point;
  return absl::StrCat(dir, Below(mount.root, best->root), Below(path, mount.mount_point));
}

}  // namespace

Sight SeenByNextStart(const systemd::MountSettings& mounts, absl::string_view path) {
  Sight sight;
  sight.host_path = std::string(path);
  if (const MountSetting* exec = mounts.ExecutionAt(path)) {
    sight.noexec = exec->kind == MountSetting::Kind::kNoExec;
    if (sight.noexec) {
      sight.because = exec->written;
      sight.source = exec->place.file;
      sight.line = exec->place.line;
    }
  }
  const MountSetting* over = mounts.Over(path);
  if (over == nullptr) return sight;
  sight.because = over->written;
  sight.source = over->place.file;
  sight.line = over->place.line;
  if (over->kind != MountSetting::Kind::kBind) {
    sight.what = Sight::What::kHidden;
    sight.host_path.clear();
    return sight;
  }
  sight.host_path = absl::StrCat(over->source, Below(path, over->target));
  sight.what = sight.host_path == path ? Sight::What::kAsHost : Sight::What::kBound;
  return sight;
}

Sight SeenInTable(const MountTable& mounts, absl::string_view source, absl::string_view path) {
  Sight sight;
  sight.source = std::string(source);
  const Mount* mount = mounts.MountOf(path);
  if (mount == nullptr || !mounts.whole()) {
    sight.what = Sight::What::kUnknown;
    return sight;
  }
  sight.noexec = mount->noexec();
  sight.because =
      absl::StrCat(mount->root, " ", mount->mount_point, " ", absl::StrJoin(mount->options, ","),
                   " - ", mount->fs_type, " ", mount->source);
  if (IsInaccessibleNode(*mount)) {
    sight.what = Sight::What::kHidden;
    return sight;
  }
  sight.host_path = std::string(path);
  // A subvolume's root is none of the file system's, and no bind.
  if (mount->mount_point == "/" || mount->root == "/" || mount->fs_type == "btrfs") return sight;
  // A container has parts of /sys and /proc mounted where they belong.
  if ((mount->fs_type == "sysfs" && mount->mount_point == absl::StrCat("/sys", mount->root)) ||
      (mount->fs_type == "proc" && mount->mount_point == absl::StrCat("/proc", mount->root))) {
    return sight;
  }
  sight.host_path = HostPathOf(mounts, *mount, path);
  sight.what = sight.host_path == path   ? Sight::What::kAsHost
               : sight.host_path.empty() ? Sight::What::kUnknown
                                         : Sight::What::kBound;
  return sight;
}

Sight SeenByService(const UnitFacts& unit, const host::Observed<ProcessFacts>& process,
                    absl::string_view path) {
  Sight by_unit = SeenByNextStart(unit.mounts, path);
  if (!process.present() || !process->mounts.present()) return by_unit;
  const MountTable& mounts = *process->mounts;
  Sight sight = SeenInTable(mounts, process->mounts.source, path);
  // A file system of its own is the host's (a tmpfs on /tmp), or the unit's: the setting
  // that makes it tells.
  if (sight.what == Sight::What::kAsHost && by_unit.what != Sight::What::kAsHost) {
    const Mount* mount = mounts.MountOf(path);
    const MountSetting* over = unit.mounts.Over(path);
    if (mount != nullptr && over != nullptr && mount->mount_point == over->target) return by_unit;
  }
  // The unit's words say more than the table's.
  const bool agree = sight.what == by_unit.what ||
                     (sight.what == Sight::What::kUnknown && by_unit.what == Sight::What::kBound);
  if (agree && by_unit.what != Sight::What::kAsHost) {
    by_unit.noexec = sight.noexec;
    return by_unit;
  }
  if (agree && sight.noexec && by_unit.noexec) return by_unit;
  return sight;
}

}  // namespace vgpu::facts
