// Reads what `journalctl -o json` prints, of any size, and picks the interesting
// entries.
//
//   auto reader = JournalReader::Create({"inference compute", "failure during GPU discovery"});
//   absl::StatusOr<JournalSummary> summary =
//       reader->Read(*source, [](const JournalEntry& entry, uint64_t line) { ... });
//
// An entry is interesting if its line holds a needle, as text. A message that journalctl
// gave as byte values (it holds a control character, such as a terminal's colours) is
// decoded and then searched. Only such lines are parsed; the others cost one look at
// memory speed.
//
// A value, immutable after Create; safe from any thread with a source of its own.
// Memory: see diag/logfmt/line_scanner.h.

#ifndef DIAG_JOURNAL_JOURNAL_READER_H_
#define DIAG_JOURNAL_JOURNAL_READER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/journal/journal_entry.h"
#include "diag/logfmt/line_scanner.h"
#include "diag/logfmt/needle_set.h"

namespace vgpu::journal {

// One end of the time that a journal covers.
struct JournalMoment {
  host::Observed<absl::Time> time;
  std::string boot_id;
};

struct JournalSummary {
  absl::Status status;      // not OK: the source failed there; what came before stands
  uint64_t bytes = 0;       // read
  uint64_t lines = 0;       // that is: entries, if all is well
  uint64_t reported = 0;    // entries given to the callback
  uint64_t malformed = 0;   // lines with a needle that are no entry
  uint64_t overlong = 0;    // lines longer than the limit; with a needle, malformed too
  bool unfinished = false;  // the last line has no newline: the stream may be cut
  // Absent: an empty journal. Not observed: that line is no entry.
  host::Observed<JournalMoment> first = host::Absent{};
  host::Observed<JournalMoment> last = host::Absent{};
};

class JournalReader {
 public:
  // `entry` is valid during the call; `line` is 1 for the first.
  using OnEntry = absl::FunctionRef<void(const JournalEntry& entry, uint64_t line)>;

  // A needle must be printable ASCII without '"' and '\', which JSON writes in another
  // form: `inference compute`, not `msg="inference compute"`. Other errors are those of
  // NeedleSet::Create.
  static absl::StatusOr<JournalReader> Create(absl::Span<const absl::string_view> needles);

  // InvalidArgument: not one line that was looked at is an entry: this is something
  // else than `journalctl -o json`. An empty stream is an empty journal.
  absl::StatusOr<JournalSummary> Read(host::ByteSource& source, OnEntry on_entry,
                                      const logfmt::ScanOptions& options = {}) const;

 private:
  JournalReader(logfmt::NeedleSet needles, logfmt::NeedleSet with_byte_messages)
      : needles_(std::move(needles)), with_byte_messages_(std::move(with_byte_messages)) {}

  logfmt::NeedleSet needles_;
  logfmt::NeedleSet with_byte_messages_;  // those, and the marks of a message in bytes
};

}  // namespace vgpu::journal

#endif  // DIAG_JOURNAL_JOURNAL_READER_H_
