#include "diag/logfmt/line_scanner.h"

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

namespace vgpu::logfmt {
namespace {

constexpr size_t kNone = absl::string_view::npos;

// memchr finds the next newline of a log at tens of gigabytes per second: counting
// needs nothing cleverer.
uint64_t CountNewlines(absl::string_view text) {
  uint64_t count = 0;
  for (size_t i = text.find('\n'); i != kNone; i = text.find('\n', i + 1)) ++count;
  return count;
}

// The last newline of `text`, or npos. (string_view::rfind goes byte by byte.)
size_t LastNewline(absl::string_view text) {
  const void* found = text.empty() ? nullptr : memrchr(text.data(), '\n', text.size());
  if (found == nullptr) return kNone;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

class Scan {
 public:
  Scan(const NeedleSet& needles, size_t max_line, absl::FunctionRef<void(const Line&)> on_line)
      : needles_(needles),
        max_line_(max_line),
        buffer_(new char[max_line + kBlockSize]),
        on_line_(on_line) {}

  ScanSummary Run(host::ByteSource& source) {
    while (true) {
      // What is kept of an unfinished line is never more than the limit: there is room.
      absl::StatusOr<size_t> got = source.Read(buffer_.get() + size_, kBlockSize);
      if (!got.ok()) summary_.status = got.status();
      if (!got.ok() || *got == 0) break;
      summary_.bytes += *got;
      Take(*got);
    }
    Finish();
    return std::move(summary_);
  }

 private:
  // `size` further bytes stand behind the first size_ ones, which hold no newline.
  void Take(size_t size) {
    const size_t old_size = size_;
    size_ += size;
    const size_t newline = LastNewline(absl::string_view(buffer_.get() + old_size, size));
    const size_t begin = newline == kNone ? 0 : old_size + newline + 1;
    const absl::string_view lines(buffer_.get(), begin);
    if (size_ <= max_line_ && !dropping_) {
      TakeLines(lines);
    } else {
      TakeLinesOneByOne(lines);
    }
    // The unfinished line moves to the front; it is part of one block.
    if (begin > 0) {
      size_ -= begin;
      std::memmove(buffer_.get(), buffer_.get() + begin, size_);
    }
    if (dropping_) {
      size_ = 0;
    } else if (size_ > max_line_) {
      // Report it now and forget what comes until the newline.
      TakeLine(absl::string_view(buffer_.get(), max_line_), true);
      dropping_ = true;
      size_ = 0;
    }
  }

  // Whole lines, each with its newline, none overlong.
  void TakeLines(absl::string_view text) {
    if (text.empty()) return;
    if (summary_.lines == 0) summary_.first = std::string(text.substr(0, text.find('\n')));
    absl::string_view last = text.substr(0, text.size() - 1);
    last.remove_prefix(LastNewline(last) + 1);  // npos + 1 is 0
    summary_.last.assign(last.data(), last.size());

    while (!text.empty()) {
      const std::optional<NeedleSet::Match> match = needles_.Find(text);
      if (!match.has_value()) break;
      const size_t start = LastNewline(text.substr(0, match->position)) + 1;
      const size_t end = text.find('\n', match->position);
      summary_.lines += CountNewlines(text.substr(0, start)) + 1;
      Report(text.substr(start, end - start), false);
      text.remove_prefix(end + 1);
    }
    summary_.lines += CountNewlines(text);
  }

  // The same where a line may be overlong, or the first one be the end of one.
  void TakeLinesOneByOne(absl::string_view text) {
    while (!text.empty()) {
      const absl::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(line.size() + 1);
      if (std::exchange(dropping_, false)) continue;
      TakeLine(line.substr(0, max_line_), line.size() > max_line_);
    }
  }

  void TakeLine(absl::string_view line, bool cut) {
    if (++summary_.lines == 1) summary_.first = std::string(line);
    summary_.last.assign(line.data(), line.size());
    if (cut) ++summary_.overlong;
    if (needles_.Find(line).has_value()) Report(line, cut);
  }

  // `lines` counts this one already.
  void Report(absl::string_view line, bool cut) {
    ++summary_.matched;
    on_line_(Line{line, summary_.lines, cut});
  }

  void Finish() {
    summary_.unfinished = size_ > 0 || dropping_;
    if (size_ == 0) return;
    std::string last =
        summary_.lines > 0 ? std::move(summary_.last) : std::string(buffer_.get(), size_);
    TakeLine(absl::string_view(buffer_.get(), size_), false);
    summary_.last = std::move(last);
  }

  const NeedleSet& needles_;
  const size_t max_line_;
  const std::unique_ptr<char[]> buffer_;
  const absl::FunctionRef<void(const Line&)> on_line_;
  size_t size_ = 0;        // of the unfinished line at the buffer's front
  bool dropping_ = false;  // inside the rest of an overlong line
  ScanSummary summary_;
};

}  // namespace

ScanSummary ScanLines(host::ByteSource& source, const NeedleSet& needles,
                      const ScanOptions& options, absl::FunctionRef<void(const Line&)> on_line) {
  return Scan(needles, options.max_line, on_line).Run(source);
}

}  // namespace vgpu::logfmt
