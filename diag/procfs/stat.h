// /proc/PID/stat: who a process is, and since when.
//
//   absl::StatusOr<ProcessStat> stat = ParseProcessStat(content.bytes);
//
// (pid, start_ticks) names a process for good; a pid alone is used again.
//
// A value type; thread-compatible. An error says what is wrong with the text.

#ifndef DIAG_PROCFS_STAT_H_
#define DIAG_PROCFS_STAT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vgpu::procfs {

struct ProcessStat {
  int32_t pid = 0;
  // The command name, as the kernel keeps it: at most 15 bytes, of any kind (a worker of
  // the kernel may have more).
  std::string comm;
  char state = '?';  // R S D Z T t X I ...: proc(5)
  int32_t ppid = 0;
  // Field 22: ticks from boot to the start of the process. The clock is the boot-time
  // clock, which goes on while the machine sleeps (since Linux 5.5).
  uint64_t start_ticks = 0;
};

absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text);

// Ticks as a time since boot, exactly. `ticks_per_second` is AT_CLKTCK of the auxiliary
// vector, or 100, which every Linux on x86-64 and arm64 has; 0 is taken for 100.
absl::Duration TicksToDuration(uint64_t ticks, uint64_t ticks_per_second = 100);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_STAT_H_
