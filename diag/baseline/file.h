// A baseline as a file: JSON of the form "vgpu-doctor.baseline/1" (baseline.schema.json).
//
//   std::string text = WriteBaseline(snapshot);
//   absl::StatusOr<Snapshot> baseline = ReadBaseline(text);     // that of yesterday, or of 2026
//
// A key that this program does not know is passed over: a newer program of the same schema wrote
// it. What is written holds no PID. Pure functions; thread-safe; bounded by the length of the text.

#ifndef DIAG_BASELINE_FILE_H_
#define DIAG_BASELINE_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/baseline/snapshot.h"

namespace vgpu::baseline {

inline constexpr char kSchema[] = "vgpu-doctor.baseline/1";
// A longer file is no baseline.
inline constexpr size_t kMaxFile = size_t{16} << 20;

std::string WriteBaseline(const Snapshot& snapshot);

// Errors are INVALID_ARGUMENT, and say what the text is instead.
absl::StatusOr<Snapshot> ReadBaseline(absl::string_view text);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_FILE_H_
