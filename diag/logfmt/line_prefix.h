// What stands before the message on a line of a log that people copy: journalctl's short
// forms, and what container runtimes put in front.
//
//   LinePrefix prefix = ParsePrefix(
//       "Feb 26 05:54:39 test10 systemd[1]: ollama.service: Main process exited, ...");
//   prefix.identifier                // "systemd"
//   line.substr(prefix.length)       // "ollama.service: Main process exited, ..."
//
// Known are journalctl -o short, short-precise, short-iso, short-iso-precise, short-full,
// with-unit, short-unix, short-monotonic and short-delta (systemd 252,
// src/shared/logs-show.c), with the month's name in any language of glibc's, `docker logs
// -t`, `docker compose logs`, and the CRI form of `/var/log/pods`.
//
// Pure functions; safe from any thread.

#ifndef DIAG_LOGFMT_LINE_PREFIX_H_
#define DIAG_LOGFMT_LINE_PREFIX_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace vgpu::logfmt {

// The year that stands for an unknown one: a leap year.
inline constexpr int kUnknownYear = 2000;

struct LinePrefix {
  size_t length = 0;       // bytes; 0: the line has none
  std::string identifier;  // "ollama", "systemd", "kernel"; empty: the form names none
  std::string unit;        // only with-unit names it
  std::optional<int> pid;
  std::optional<absl::Time> time;  // where the prefix has the zone too
  // Otherwise in the host's zone; its year may be kUnknownYear.
  std::optional<absl::CivilSecond> wall_time;
};

LinePrefix ParsePrefix(absl::string_view line);

// 1 to 12 for a month's short name in any language of the table, with or without its
// point; 0: not known.
int MonthOf(absl::string_view name);

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_LINE_PREFIX_H_
