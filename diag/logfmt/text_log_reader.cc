#include "diag/logfmt/text_log_reader.h"

#include "absl/strings/strip.h"

namespace vgpu::logfmt {

absl::StatusOr<TextLogReader> TextLogReader::Create(absl::Span<const absl::string_view> needles) {
  absl::StatusOr<NeedleSet> set = NeedleSet::Create(needles);
  if (!set.ok()) return set.status();
  return TextLogReader(*std::move(set));
}

ScanSummary TextLogReader::Read(host::ByteSource& source, OnLine on_line,
                                const ScanOptions& options) const {
  return ScanLines(source, needles_, options, [&](const Line& line) {
    on_line(absl::StripSuffix(line.text, "\r"), line.number);
  });
}

}  // namespace vgpu::logfmt
