// The place of a process: what the kernel gives it, so that another program can be run with
// the same. Its user, groups and capabilities, its namespaces, root and working directory,
// limits, umask and no_new_privs, and its cgroup (cgroup.h).
//
//   absl::StatusOr<Place> place = Place::Of(*facts.process);
//   if (fork() == 0) { place->Enter(); ... }
//
// All is read below /proc, but for filters of system calls: the kernel shows them to a tracer
// alone, for which one thread of the process stops for a moment, as under strace, and goes on.
// That is done only where the process has filters that the caller has not. What cannot be taken
// over (the security module's label, filters that cannot be read) is named.
//
// A Place keeps file descriptors of the process's namespaces: they are its own even where the
// process ends meanwhile. Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_PLACE_H_
#define TOOLS_VGPU_DOCTOR_PLACE_H_

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/facts/access.h"
#include "diag/facts/facts.h"
#include "diag/host/file_io.h"
#include "diag/probe/probe.h"
#include "tools/vgpu_doctor/verify/cgroup.h"

namespace vgpu::doctor {

class Place {
 public:
  // Errors: the process is gone, or the caller may not look at it, or could not become it; or it
  // is not what `process` says any more. The environment and the program that are run in a place
  // come from `process`, and whoever chose them must be who has the rights of the place: by
  // execve(2) of a program with a set-user-ID bit, an ordinary user's process has root's.
  static absl::StatusOr<Place> Of(const facts::ProcessFacts& process);
  // Of a service that does not run: its user and groups, and nothing else.
  static absl::StatusOr<Place> OfUser(const facts::Identity& who);

  // In a child of fork(2), and before any other thread is started. Children that it forks
  // afterwards are in the process's PID namespace; it itself is not.
  absl::Status Enter() const;
  // Enter changes the PID namespace: the work must be done by a further child.
  bool new_pid_namespace() const { return pid_namespace_; }

  // What was and was not taken over, in words.
  const probe::Context& context() const { return context_; }
  // Why the cgroup is not taken over. Empty: it is, or the caller is in it.
  const std::string& why_not_its_cgroup() const { return cgroups_.why_not(); }

 private:
  struct Namespace {
    std::string name;  // "mnt"
    int kind = 0;      // CLONE_NEWNS
    host::Fd fd;
  };
  struct Capabilities {
    uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
    friend bool operator==(const Capabilities&, const Capabilities&) = default;
  };
  struct Limit {
    int resource = 0;
    rlimit value = {};
  };

  Place() = default;
  absl::Status ReadStatus(int pid, const std::string& proc, const std::string& status);
  absl::Status OpenNamespaces(const std::string& proc);
  absl::Status ReadLimits(const std::string& proc);
  // The filters of system calls, where `status` says that there are more than the caller's.
  void ReadFilters(int pid, absl::string_view status, absl::string_view own);
  absl::Status InstallFilters() const;
  // A container's root may make nodes of devices, and its cgroup keeps it from opening them: what
  // runs outside of that cgroup must make none.
  void GiveUpDeviceNodes();
  // The number by which the process's user namespace knows `id`.
  absl::Status TranslateIds(const std::string& proc);
  absl::Status BecomeUser() const;

  std::vector<Namespace> namespaces_;  // the user namespace is the last
  bool pid_namespace_ = false;
  bool user_namespace_ = false;
  Cgroups cgroups_;
  host::Fd root_, cwd_;
  uid_t uid_[3] = {};  // real, effective, saved
  gid_t gid_[3] = {};
  std::vector<gid_t> groups_;
  bool change_user_ = false;
  bool change_capabilities_ = false;
  Capabilities capabilities_;
  std::vector<Limit> limits_;
  int umask_ = -1;  // not known
  bool no_new_privs_ = false;
  std::vector<std::vector<sock_filter>> filters_;  // the oldest first
  probe::Context context_;
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_PLACE_H_
