// Reads a log as people copy it into a ticket, in whatever form, line by line.
//
//   PastedSummary summary = ReadPastedLog(*source, [](const PastedLine& line) {
//     Use(line.number, line.identifier, line.text);
//   });
//
// Known forms, which may follow each other in one text:
//   - the lines of the program itself; standard error in a file; Windows' line ends, UTF-16
//     with its mark (what PowerShell's `>` writes)
//   - journalctl in every output form: short and its kin (diag/logfmt/line_prefix.h), cat,
//     verbose, export, json, json-pretty, json-sse, json-seq; without the explanations
//     that -x adds and the lines of its own ("-- Boot …", "lines 1-23")
//   - docker logs, with -t or without, docker compose, Docker's json-file, CRI
//   - code fences, quotation marks of mail ("> "), HTML entities, terminal colours, also
//     those that have lost their escape character
//   - a record that a terminal or a mail program broke into several lines, where that can be
//     told: inside a quoted value, or where the next line goes on with key=value
//
// Memory is bounded: one block, and one record of at most kMaxRecord bytes. Safe from any
// thread with a source of its own.

#ifndef DIAG_JOURNAL_PASTED_LOG_H_
#define DIAG_JOURNAL_PASTED_LOG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::journal {

inline constexpr size_t kMaxRecord = size_t{1} << 20;

struct PastedLine {
  uint64_t number = 0;     // of the physical line where it begins, 1 for the first
  std::string text;        // the message
  std::string identifier;  // who wrote it: "ollama", "systemd", "kernel"; empty: not said
  std::string unit;        // empty: not said
  std::string invocation;  // systemd's InvocationID; empty: not said
  std::optional<int> pid;
  // Not observed where the form has no time, or none that is whole: a year and a zone are
  // taken from a record of the same text that has them.
  host::Observed<absl::Time> time = host::NotObserved{"the line does not say"};
};

struct PastedSummary {
  absl::Status status;   // not OK: the source failed there; what came before stands
  uint64_t lines = 0;    // physical
  uint64_t joined = 0;   // lines that were the rest of the one before
  uint64_t cut = 0;      // lines longer than kMaxRecord, whose end was left out
  bool journal = false;  // some lines bear journalctl's prefix or are its records
};

PastedSummary ReadPastedLog(host::ByteSource& source,
                            absl::FunctionRef<void(const PastedLine&)> on_line);

}  // namespace vgpu::journal

#endif  // DIAG_JOURNAL_PASTED_LOG_H_
