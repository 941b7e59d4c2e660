// The cgroups of a process, for another one to join: that of version 2, in which systemd keeps a
// service and to which its list of devices is attached, and version 1's of the devices.
//
//   const Cgroups cgroups = Cgroups::Of(57290);
//   if (fork() == 0) { cgroups.Join(); ... }
//
// What joins counts as the service's from then on: where that could harm the service (little is
// left of its memory or its tasks) or the joiner (the service is frozen), it is not joined.
//
// Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_VERIFY_CGROUP_H_
#define TOOLS_VGPU_DOCTOR_VERIFY_CGROUP_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "diag/host/file_io.h"

namespace vgpu::doctor {

class Cgroups {
 public:
  Cgroups() = default;
  // Tried once, by a child that ends at once: what is promised here has been done.
  static Cgroups Of(int pid);

  // In a child, before it enters a namespace. All that it starts afterwards is there too.
  absl::Status Join() const;

  // Those that Join joins: "/system.slice/ollama.service".
  const std::vector<std::string>& paths() const { return paths_; }
  // Why one of them is not among these. Empty: all are, or the caller is there already.
  const std::string& why_not() const { return why_not_; }

 private:
  std::vector<host::Fd> procs_;  // cgroup.procs of each
  std::vector<std::string> paths_;
  std::string why_not_;
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_VERIFY_CGROUP_H_
