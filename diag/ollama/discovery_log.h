// Discovery, read from a log: what each start of the server said about it, and how the
// starts ended.
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
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/ollama/messages.h"

namespace vgpu::ollama {

// One line of the log that is kept.
struct LogLine {
  Event event = Event::kNone;
  uint64_t number = 0;              // of the line in the log, 1 for the first
  host::Observed<absl::Time> time;  // when it was written
  std::string text;                 // the message; at most kMaxText bytes
};

// `bootstrap discovery took`: one child of discovery.
struct Pass {
  LogLine line;
  host::Observed<absl::Duration> duration;
  std::vector<std::string> library_dirs;
  bool second = false;  // it selected the device by its id
};

// `inference compute`: the result.
struct Compute {
  LogLine line;
  std::string id, library, compute, name, description, pci_id, driver, total;
  bool on_gpu() const;   // library is not "cpu"
  bool on_cuda() const;  // "CUDA" (B, C) or "cuda" (A)
};

// How the main process ended, in systemd's words: "dumped", "11/SEGV".
struct Exit {
  LogLine line;
  std::string code;
  std::string status;
};

// One start of the service, as far as the log shows it.
struct ServerStart {
  std::string invocation;  // systemd's InvocationID; empty in a plain text log
  host::Observed<int> pid = host::NotObserved{"the log does not say"};
  host::Observed<absl::Time> first_seen = host::NotObserved{"the log does not say"};

  std::optional<LogLine> server_config;
  std::vector<std::pair<std::string, std::string>> config_env;  // of it
  std::optional<LogLine> listening;
  std::string version;  // of the listening line: "0.16.2"
  std::optional<LogLine> began;
  std::vector<Pass> passes;
  std::optional<LogLine> counted;
  std::optional<int> initial_count;
  std::vector<LogLine> verifying;
  std::vector<LogLine> filtered;
  std::vector<LogLine> failures;
  std::vector<LogLine> no_device;
  std::vector<LogLine> overrides;
  std::vector<LogLine> loader_errors;
  std::vector<Compute> results;
  std::optional<LogLine> vram;
  std::string total_vram;  // of it: "0 B"
  std::optional<Exit> exit;

  // The server's own first lines are in the log: what it said later is too.
  bool from_its_beginning() const { return server_config || listening; }
  // The last `inference compute` lines of this start decide, taken together: one
  // discovery prints one line for each device. Null where there is none.
  const Compute* Result() const;
};

struct DiscoveryLog {
  std::string source;  // a path, or the command that prints it
  bool is_journal = false;
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
inline constexpr size_t kMaxLines = 64;  // of one kind in one start
inline constexpr size_t kMaxText = 4096;

// `journalctl -o json`. Errors: it is something else.
absl::StatusOr<DiscoveryLog> ReadJournal(host::ByteSource& source, std::string name);

// Plain text: a file that a unit redirects standard error to. `time_zone` is that of
// the process, for lines that name none.
DiscoveryLog ReadTextLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_DISCOVERY_LOG_H_
