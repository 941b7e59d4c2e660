// vgpu-run --notify: the virtual device for programs that no preloaded library reaches (static
// ones, Go's), where mounts are not allowed.
//
//   int status = RunSupervised(configuration, {"./static-program"}, environment);
//
// The command runs under a seccomp filter that asks this process, its parent, before each system
// call that takes a path (seccomp_unotify(2); Linux 5.14). What is not ours goes on as it was. For
// what is, the answer is made here: an open file of the synthetic tree is put into the command's
// table, so that reads, mappings and duplicates are the kernel's.
//
// What this way cannot do by nature:
//   - A path is read again by the kernel when a call goes on: this shows files, and bars nobody.
//   - Without CAP_SYS_ADMIN the command, and all that it starts, gains no privileges by
//     execve (no_new_privs).
//   - System calls of another architecture (32-bit programs), io_uring's opens, and
//     chdir into a directory that only the tree has, see the host.
//   - When this process is killed, every such call of the command fails with ENOSYS.
//
// The call returns when the command and all that it has started have ended: a child that goes on in
// the background needs its answers.

#ifndef TOOLS_VGPU_RUN_NOTIFY_H_
#define TOOLS_VGPU_RUN_NOTIFY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shims/device/device.h"

namespace vgpu::run {

// How the command ended, as waitpid(2) has it. SIGINT, SIGTERM, SIGHUP and SIGQUIT that are sent to
// this process are passed on. The process must have one thread. Errors: the kernel has no such
// filter, a listener is there already (a container's runtime, or vgpu-run itself), the tree cannot
// be written.
absl::StatusOr<int> RunSupervised(const device::Configuration& configuration,
                                  std::vector<std::string> command,
                                  std::vector<std::string> environment);

}  // namespace vgpu::run

#endif  // TOOLS_VGPU_RUN_NOTIFY_H_
