// One entry of the journal: a line of `journalctl -o json`.
//
//   absl::StatusOr<JournalEntry> entry = ParseJournalEntry(line);
//   if (entry.ok() && entry->message.present()) Use(*entry->message);
//
// Reads the line once and keeps the fields below; others are skipped, whatever they
// hold. As systemd writes it, a field is a string, an array of byte values (where it
// is not printable UTF-8), null (where it is longer than 4096 bytes and --all was not
// given), or an array of those (where the entry has the field several times). Plain
// numbers are accepted too.
//
// Pure; safe from any thread.

#ifndef DIAG_JOURNAL_JOURNAL_ENTRY_H_
#define DIAG_JOURNAL_JOURNAL_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::journal {

// Text fields are empty where the entry lacks them. Where it has one several times,
// the values stand one per line.
struct JournalEntry {
  host::Observed<absl::Time> realtime = host::Absent{};       // __REALTIME_TIMESTAMP
  host::Observed<absl::Duration> monotonic = host::Absent{};  // __MONOTONIC_TIMESTAMP, since boot
  std::string boot_id;                                        // _BOOT_ID

  // Not observed: journalctl left it out, as too long.
  host::Observed<std::string> message = host::Absent{};
  // MESSAGE was given as byte values: it holds what is not printable UTF-8.
  bool message_as_bytes = false;
  std::string message_id;           // MESSAGE_ID: systemd's kind of event
  std::optional<int64_t> priority;  // PRIORITY: 0 emergency to 7 debug

  // Who wrote it, as the journal saw.
  std::optional<int64_t> pid;      // _PID
  std::string comm;                // _COMM
  std::string identifier;          // SYSLOG_IDENTIFIER
  std::string systemd_unit;        // _SYSTEMD_UNIT
  std::string systemd_invocation;  // _SYSTEMD_INVOCATION_ID
  std::string transport;           // _TRANSPORT: stdout, journal, kernel, syslog, driver

  // What it is about, as the service manager says in its own entries.
  std::string unit;         // UNIT
  std::string invocation;   // INVOCATION_ID
  std::string exit_code;    // EXIT_CODE: exited, killed, dumped
  std::string exit_status;  // EXIT_STATUS: a number, or a signal's name
  std::string job_result;   // JOB_RESULT
  std::string code_func;    // CODE_FUNC
};

// InvalidArgument: "journal entry: byte 17: reason".
absl::StatusOr<JournalEntry> ParseJournalEntry(absl::string_view line);

}  // namespace vgpu::journal

#endif  // DIAG_JOURNAL_JOURNAL_ENTRY_H_
