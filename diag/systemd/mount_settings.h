// What a unit's settings put in place of the host's files: Bind*Paths=,
// TemporaryFileSystem=, InaccessiblePaths= and their like, and the settings that stand for
// a fixed set of them (PrivateDevices=, ProtectHome=, PrivateTmp=, ProcSubset=).
//
//   MountSettings mounts = ReadMountSettings(unit, context);
//   const MountSetting* covers = mounts.Over("/opt/vgpu/lib/libvgpu-cuda.so");
//   if (covers != nullptr && covers->kind == MountSetting::Kind::kInaccessible) ...
//
// Read as load-fragment.c and namespace.c of systemd 252 do (config_parse_bind_paths,
// config_parse_temporary_filesystems, config_parse_namespace_path_strv); the colons of a
// bind are separators unless escaped or quoted (measured). A value; pure.

#ifndef DIAG_SYSTEMD_MOUNT_SETTINGS_H_
#define DIAG_SYSTEMD_MOUNT_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/systemd/effective_unit.h"
#include "diag/systemd/specifiers.h"

namespace vgpu::systemd {

struct MountSetting {
  enum class Kind {
    kBind,          // `source` of the host stands at `target`
    kEmpty,         // a new file system, with nothing of the host's in it
    kInaccessible,  // nobody opens it
    kReadOnly,
    kReadWrite,
    kNoExec,
    kExec,
  };
  Kind kind = Kind::kBind;
  std::string source;  // of a bind
  std::string target;
  // "-": where the path is not there, the setting is passed over. Otherwise the service
  // does not start (226/NAMESPACE).
  bool optional = false;
  // One of a set that systemd itself names, and passes over where the host lacks it.
  bool implied = false;
  std::string written;  // "BindReadOnlyPaths=/a:/b", "PrivateDevices=yes"
  Place place;

  bool HidesHost() const {
    return kind == Kind::kBind || kind == Kind::kEmpty || kind == Kind::kInaccessible;
  }
};

struct MountSettings {
  std::vector<MountSetting> settings;
  // What systemd says of the words that it ignores, in its words, and what was written.
  struct Ignored {
    std::string message;
    std::string written;
    Place place;
  };
  std::vector<Ignored> ignored;
  // Words that hold a specifier whose value is not known here.
  std::vector<Ignored> unknown;

  // The one that decides what stands at `path`: the longest target that holds it, among
  // those that hide what the host has there. Null: the host's file stands there. A path
  // should have no symbolic link in it.
  const MountSetting* Over(absl::string_view path) const;
  // The same for NoExecPaths= and ExecPaths=.
  const MountSetting* ExecutionAt(absl::string_view path) const;
};

MountSettings ReadMountSettings(const EffectiveUnit& unit, const SpecifierContext& context);

// `path` is `dir` or lies below it.
bool IsWithin(absl::string_view path, absl::string_view dir);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_MOUNT_SETTINGS_H_
