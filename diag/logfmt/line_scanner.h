// Picks the interesting lines out of a log of any size, in bounded memory and about as
// fast as the log can be read.
//
//   absl::StatusOr<NeedleSet> needles = NeedleSet::Create({"inference compute"});
//   ScanSummary summary = ScanLines(*source, *needles, {}, [](const Line& line) {
//     Use(line.number, line.text);
//   });
//   if (!summary.status.ok()) ...  // the rest could not be read; what came before stands
//
// Lines end at '\n' and at nothing else: a NUL, a '\r' or invalid UTF-8 are bytes of the
// line. The text behind the last newline is a line too.
//
// Holds one block of the stream and the longest line that it keeps: about max_line +
// 2 * kBlockSize bytes. Safe from any thread with a source of its own.

#ifndef DIAG_LOGFMT_LINE_SCANNER_H_
#define DIAG_LOGFMT_LINE_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/logfmt/needle_set.h"

namespace vgpu::logfmt {

struct Line {
  absl::string_view text;  // without its newline; valid during the call only
  uint64_t number = 0;     // 1 for the first
  // It is longer than ScanOptions::max_line; `text` is its beginning. Needles are
  // looked for in that part alone.
  bool cut = false;
};

struct ScanOptions {
  size_t max_line = size_t{1} << 20;
};

struct ScanSummary {
  absl::Status status;    // not OK: the source failed there
  uint64_t bytes = 0;     // read
  uint64_t lines = 0;     // all of them, the unfinished last one too
  uint64_t matched = 0;   // that were reported
  uint64_t overlong = 0;  // that were cut, reported or not
  // The first line, and the last one that a newline ends: the window that the log
  // covers. Where no newline ends any, both are that one line.
  std::string first;
  std::string last;
  // The stream does not end with a newline: its last line may be half of one.
  bool unfinished = false;
};

// Calls `on_line` for every line that holds a needle, in order.
ScanSummary ScanLines(host::ByteSource& source, const NeedleSet& needles,
                      const ScanOptions& options, absl::FunctionRef<void(const Line&)> on_line);

// Fits the second-level cache, where a block is read, searched and counted.
inline constexpr size_t kBlockSize = size_t{1} << 18;

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_LINE_SCANNER_H_
