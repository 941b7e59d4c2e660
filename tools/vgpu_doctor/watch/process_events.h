// The kernel's own news of processes: fork, exec and exit, as they happen (the process
// connector, Linux 2.6.15, include/uapi/linux/cn_proc.h). It is for root in the machine's
// first namespaces, and not in every kernel: without it a watcher must poll, and can miss
// how a process ended.
//
// Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_PROCESS_EVENTS_H_
#define TOOLS_VGPU_DOCTOR_WATCH_PROCESS_EVENTS_H_

#include <sys/types.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "diag/host/file_io.h"

namespace vgpu::doctor {

struct ProcessEvent {
  enum class Kind { kFork, kExec, kExit };
  Kind kind = Kind::kFork;
  pid_t pid = 0;     // a process, never a thread
  pid_t parent = 0;  // of a fork
  int status = 0;    // of an exit, as waitpid(2) gives it
};

class ProcessEvents {
 public:
  // Errors: why there are none here.
  static absl::StatusOr<std::unique_ptr<ProcessEvents>> Open();

  // Readable when there is news.
  int fd() const { return socket_.get(); }

  // All that has come since. `lost`: the kernel had more than the socket could hold.
  std::vector<ProcessEvent> Take(bool& lost);

 private:
  explicit ProcessEvents(host::Fd socket) : socket_(std::move(socket)) {}

  host::Fd socket_;
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_PROCESS_EVENTS_H_
