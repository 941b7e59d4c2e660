// A ByteSource over bytes in memory, for tests, fuzzing and benchmarks.

#ifndef DIAG_LOGFMT_MEMORY_SOURCE_H_
#define DIAG_LOGFMT_MEMORY_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::logfmt {

class MemorySource : public host::ByteSource {
 public:
  // Delivers `text`, which must outlive it, in pieces of at most `piece` bytes; then
  // `end`, where it is an error.
  explicit MemorySource(absl::string_view text, size_t piece = absl::string_view::npos,
                        absl::Status end = absl::OkStatus())
      : text_(text), piece_(piece), end_(std::move(end)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = std::min({size, piece_, text_.size()});
    if (n == 0) {
      if (!end_.ok()) return end_;
      return size_t{0};
    }
    std::memcpy(buffer, text_.data(), n);
    text_.remove_prefix(n);
    return n;
  }

 private:
  absl::string_view text_;
  size_t piece_;
  absl::Status end_;
};

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_MEMORY_SOURCE_H_
