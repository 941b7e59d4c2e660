// Reads a result of `vgpu-doctor verify` back: the form "vgpu-doctor.probe/1".
//
//   absl::StatusOr<probe::Result> result = ParseResult(content.bytes);
//
// The file comes from another machine: keys that are missing or of another type are left at
// their defaults, lists and texts are bounded, and comparisons and verdict are drawn anew from
// the steps, so that a file cannot say one thing and conclude another. Pure; thread-safe.

#ifndef DIAG_PROBE_PARSE_H_
#define DIAG_PROBE_PARSE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/probe/probe.h"

namespace vgpu::probe {

inline constexpr char kSchema[] = "vgpu-doctor.probe/1";

// An error where it is no JSON object, or of another schema: one line, for people.
absl::StatusOr<Result> ParseResult(absl::string_view text);

}  // namespace vgpu::probe

#endif  // DIAG_PROBE_PARSE_H_
