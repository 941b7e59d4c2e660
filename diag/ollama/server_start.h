// One start of the server, as far as a log shows it: what discovery said, step by step,
// and what came after it.
//
//   if (const Compute* result = start.Result(); result != nullptr && result->on_cuda() &&
//       start.LostLater() == nullptr) ...     // it found the GPU and kept it
//
// Lines of one kind stand in the order of the log; their numbers order them across kinds.
// Values; thread-compatible.

#ifndef DIAG_OLLAMA_SERVER_START_H_
#define DIAG_OLLAMA_SERVER_START_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"
#include "diag/logfmt/slog.h"
#include "diag/ollama/cuda_error.h"
#include "diag/ollama/era.h"
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

// A pass that failed, in the server's words.
struct Failure {
  enum class Why {
    kOther,
    kTimeout,  // the child did not answer within its time (30 s)
    kCrash,    // the child died
  };
  LogLine line;
  Why why = Why::kOther;
  std::string error;  // "failed to finish discovery before timeout"
  std::vector<std::string> library_dirs;
  bool second = false;
};

// How a child ended.
struct ChildEnd {
  LogLine line;
  std::string status;  // "exit status 127", "signal: segmentation fault"; may be empty
  std::vector<std::string> library_dirs;
};

// `inference compute`: the result.
struct Compute {
  LogLine line;
  int discovery = 0;  // lines of one discovery have the same number
  std::string id, library, compute, name, description, pci_id, driver, total;
  bool on_gpu() const;   // library is not "cpu"
  bool on_cuda() const;  // "CUDA" (B, C) or "cuda" (A)
};

struct CudaError {
  LogLine line;
  CudaErrorWords words;
  bool after_result = false;  // a model's runner said it, when discovery was over
  bool Is(int code) const { return words.code == code || words.or_code == code; }
};

// `NVIDIA driver too old` (C).
struct DriverTooOld {
  LogLine line;
  std::string device, driver, required;  // "NVIDIA H100", "535", "550 or newer"
};

// A variant or device that discovery left out; a variable that decided so.
struct Named {
  LogLine line;
  std::string name;   // the directory or variable
  std::string value;  // what was asked for, or the variable's value
};

// What ggml says of a backend that it opened, or could not.
struct Backend {
  LogLine line;
  bool loaded = false;
  std::string name;  // "CUDA", "CPU"; empty where it could not be opened
  std::string path;
};

struct DeviceCount {
  LogLine line;
  bool cuda = false;  // else Vulkan
  int count = 0;
};

// A child that was started for a model.
struct ModelLoad {
  LogLine line;
  std::string command;
};

struct Offload {
  LogLine line;
  int on_gpu = 0;  // layers
  int of = 0;
};

// How the main process ended, in systemd's words: "dumped", "11/SEGV".
struct Exit {
  LogLine line;
  std::string code;
  std::string status;
};

// How much the server logs.
enum class Detail { kUnknown, kInfo, kDebug, kTrace };

struct ServerStart {
  std::string invocation;  // systemd's InvocationID; empty in a plain text log
  host::Observed<int> pid = host::NotObserved{"the log does not say"};
  host::Observed<absl::Time> first_seen = host::NotObserved{"the log does not say"};

  std::optional<LogLine> server_config;
  std::vector<std::pair<std::string, std::string>> config_env;  // of it
  std::optional<LogLine> listening;
  std::string version;  // of the listening line: "0.16.2"
  Detail detail = Detail::kUnknown;
  // By a line that only one era prints, where there is one.
  Era era = Era::kUnknown;
  std::optional<LogLine> era_line;

  // Discovery.
  std::optional<LogLine> began;
  std::vector<Pass> passes;
  std::optional<LogLine> counted;
  std::optional<int> initial_count;
  std::vector<LogLine> verifying;
  std::vector<LogLine> filtered;
  std::vector<Named> skipped;
  std::vector<Named> overrides;
  std::vector<Failure> failures;
  std::vector<ChildEnd> child_ends;
  std::vector<LogLine> no_device;
  std::vector<CudaError> cuda_errors;
  std::vector<DriverTooOld> driver_too_old;
  std::vector<LogLine> arch_missing;
  std::vector<LogLine> no_avx;
  std::vector<Compute> results;
  // `inference compute` lines that were cut off before they name a library.
  std::vector<LogLine> cut_results;
  std::optional<LogLine> vram;
  std::string total_vram;  // of it: "0 B"

  // Discovery and models.
  std::vector<LogLine> loader_errors;
  std::vector<Backend> backends;
  std::vector<DeviceCount> device_counts;
  std::vector<LogLine> devices;

  // Models.
  std::vector<ModelLoad> loads;
  std::vector<Offload> offloads;
  std::vector<LogLine> too_large;
  std::vector<ChildEnd> runner_deaths;
  std::vector<LogLine> launches_refused;
  // The driver's shim was asked to prove that it is NVIDIA's driver (cuGetExportTable).
  std::vector<LogLine> foreign_runtimes;

  std::optional<Exit> exit;

  // The server's own first lines are in the log: what it said later is too.
  bool from_its_beginning() const { return server_config || listening; }
  // The last `inference compute` lines of this start decide, taken together: one
  // discovery prints one line for each device. Null where there is none.
  const Compute* Result() const;
  // The result named CUDA, and a later child could not initialise it any more. Null where
  // there is none, or where a child after that one found devices again.
  const CudaError* LostLater() const;
  // The error that CUDA gave while discovery ran; of several, the one that tells most.
  const CudaError* InitError() const;
};

// What `line` says, put into `start`. `slog` is its record; null for a raw line.
void TakeLine(Event event, LogLine line, const logfmt::SlogLine* slog, ServerStart& start);

// What a child may have said in a record: its message, and the attributes that quote one.
std::string QuotedWords(const logfmt::SlogLine& slog);

inline constexpr size_t kMaxLines = 64;  // of one kind in one start
inline constexpr size_t kMaxText = 4096;

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_SERVER_START_H_
