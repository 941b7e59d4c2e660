// Redacts what `journalctl -o json` printed, entry by entry.
//
// Of an entry the fields that a diagnosis reads stay, and of these the texts are redacted
// (report/redact.h) as they are meant: with JSON's escapes undone. A private key in PEM goes
// over several entries; its lines are left out. A line that is no entry stays a line that is
// none.

#ifndef DIAG_CAPTURE_REDACT_JOURNAL_H_
#define DIAG_CAPTURE_REDACT_JOURNAL_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::capture {

std::string RedactJournal(absl::string_view lines);

}  // namespace vgpu::capture

#endif  // DIAG_CAPTURE_REDACT_JOURNAL_H_
