// /proc/PID/cgroup: which unit, and which container, a process belongs to.
//
//   absl::StatusOr<Cgroup> cgroup = ParseCgroup(content.bytes);
//   Observed<std::string> unit = cgroup->SystemdUnit();   // "ollama.service"
//
// One line per hierarchy: "0::PATH" for version 2, "ID:CONTROLLERS:PATH" for version 1,
// both on a hybrid host (cgroups(7)). Paths are relative to the reader's own cgroup
// namespace: read inside a container, they say little about the host.
//
// A value type; thread-compatible.

#ifndef DIAG_PROCFS_CGROUP_H_
#define DIAG_PROCFS_CGROUP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::procfs {

struct CgroupLine {
  uint32_t hierarchy = 0;   // 0: version 2
  std::string controllers;  // "cpu,cpuacct", "name=systemd"; empty for version 2
  std::string path;
  bool deleted = false;  // the group is gone; its process is a zombie, or was moved away
};

struct Container {
  std::string runtime;  // "docker", "podman", "containerd", "cri-o", "kubernetes", "lxc"
  std::string id;       // as the runtime names it: 64 hex digits, or the name for lxc

  friend bool operator==(const Container&, const Container&) = default;
};

class Cgroup {
 public:
  const std::vector<CgroupLine>& lines() const { return lines_; }
  size_t malformed_lines() const { return malformed_lines_; }

  // The last line is not ended: the text was cut. What such a text does not show (a unit, a
  // container) is not observed, and never absent.
  bool truncated() const { return truncated_; }

  // The path by which systemd tracks the process: that of version 2, or of the
  // hierarchy "name=systemd" where the former is the root. Not observed on a host that
  // has neither.
  host::Observed<std::string> SystemdPath() const;

  // The system manager's unit, as systemd finds it in that path (cg_path_get_unit,
  // systemd 252): the first component that is no slice. For a process of a user's
  // manager this is "user@1000.service", for a login "session-3.scope". Absent for a
  // process that stands in no unit.
  host::Observed<std::string> SystemdUnit() const;

  // The unit of a user's manager (cg_path_get_user_unit): "ollama.service" below
  // "user@1000.service/app.slice". Absent for a process of the system.
  host::Observed<std::string> UserUnit() const;

  // The container that the process runs in; the innermost, where they are nested. Absent
  // where no component of any path is called as a known runtime calls it: a runtime may
  // be told to call it otherwise.
  host::Observed<Container> InContainer() const;

 private:
  friend absl::StatusOr<Cgroup> ParseCgroup(absl::string_view text);

  std::vector<CgroupLine> lines_;
  size_t malformed_lines_ = 0;
  bool truncated_ = false;
};

// An error where no line is one of this file.
absl::StatusOr<Cgroup> ParseCgroup(absl::string_view text);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_CGROUP_H_
