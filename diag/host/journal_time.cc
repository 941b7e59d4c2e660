#include "diag/host/journal_time.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"

namespace vgpu::host {
namespace {

constexpr size_t kLongestEntry = size_t{1} << 20;

class From : public ByteSource {
 public:
  From(absl::Time from, std::unique_ptr<ByteSource> journal)
      : from_(from), journal_(std::move(journal)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    while (!begun_ && !ended_) {
      if (absl::Status status = Skip(); !status.ok()) return status;
    }
    if (at_ == kept_.size()) return ended_ ? size_t{0} : journal_->Read(buffer, size);
    const size_t n = std::min(size, kept_.size() - at_);
    std::memcpy(buffer, kept_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  // Reads on, and drops the entries that are too old.
  absl::Status Skip() {
    char more[16 << 10];
    const absl::StatusOr<size_t> n = journal_->Read(more, sizeof(more));
    if (!n.ok()) return n.status();
    kept_.append(more, *n);
    ended_ = *n == 0;
    for (size_t end; !begun_; kept_.erase(0, end)) {
      const size_t newline = kept_.find('\n');
      if (newline == std::string::npos && !ended_) break;
      end = newline == std::string::npos ? kept_.size() : newline + 1;
      const std::optional<absl::Time> time =
          cut_ ? std::nullopt : EntryTime(absl::string_view(kept_).substr(0, end));
      cut_ = false;
      begun_ = time && *time >= from_;
      if (begun_ || kept_.empty()) break;
    }
    if (!begun_ && kept_.size() > kLongestEntry) {
      kept_.clear();
      cut_ = true;
    }
    return absl::OkStatus();
  }

  const absl::Time from_;
  std::unique_ptr<ByteSource> journal_;
  std::string kept_;
  size_t at_ = 0;  // of kept_
  bool begun_ = false;
  bool cut_ = false;  // the entry that comes has lost its beginning
  bool ended_ = false;
};

}  // namespace

std::optional<absl::Time> EntryTime(absl::string_view line) {
  constexpr absl::string_view kKey = "\"__REALTIME_TIMESTAMP\"";
  const size_t key = line.find(kKey);
  if (key == absl::string_view::npos) return std::nullopt;
  line.remove_prefix(key + kKey.size());
  const size_t begin = line.find_first_not_of(" :\"");
  if (begin == absl::string_view::npos) return std::nullopt;
  line = line.substr(begin);
  int64_t microseconds = 0;
  if (!absl::SimpleAtoi(line.substr(0, line.find_first_not_of("0123456789")), &microseconds)) {
    return std::nullopt;
  }
  return absl::FromUnixMicros(microseconds);
}

std::unique_ptr<ByteSource> EntriesFrom(absl::Time from, std::unique_ptr<ByteSource> journal) {
  return std::make_unique<From>(from, std::move(journal));
}

}  // namespace vgpu::host
