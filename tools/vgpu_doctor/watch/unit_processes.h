// Which processes belong to a unit, cheap enough to be asked a thousand times a second: the
// control group that systemd keeps for it, one small file.
//
// A unit that does not run has no group yet; where it will be follows from its slice
// (systemd.slice(5)). Groups below it, which a unit with Delegate= may make, are not looked at.
//
// Values; thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_UNIT_PROCESSES_H_
#define TOOLS_VGPU_DOCTOR_WATCH_UNIT_PROCESSES_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::doctor {

// "system-llm.slice" -> "/system.slice/system-llm.slice"; "-.slice" -> "".
std::string PathOfSlice(absl::string_view slice);

class UnitProcesses {
 public:
  explicit UnitProcesses(std::string file) : file_(std::move(file)) {}

  // Errors: systemd does not answer, it knows no such unit, or no control groups are mounted.
  static absl::StatusOr<UnitProcesses> Find(const std::string& unit);

  // Those that live now; none where the unit does not run.
  std::vector<pid_t> Now() const;

  const std::string& file() const { return file_; }

 private:
  std::string file_;  // cgroup.procs
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_UNIT_PROCESSES_H_
