#include "diag/capture/recording_host.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "diag/baseline/sha256.h"
#include "diag/elf/elf.h"
#include "diag/elf/elf_json.h"
#include "diag/host/capture_layout.h"
#include "diag/ollama/messages.h"

namespace vgpu::capture {
namespace {

using host::Absent;
using host::ByteSource;
using host::Content;
using host::FileMeta;
using host::NotObserved;
using host::Observed;
using host::RangeSource;

// Passes a stream on, and keeps its newest lines. What the reader leaves is read at the end.
class Tee : public ByteSource {
 public:
  Tee(std::unique_ptr<ByteSource> source, std::shared_ptr<LogTail> log)
      : source_(std::move(source)), log_(std::move(log)) {}
  ~Tee() override {
    char buffer[16 << 10];
    while (true) {
      const absl::StatusOr<size_t> n = Read(buffer, sizeof(buffer));
      if (!n.ok() || *n == 0) return;
    }
  }
  Tee(const Tee&) = delete;
  Tee& operator=(const Tee&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (log_->ended) return size_t{0};
    if (!log_->error.empty()) return absl::UnavailableError(log_->error);
    absl::StatusOr<size_t> n = source_->Read(buffer, size);
    if (!n.ok()) {
      log_->error = std::string(n.status().message());
    } else if (*n == 0) {
      log_->ended = true;
      if (log_->is_elf) log_->sha256 = absl::BytesToHexString(sum_.Finish());
    } else {
      // A library that is read whole, for its checksum.
      if (!begun_) log_->is_elf = elf::LooksLikeElf({buffer, *n});
      begun_ = true;
      if (log_->is_elf) {
        sum_.Add({buffer, *n});
      } else {
        log_->Add({buffer, *n});
      }
    }
    return n;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::shared_ptr<LogTail> log_;
  baseline::Sha256 sum_;
  bool begun_ = false;
};

// Passes parts of a file on, and keeps its end, where that is read.
class EndKeeper : public RangeSource {
 public:
  EndKeeper(std::unique_ptr<RangeSource> source, size_t limit, std::optional<FileTail>& tail)
      : source_(std::move(source)), limit_(limit), tail_(tail) {}

  uint64_t size() const override { return source_->size(); }
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const override {
    absl::StatusOr<std::string> part = source_->ReadAt(offset, length);
    const bool end = part.ok() && !part->empty() && offset + part->size() >= size();
    if (end && part->size() <= limit_ && (!tail_ || offset < tail_->offset)) {
      tail_ = FileTail{offset, *part};
    }
    return part;
  }

