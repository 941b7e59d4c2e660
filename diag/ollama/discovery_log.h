// Discovery, read from a log: its starts of the server (server_start.h), and how they
// ended.
//
//   absl::StatusOr<DiscoveryLog> log = ReadJournal(*source, "journalctl -u ollama.service");
//   const ServerStart* start = log->StartOf({.invocation = id, .pid = 57290});
//   if (start != nullptr && start->Result() != nullptr && start->Result()->on_gpu()) ...
//
// Only lines that speak of discovery are kept (messages.h), and only the latest starts.
// Memory is bounded whatever the log's size. Values; thread-compatible.

#ifndef DIAG_OLLAMA_DISCOVERY_LOG_H_
#define DIAG_OLLAMA_DISCOVERY_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/ollama/server_start.h"

namespace vgpu::ollama {

struct DiscoveryLog {
  std::string source;  // a path, or the command that prints it
  bool is_journal = false;
  std::string unit;     // the service that a pasted journal is about; empty: not said
  absl::Status status;  // not OK: reading ended there; what came before stands
  uint64_t lines = 0;
  uint64_t malformed = 0;  // lines that looked interesting and could not be read
  // The time that the log covers. Absent: the log is empty.
  host::Observed<absl::Time> first = host::Absent{};
  host::Observed<absl::Time> last = host::Absent{};
  std::vector<ServerStart> starts;  // the latest kMaxStarts, in order
  uint64_t starts_seen = 0;
  std::vector<Exit> exits;  // the latest kMaxExits, in order
  uint64_t exits_seen = 0;
  std::vector<LogLine> restarts;  // systemd's, the latest kMaxExits
  // What systemd says that it ignores of the unit or cannot set up, the latest kMaxExits.
  std::vector<LogLine> unit_problems;

  struct Process {
    std::string invocation = {};
    host::Observed<int> pid = host::Absent{};
    host::Observed<absl::Time> started = host::Absent{};
  };
  // The start that is this process: by invocation, else by pid at or after its start,
  // else, in a log that knows neither, the last one that began then. Null where the
  // log does not show it.
  const ServerStart* StartOf(const Process& process) const;
};

inline constexpr size_t kMaxStarts = 64;
inline constexpr size_t kMaxExits = 64;

// Lines from before `since` are left out, where a line tells its time.

// `journalctl -o json`. Errors: it is something else.
absl::StatusOr<DiscoveryLog> ReadJournal(host::ByteSource& source, std::string name,
                                         absl::Time since = absl::InfinitePast());

// Plain text: a file that a unit redirects standard error to. `time_zone` is that of
// the process, for lines that name none.
DiscoveryLog ReadTextLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone,
                         absl::Time since = absl::InfinitePast());

// A log in any form that people paste (diag/journal/pasted_log.h).
DiscoveryLog ReadPastedLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone,
                           absl::Time since = absl::InfinitePast());

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_DISCOVERY_LOG_H_
