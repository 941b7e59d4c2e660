// Reads a log that is plain text: standard error that a unit redirects to a file
// (StandardError=append:…), or a copy of journalctl's short form.
//
//   auto reader = TextLogReader::Create({"inference compute"});
//   ScanSummary summary = reader->Read(*source, [](absl::string_view line, uint64_t number) {
//     std::optional<SlogLine> slog = ParseSlog(line);
//   });
//
// A value, immutable after Create; safe from any thread with a source of its own.
// Memory: see line_scanner.h.

#ifndef DIAG_LOGFMT_TEXT_LOG_READER_H_
#define DIAG_LOGFMT_TEXT_LOG_READER_H_

#include <cstdint>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/host/host.h"
#include "diag/logfmt/line_scanner.h"
#include "diag/logfmt/needle_set.h"

namespace vgpu::logfmt {

class TextLogReader {
 public:
  // `line` comes without its line ending ("\n" or "\r\n") and is valid during the call.
  using OnLine = absl::FunctionRef<void(absl::string_view line, uint64_t number)>;

  // Errors: those of NeedleSet::Create.
  static absl::StatusOr<TextLogReader> Create(absl::Span<const absl::string_view> needles);

  // Calls `on_line` for every line that holds a needle, in order; an overlong line
  // comes cut.
  ScanSummary Read(host::ByteSource& source, OnLine on_line, const ScanOptions& options = {}) const;

 private:
  explicit TextLogReader(NeedleSet needles) : needles_(std::move(needles)) {}

  NeedleSet needles_;
};

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_TEXT_LOG_READER_H_
