// /proc/PID/status: identity and confinement of a process. Readable by everyone, also
// where environ and maps are not.
//
//   absl::StatusOr<ProcessStatus> status = ParseProcessStatus(content.bytes);
//   if (status->seccomp.present() && *status->seccomp == 2) ...
//
// Lines come and go with kernels (NSpid 4.1, NoNewPrivs 4.10, Seccomp_filters 5.9): one
// that is missing or cannot be read is *not observed*, with the reason.
//
// A value type; thread-compatible.

#ifndef DIAG_PROCFS_STATUS_H_
#define DIAG_PROCFS_STATUS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::procfs {

struct ProcessStatus {
  // Real, effective, saved, file system.
  using Ids = std::array<uint32_t, 4>;

  std::string name;  // newlines and backslashes as they are, not escaped
  host::Observed<char> state;
  host::Observed<int32_t> ppid;
  host::Observed<Ids> uid;
  host::Observed<Ids> gid;
  host::Observed<std::vector<uint32_t>> groups;  // supplementary
  host::Observed<uint32_t> threads;
  host::Observed<bool> no_new_privs;
  host::Observed<uint32_t> seccomp;          // 0 none, 1 strict, 2 filter
  host::Observed<uint32_t> seccomp_filters;  // how many
  // The process id in each pid namespace, the reader's first. More than one: the process
  // lives in a container, where it calls itself by the last.
  host::Observed<std::vector<int32_t>> ns_pids;
};

// An error where the text does not begin as this file does, with Name. A last line that is not
// ended was cut, and is left out.
absl::StatusOr<ProcessStatus> ParseProcessStatus(absl::string_view text);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_STATUS_H_
