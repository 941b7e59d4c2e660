// What a working state is made of: a flat list of keyed values, in the order of their keys.
//
//   unit.environment.LD_PRELOAD   [/usr/lib64/libvgpu-exec.so, …]   /etc/…/vgpu.conf:3
//   discovery.device.0.total      81510                             journalctl -u ollama.service
//
// A value is present, absent or not observed. What is volatile (a PID, a time, an address, an
// inode) is in none. kinds.h says which keys there are. Values; thread-compatible.

#ifndef DIAG_BASELINE_SNAPSHOT_H_
#define DIAG_BASELINE_SNAPSHOT_H_

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::baseline {

// A text, a list whose order counts, or a number that may differ a little: identity, ordered,
// bounded (kinds.h).
using Value = std::variant<std::string, std::vector<std::string>, double>;

struct Entry {
  host::Observed<Value> value;
  std::string source = {};
  int line = 0;
};

struct Snapshot {
  std::string name = {};
  std::string tool_version = {};
  host::Observed<absl::Time> captured_at;
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // Discovery had found the GPU, and nothing was known to be wrong; `because` says how that is
  // known, or what was missing.
  bool verified = false;
  std::string because = {};

  // Whose it is.
  host::Observed<std::string> hostname;
  std::string unit = {};
  host::Observed<std::string> ollama_version;
  std::string era = "unknown";
  // Of the first device: "h100-80gb-hbm3"; absent: none is configured.
  host::Observed<std::string> profile;

  // Of the Sealer that made it (seal.h).
  std::string salt = {};
  std::string seal_check = {};  // empty: its seals can be compared with no others
  int seal_form = 1;

  // Of each kind whose pattern has a star: present where every key of the kind was looked for,
  // so that one that is not in `entries` is absent. Else why not.
  std::map<std::string, host::Observed<bool>, std::less<>> looked = {};
  std::map<std::string, Entry, std::less<>> entries = {};
};

inline constexpr size_t kMaxEntries = 20000;
inline constexpr size_t kMaxItems = 256;  // of an ordered value

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_SNAPSHOT_H_
