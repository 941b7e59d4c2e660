// The part of a journal from a time on, as `journalctl --since` begins it: with the first entry
// that is not older.

#ifndef DIAG_HOST_JOURNAL_TIME_H_
#define DIAG_HOST_JOURNAL_TIME_H_

#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/host.h"

namespace vgpu::host {

// When an entry of `journalctl -o json` was written; nothing where its line does not say.
std::optional<absl::Time> EntryTime(absl::string_view line);

// In bounded memory: an entry of more than a megabyte before the time comes is passed over.
std::unique_ptr<ByteSource> EntriesFrom(absl::Time from, std::unique_ptr<ByteSource> journal);

}  // namespace vgpu::host

#endif  // DIAG_HOST_JOURNAL_TIME_H_
