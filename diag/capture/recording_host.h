// A host that stands before another one and writes down each look and its answer.
//
//   Record record;
//   RecordingHost recording(live, record);
//   facts::Gather(recording, options);      // record now holds all that Gather looked at
//
// What is captured is by construction what the judge reads: nothing is missing, and nothing
// is in it that nobody looked at. A second look at the same thing is answered as the first
// was, so that what is judged and what is captured are one moment.
//
// ELF files are not kept, only what they say of themselves; and of logs the newest part, with
// the lines before it that tell of discovery.
//
// Thread-compatible: one thread at a time. Both the host and the record have to outlive it.

#ifndef DIAG_CAPTURE_RECORDING_HOST_H_
#define DIAG_CAPTURE_RECORDING_HOST_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/logfmt/needle_set.h"

namespace vgpu::capture {

// Why what was there is not in a capture: a process that ended, a thread of the kernel's program.
inline constexpr char kWentAway[] = "went away while it was looked at";

// The newest lines of a stream, and of those before them the ones that hold a needle: a
// server that talked for days has said at its start what it found.
class LogTail {
 public:
  // Keeps about `limit` bytes of the newest lines, and a quarter of that of older ones.
  // `needles` has to outlive it.
  explicit LogTail(size_t limit, const logfmt::NeedleSet* needles = nullptr)
      : limit_(limit), needles_(needles) {}
  void Add(absl::string_view bytes);
  // The lines that were kept, in order, whole.
  std::string Text() const;
  uint64_t dropped() const { return dropped_; }  // bytes

  // The oldest line that is kept; empty: there is none.
  std::string First() const;

  bool ended = false;       // the whole stream was read
  bool is_elf = false;      // it is no log: its lines are not kept, but
  std::string sha256 = {};  // in hexadecimal; empty: it was not read whole
  std::string error = {};   // why the rest could not be read

 private:
  // Takes the oldest piece away, but for its lines with needles.
  void DropOldest();

  size_t limit_;
  const logfmt::NeedleSet* needles_;
  std::deque<std::string> pieces_;  // in whole lines, but for the last
  size_t kept_ = 0;
  std::deque<std::string> older_;  // lines with needles, each with its newline
  size_t older_kept_ = 0;
  uint64_t dropped_ = 0;
};

// The end of a file of which parts were read.
struct FileTail {
  uint64_t offset = 0;
  std::string bytes = {};
};

// The looks at one path, and their answers. Not set: nobody looked.
struct Looks {
  std::optional<host::Observed<host::FileMeta>> meta;
  std::optional<host::Observed<std::string>> target;
  std::optional<host::Observed<std::vector<std::string>>> names;
  std::optional<host::Observed<host::Content>> content;
  std::string left_out;          // why a content that was read is not kept
  std::shared_ptr<LogTail> log;  // read as a stream
  std::optional<FileTail> tail;  // read in parts, up to its end; no ELF file
  std::string why_not_opened;    // a stream, or a file of which parts are read
  std::string elf;               // the JSON object of files.jsonl; empty: none
};

struct Output {
  host::Observed<host::Content> content;
  std::shared_ptr<LogTail> log;  // a journal; then `content` is not used
  absl::Time since = absl::InfinitePast();
  // Of a journal of which more was asked for later: what was asked for first, which stands where
  // the longer one could not be read to its end.
  std::shared_ptr<LogTail> judged = {};
};

struct Record {
  std::map<std::string, Looks> paths;     // by resolved path
  std::map<std::string, Output> outputs;  // of tools, by their file in a capture
};

struct RecordLimits {
  size_t contents = size_t{64} << 20;  // of all files and outputs together
  size_t log = size_t{24} << 20;       // of one log
};

class RecordingHost : public host::Host {
 public:
  RecordingHost(const host::Host& host, Record& record, const RecordLimits& limits = {});

  Kind kind() const override { return host_.kind(); }
  bool running() const override { return host_.running(); }
  bool complete() const override { return host_.complete(); }
  host::Observed<std::string> hostname() const override { return host_.hostname(); }
  host::Observed<absl::Time> observed_at() const override { return observed_at_; }
  absl::TimeZone time_zone() const override { return host_.time_zone(); }
  host::Observed<std::string> unit() const override { return host_.unit(); }
  host::Observed<uint32_t> observer_uid() const override { return host_.observer_uid(); }
  std::vector<std::string> remarks() const override { return host_.remarks(); }
  host::Observed<std::string> RecordedElf(absl::string_view resolved_path) const override;
  host::Observed<host::Content> RunTool(const host::ToolQuery& query, size_t limit) const override;
  host::Observed<std::unique_ptr<host::ByteSource>> StreamTool(
      const host::ToolQuery& query) const override;

 protected:
  host::Observed<host::FileMeta> RawStat(const std::string& path) const override;
  host::Observed<std::string> RawReadLink(const std::string& path) const override;
  host::Observed<host::Content> RawRead(const std::string& path, size_t limit) const override;
  host::Observed<std::unique_ptr<host::ByteSource>> RawOpen(const std::string& path) const override;
  host::Observed<std::unique_ptr<host::RangeSource>> RawOpenRanges(
      const std::string& path) const override;
  host::Observed<std::vector<std::string>> RawList(const std::string& path) const override;

 private:
  std::shared_ptr<LogTail> NewLog() const;
  // Whether `size` more bytes may be kept; they are then counted.
  bool TakeRoom(size_t size) const;

  const host::Host& host_;
  Record& record_;
  RecordLimits limits_;
  host::Observed<absl::Time> observed_at_;
  absl::StatusOr<logfmt::NeedleSet> needles_;
  mutable size_t kept_ = 0;
};

}  // namespace vgpu::capture

#endif  // DIAG_CAPTURE_RECORDING_HOST_H_