 private:
  std::unique_ptr<RangeSource> source_;
  const size_t limit_;
  std::optional<FileTail>& tail_;  // of the record
};

class Text : public ByteSource {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = std::min(size, text_.size() - at_);
    std::memcpy(buffer, text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

// Of what was read of a file with this limit, or a higher one.
Content FirstPart(const Content& whole, size_t limit) {
  if (whole.bytes.size() <= limit) return whole;
  return Content{whole.path, whole.bytes.substr(0, limit), true};
}

// Whether an answer tells all that a read of up to `limit` bytes would.
bool Answers(const Observed<Content>& known, size_t limit) {
  return !known.present() || !known->truncated || known->bytes.size() >= limit;
}

template <typename T>
Observed<std::unique_ptr<T>> WhyNot(const Observed<std::unique_ptr<T>>& answer) {
  if (answer.absent()) return Absent{};
  return Observed<std::unique_ptr<T>>(NotObserved{std::string(answer.why_not())});
}

// The ELF facts of a file. A program's build information is read too: megabytes.
elf::ElfInfo Facts(const RangeSource& file) {
  elf::ElfInfo info = elf::ReadElf(file);
  const bool program =
      info.interp.present() || info.pie.value_or(false) || info.type.value_or("") == "EXEC";
  return program ? elf::ReadElf(file, {.go_build = true}) : info;
}

}  // namespace

void LogTail::Add(absl::string_view bytes) {
  constexpr size_t kPiece = size_t{64} << 10;
  // A line of any length: what is longer is cut as if it were two.
  constexpr size_t kLongestPiece = size_t{1} << 20;
  while (!bytes.empty()) {
    if (pieces_.empty() || (pieces_.back().size() >= kPiece && pieces_.back().back() == '\n') ||
        pieces_.back().size() >= kLongestPiece) {
      pieces_.emplace_back();
    }
    // Up to the end of the line at which the piece is large enough.
    const size_t had = pieces_.back().size();
    const size_t newline = bytes.find('\n', had < kPiece ? kPiece - had : 0);
    const absl::string_view part = bytes.substr(
        0, std::min(newline == absl::string_view::npos ? newline : newline + 1, kLongestPiece));
    pieces_.back().append(part.data(), part.size());
    kept_ += part.size();
    bytes.remove_prefix(part.size());
  }
  while (kept_ > limit_ && pieces_.size() > 1) DropOldest();
}

void LogTail::DropOldest() {
  const std::string piece = std::move(pieces_.front());
  pieces_.pop_front();
  kept_ -= piece.size();
  for (absl::string_view rest = piece; !rest.empty();) {
    const size_t length = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (needles_ != nullptr && needles_->Find(rest.substr(0, length))) {
      older_.emplace_back(rest.substr(0, length));
      older_kept_ += length;
    } else {
      dropped_ += length;
    }
    rest.remove_prefix(length);
  }
  while (older_kept_ > limit_ / 4) {
    older_kept_ -= older_.front().size();
    dropped_ += older_.front().size();
    older_.pop_front();
  }
}

std::string LogTail::First() const {
  if (!older_.empty()) return older_.front();
  if (pieces_.empty()) return "";
  return pieces_.front().substr(0, pieces_.front().find('\n'));
}

std::string LogTail::Text() const {
  std::string text;
  text.reserve(older_kept_ + kept_);
  for (const std::string& line : older_) text += line;
  for (const std::string& piece : pieces_) text += piece;
  return text;
}

RecordingHost::RecordingHost(const host::Host& host, Record& record, const RecordLimits& limits)
    : host_(host), record_(record), limits_(limits), observed_at_(host.observed_at()), needles_([] {
        std::vector<absl::string_view> texts;
        for (const ollama::Message& message : ollama::Messages()) texts.push_back(message.text);
        return logfmt::NeedleSet::Create(texts);
      }()) {}

std::shared_ptr<LogTail> RecordingHost::NewLog() const {
  return std::make_shared<LogTail>(limits_.log, needles_.ok() ? &*needles_ : nullptr);
}

bool RecordingHost::TakeRoom(size_t size) const {
  if (size > limits_.contents - kept_) return false;
  kept_ += size;
  return true;
}

Observed<FileMeta> RecordingHost::RawStat(const std::string& path) const {
  Looks& looks = record_.paths[path];
  if (!looks.meta) looks.meta = host_.RawStat(path);
  return *looks.meta;
}

Observed<std::string> RecordingHost::RawReadLink(const std::string& path) const {
  Looks& looks = record_.paths[path];
  if (!looks.target) looks.target = host_.RawReadLink(path);
  return *looks.target;
}

Observed<std::vector<std::string>> RecordingHost::RawList(const std::string& path) const {
  Looks& looks = record_.paths[path];
  if (!looks.names) looks.names = host_.RawList(path);
  return *looks.names;
}

Observed<Content> RecordingHost::RawRead(const std::string& path, size_t limit) const {
  Looks& looks = record_.paths[path];
  if (looks.content && Answers(*looks.content, limit)) {
    return looks.content->Map([&](const Content& whole) { return FirstPart(whole, limit); });
  }
  Observed<Content> answer = host_.RawRead(path, limit);
  const size_t had = looks.content && looks.content->present() ? (*looks.content)->bytes.size() : 0;
  if (answer.present() && !TakeRoom(answer->bytes.size() - std::min(had, answer->bytes.size()))) {
    looks.left_out =
        absl::StrCat("left out: the capture would be larger than ", limits_.contents >> 20, " MiB");
    return answer;
  }
  looks.content = answer;
  return answer;
}

Observed<std::unique_ptr<ByteSource>> RecordingHost::RawOpen(const std::string& path) const {
  using Source = std::unique_ptr<ByteSource>;
  Looks& looks = record_.paths[path];
  if (looks.log != nullptr && looks.log->ended && looks.log->dropped() == 0 && !looks.log->is_elf) {
    return Source(std::make_unique<Text>(looks.log->Text()));
  }
  Observed<Source> answer = host_.RawOpen(path);
  if (!answer.present()) {
    looks.why_not_opened = answer.absent() ? kWentAway : std::string(answer.why_not());
    return WhyNot(answer);
  }
  looks.log = NewLog();
  return Source(std::make_unique<Tee>(std::move(answer).value(), looks.log));
}

Observed<std::unique_ptr<RangeSource>> RecordingHost::RawOpenRanges(const std::string& path) const {
  Observed<std::unique_ptr<RangeSource>> answer = host_.RawOpenRanges(path);
  Looks& looks = record_.paths[path];
  if (answer.present()) {
    std::unique_ptr<RangeSource> source = std::move(answer).value();
    const absl::StatusOr<std::string> first = source->ReadAt(0, 4);
    // Of programs and libraries there are the facts.
    if (!first.ok() || elf::LooksLikeElf(*first)) return source;
    return Observed<std::unique_ptr<RangeSource>>(
        std::make_unique<EndKeeper>(std::move(source), limits_.log, looks.tail));
  }
  looks.why_not_opened = answer.absent() ? kWentAway : std::string(answer.why_not());
  return WhyNot(answer);
}

Observed<std::string> RecordingHost::RecordedElf(absl::string_view resolved_path) const {
  Looks& looks = record_.paths[std::string(resolved_path)];
  if (looks.elf.empty()) {
    Observed<std::string> recorded = host_.RecordedElf(resolved_path);
    if (recorded.not_observed()) return recorded;
    if (recorded.present()) {
      looks.elf = *recorded;
    } else {
      const auto file = host_.RawOpenRanges(std::string(resolved_path));
      // Who asks looks at the file next, and is told why it cannot be read.
      if (!file.present()) return Absent{};
      looks.elf = elf::ElfToJson(Facts(*file.value()));
    }
  }
  return looks.elf;
}

Observed<Content> RecordingHost::RunTool(const host::ToolQuery& query, size_t limit) const {
  const Observed<std::string> file = host::CaptureFileOf(query);
  if (!file.present()) return host_.RunTool(query, limit);
  const auto known = record_.outputs.find(*file);
  if (known != record_.outputs.end() && Answers(known->second.content, limit)) {
    return known->second.content.Map([&](const Content& all) { return FirstPart(all, limit); });
  }
  Observed<Content> answer = host_.RunTool(query, limit);
  Output& output = record_.outputs[*file];
  output.content = answer;
  if (answer.present() && !TakeRoom(answer->bytes.size())) {
    output.content = NotObserved{absl::StrCat("left out: the capture would be larger than ",
                                              limits_.contents >> 20, " MiB")};
  }
  return answer;
}

Observed<std::unique_ptr<ByteSource>> RecordingHost::StreamTool(
    const host::ToolQuery& query) const {
  using Source = std::unique_ptr<ByteSource>;
  const Observed<std::string> file = host::CaptureFileOf(query);
  if (!file.present()) return host_.StreamTool(query);
  const auto known = record_.outputs.find(*file);
  const bool have = known != record_.outputs.end() && known->second.log != nullptr;
  if (have && known->second.since == query.since && known->second.log->ended &&
      known->second.log->dropped() == 0) {
    return Source(std::make_unique<Text>(known->second.log->Text()));
  }
  Observed<Source> answer = host_.StreamTool(query);
  // What reaches further back is the better record. Of a capture, what is asked for without a
  // time is only what a check reads.
  const bool all_first = host_.kind() == Kind::kTree && have &&
                         known->second.since == absl::InfinitePast() &&
                         query.since != absl::InfinitePast();
  if (have && !all_first && query.since >= known->second.since) return answer;
  Output& output = record_.outputs[*file];
  output.since = query.since;
  if (have && output.log->ended && output.judged == nullptr) output.judged = output.log;
  if (!answer.present()) {
    output.content = answer.absent()
                         ? Observed<Content>(NotObserved{"there is no such log"})
                         : Observed<Content>(NotObserved{std::string(answer.why_not())});
    return WhyNot(answer);
  }
  output.log = NewLog();
  return Source(std::make_unique<Tee>(std::move(answer).value(), output.log));
}

}  // namespace vgpu::capture
