// Files of /proc that speak of the whole host: when it booted, how long ago, and which
// modules its kernel has loaded.
//
//   absl::StatusOr<absl::Time> boot = ParseBootTime(stat.bytes);
//   absl::Time started = *boot + TicksToDuration(process.start_ticks);
//
// Pure functions; thread-safe.

#ifndef DIAG_PROCFS_SYSTEM_H_
#define DIAG_PROCFS_SYSTEM_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::procfs {

// The line btime of /proc/stat. Whole seconds, and it moves when the clock is set: two
// times that are made with it can be compared with each other, not to the second with
// the time of a log line.
absl::StatusOr<absl::Time> ParseBootTime(absl::string_view proc_stat);

// The first number of /proc/uptime: time since boot, sleep included, in hundredths.
absl::StatusOr<absl::Duration> ParseUptime(absl::string_view proc_uptime);

struct Modules {
  std::vector<std::string> names;  // in the order of the file: the last loaded first
  size_t malformed_lines = 0;
  bool truncated = false;  // the last line is not ended; it is left out

  // Not observed: it is not in a list that was not read whole.
  host::Observed<bool> Has(absl::string_view name) const;
};

// /proc/modules. What is built into the kernel is not in it. A name has underscores where
// modprobe also takes dashes. Without modules the file is empty; without support for them
// there is none. An error where there is a text and no line of it is one of this file.
absl::StatusOr<Modules> ParseModules(absl::string_view proc_modules);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_SYSTEM_H_
