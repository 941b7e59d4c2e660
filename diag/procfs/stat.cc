#include "diag/procfs/stat.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

absl::Status Malformed(absl::string_view what, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("stat: ", what, ": ", Quoted(text)));
}

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text) {
  ProcessStat stat;
  // The name may hold spaces, parentheses and newlines, and nothing is escaped
  // (fs/proc/array.c, do_task_stat): it ends at the last parenthesis of the text.
  const size_t open = text.find(" (");
  const size_t close = text.rfind(") ");
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open + 2) {
    return Malformed("no command name in parentheses", text);
  }
  if (!ParseNumber(text.substr(0, open), &stat.pid)) return Malformed("no process id", text);
  stat.comm = std::string(text.substr(open + 2, close - open - 2));

  absl::string_view rest = text.substr(close + 2);
  const bool ended = absl::ConsumeSuffix(&rest, "\n");
  const absl::string_view fields = rest;
  const absl::string_view state = TakeField(&rest);
  if (state.size() != 1) return Malformed("field 3 (state) is not one letter", fields);
  stat.state = state[0];
  if (!ParseNumber(TakeField(&rest), &stat.ppid)) {
    return Malformed("field 4 (ppid) is not a number", fields);
  }
  for (int field = 5; field < 22; ++field) TakeField(&rest);
  if (!ParseNumber(TakeField(&rest), &stat.start_ticks)) {
    return Malformed("field 22 (starttime) is not a number", fields);
  }
  // A number that the end of the text cuts is another one.
  if (rest.empty() && !ended) return Malformed("the text ends with field 22 (starttime)", fields);
  return stat;
}

absl::Duration TicksToDuration(uint64_t ticks, uint64_t ticks_per_second) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (ticks_per_second == 0) ticks_per_second = 100;
  return absl::Seconds(static_cast<int64_t>(std::min(ticks, kMax))) /
         static_cast<int64_t>(std::min(ticks_per_second, kMax));
}

}  // namespace vgpu::procfs
