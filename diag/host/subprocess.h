// Runs a standard tool (systemctl, journalctl) and takes what it prints.
//
// The tool gets a small environment of its own: no LD_PRELOAD or other setting of the
// caller reaches it, messages are in English and times in UTC. Its standard input is
// empty. It is given a time; when that is over, it and what it started are ended.

#ifndef DIAG_HOST_SUBPROCESS_H_
#define DIAG_HOST_SUBPROCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "diag/host/host.h"

namespace vgpu::host {

struct ProcessResult {
  std::string out;         // standard output, at most `limit` bytes
  std::string err;         // the first 4 KiB of standard error
  bool truncated = false;  // more output came than the limit allows
  int exit_status = 0;     // of exit(3), where it ended by itself
  int signal = 0;          // that ended it, else 0
};

// "exited with status 1: System has not been booted with systemd", "ended by signal 11".
std::string DescribeFailure(const ProcessResult& result);

// Errors: NOT_FOUND (no such program), DEADLINE_EXCEEDED, and what fork(2) says.
absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, size_t limit,
                                         absl::Duration timeout);

// The same as a stream. A Read after the deadline, or at the end of a process that
// failed, is an error that says so; what came before it stands.
absl::StatusOr<std::unique_ptr<ByteSource>> StreamProcess(const std::vector<std::string>& argv,
                                                          absl::Duration timeout);

}  // namespace vgpu::host

#endif  // DIAG_HOST_SUBPROCESS_H_
