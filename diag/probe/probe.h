// What `vgpu-doctor verify` saw: the steps of discovery, each done in the place of the service.
//
// A run is one environment: the one that the running process has, or the one that the next
// start would get. A step is one process that did one thing (opened libcuda and asked it for
// its devices), so that a crash or a hang is the result of a step. A device is what one step
// said of one device: the same device is described by several steps, and they should agree.
//
// Values; thread-compatible.

#ifndef DIAG_PROBE_PROBE_H_
#define DIAG_PROBE_PROBE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace vgpu::probe {

// An empty text, or no memory: the step does not say.
struct Device {
  std::string uuid;         // "GPU-d110a105-…", as the step wrote it
  std::string pci_address;  // "0000:00:05.0", likewise
  std::string name;
  std::string compute;  // "9.0"
  uint64_t memory_bytes = 0;
  // Of a PCI function: "0x10de", "0x2331", "0x030200".
  std::string vendor, device, device_class;
};

struct PreloadEntry {
  std::string entry;  // as it is listed
  std::string from;   // "LD_PRELOAD", "/etc/ld.so.preload"
  bool loaded = false;
};

enum class StepStatus {
  kOk,
  kFailed,
  kNotRun,  // it could not be done, or there is nothing to do; `why` says
};

struct Step {
  std::string name;     // "cuda": step_names.h has them all
  std::string variant;  // of Ollama's libraries: "cuda_v12"; "" where it has none
  std::string way;      // of a file that is read in several manners: "pread"
  StepStatus status = StepStatus::kNotRun;
  // Discovery of this Ollama does the same and depends on it.
  bool needed = false;
  std::string why;      // one sentence; empty where the status says all
  std::string call;     // that failed, or in which it died: "cuInit"
  int exit_status = 0;  // of exit(3)
  int signal = 0;       // that ended it, else 0
  bool timed_out = false;
  double seconds = 0;
  std::string library;                // that was opened: the file that the loader found
  std::vector<std::string> messages;  // what it wrote to standard error, the first lines
  std::vector<PreloadEntry> preload;
  std::vector<Device> devices;
};

// Something of the service that the steps ran without.
struct NotTakenOver {
  std::string what;  // "seccomp filter"
  std::string why;
  // The steps can come out otherwise in the service for it.
  bool matters = true;
};

struct Context {
  std::vector<std::string> taken_over;  // "user 998, group 998", "mount namespace"
  std::vector<NotTakenOver> not_taken_over;
};

// One thing that several steps say of one device.
struct Comparison {
  struct Value {
    std::string step;
    std::string value;
    friend bool operator==(const Value&, const Value&) = default;
  };
  std::string what;    // "uuid", "pci address", "name", "memory"
  std::string device;  // "GPU-d110a105-…", or whatever names it
  std::vector<Value> values;
  bool agree = false;
};

struct Run {
  // "process": as the running process has it. "unit": as systemd would give it at the next
  // start.
  std::string environment;
  std::string source;  // "/proc/57290/environ"
  Context context;
  std::vector<Step> steps;
  std::vector<Comparison> comparisons;
};

enum class Verdict { kHealthy, kProblem, kInconclusive };

struct Result {
  std::string tool_version;
  std::string hostname;
  std::optional<absl::Time> observed_at;
  std::string unit;  // empty: none is judged
  int pid = 0;       // 0: nothing runs
  // Of that process: microseconds between the boot and its start. With the pid it says which
  // process it was.
  std::optional<uint64_t> started_usec;
  std::string ollama_version;
  std::string era = "unknown";  // "A", "B", "C"
  Verdict verdict = Verdict::kInconclusive;
  std::string headline;
  // The next start would get, in all that decides discovery, what the process has.
  bool next_start_is_the_same = false;
  std::vector<Run> runs;
};

}  // namespace vgpu::probe

#endif  // DIAG_PROBE_PROBE_H_
