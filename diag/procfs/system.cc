#include "diag/procfs/system.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {

absl::StatusOr<absl::Time> ParseBootTime(absl::string_view proc_stat) {
  const bool cut = IsCut(proc_stat);
  absl::string_view line;
  while (TakeLine(&proc_stat, &line)) {
    if (TakeField(&line) != "btime") continue;
    int64_t seconds = 0;
    // A number that the end of the text cuts is another one.
    if (proc_stat.empty() && cut) return absl::InvalidArgumentError("stat: btime is cut off");
    if (!ParseNumber(TakeField(&line), &seconds) || seconds < 0) {
      return absl::InvalidArgumentError("stat: btime is not a number");
    }
    return absl::FromUnixSeconds(seconds);
  }
  return absl::InvalidArgumentError("stat: no line btime");
}

absl::StatusOr<absl::Duration> ParseUptime(absl::string_view proc_uptime) {
  absl::string_view rest = proc_uptime.substr(0, proc_uptime.find('\n'));
  absl::string_view fraction = TakeField(&rest);
  const absl::string_view whole = TakeUntil('.', &fraction);
  uint32_t seconds = 0;
  uint32_t hundredths = 0;
  if (!ParseNumber(whole, &seconds) || fraction.size() != 2 ||
      !ParseNumber(fraction, &hundredths)) {
    return absl::InvalidArgumentError(
        absl::StrCat("uptime: not seconds with two decimals: ", Quoted(proc_uptime)));
  }
  return absl::Seconds(seconds) + absl::Milliseconds(10 * hundredths);
}

absl::StatusOr<Modules> ParseModules(absl::string_view proc_modules) {
  Modules modules;
  modules.truncated = IsCut(proc_modules);
  // npos + 1 is 0: there is no whole line.
  absl::string_view text = proc_modules.substr(0, proc_modules.rfind('\n') + 1);
  absl::string_view line;
  while (TakeLine(&text, &line)) {
    if (line.empty()) continue;
    // "nvidia_uvm 1589248 0 - Live 0x0000000000000000 (POE)": kernel/module/procfs.c
    const absl::string_view name = TakeField(&line);
    uint64_t size = 0;
    if (!ParseNumber(TakeField(&line), &size)) {
      ++modules.malformed_lines;
      continue;
    }
    modules.names.emplace_back(name);
  }
  if (modules.names.empty() && !proc_modules.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("modules: no line of a module: ", Quoted(proc_modules)));
  }
  return modules;
}

host::Observed<bool> Modules::Has(absl::string_view name) const {
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (truncated) return host::NotObserved{"modules: the text is cut off"};
  if (malformed_lines > 0) {
    return host::NotObserved{absl::StrCat("modules: ", malformed_lines, " lines are no module's")};
  }
  return false;
}

}  // namespace vgpu::procfs
