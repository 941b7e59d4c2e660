// A time on the command line, in the words of `journalctl --since`.

#ifndef TOOLS_VGPU_DOCTOR_TIME_ARGUMENT_H_
#define TOOLS_VGPU_DOCTOR_TIME_ARGUMENT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vgpu::doctor {

// "2026-02-24T10:06:00-05:00", "2026-02-24 10:06:00", "2026-02-24 10:06", "2026-02-24",
// "10:06" (of the day of `now`), "today", "yesterday", "now", "-2h" and "2h ago" (also
// s, min, d, w), "@1771945560". Without a zone: in `zone`. InvalidArgument otherwise; the
// message says which forms there are.
absl::StatusOr<absl::Time> ParseTimeArgument(absl::string_view text, absl::Time now,
                                             absl::TimeZone zone);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_TIME_ARGUMENT_H_
