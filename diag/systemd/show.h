// What `systemctl` prints: show, show-environment, list-units (systemd 252).
//
//   absl::StatusOr<ShowProperties> show = ParseShow(text);
//   show->Get("MainPID");                  // present: "57290"; not observed: not printed
//   show->Environment();                   // present: {{"LD_PRELOAD", "/a.so"}}
//   show->NeedDaemonReload();              // present: true
//
// `systemctl show` without -a leaves empty properties out where they are lists of
// words, and prints others as "Key=": both look the same here, so a key that is not
// there is not observed and never taken for an empty one.
//
// Lines that are none are skipped. Pure; thread-safe.

#ifndef DIAG_SYSTEMD_SHOW_H_
#define DIAG_SYSTEMD_SHOW_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::systemd {

struct ShownExec {
  std::string path;
  std::string argv_text;  // words joined by blanks: what was quoted cannot be told
  bool ignores_errors = false;
  host::Observed<int> pid;  // absent: it did not run
};

struct ShownEnvironmentFile {
  std::string path;
  bool optional = false;
};

class ShowProperties {
 public:
  // The first value of a property; "" where it was printed empty.
  host::Observed<std::string> Get(absl::string_view key) const;
  // All values, in order: EnvironmentFiles and ExecStartPre are printed once each.
  std::vector<std::string> All(absl::string_view key) const;

  // Environment=; not observed where it is not in the output or not readable.
  host::Observed<std::map<std::string, std::string>> Environment() const;
  host::Observed<std::vector<ShownEnvironmentFile>> EnvironmentFiles() const;
  host::Observed<std::vector<std::string>> DropInPaths() const;
  host::Observed<std::vector<std::string>> UnitPath() const;
  // `key` is "ExecStart", "ExecStartPre", ...
  host::Observed<std::vector<ShownExec>> Exec(absl::string_view key) const;

  // A *Monotonic stamp in microseconds; absent where it is 0 (it never happened).
  host::Observed<uint64_t> MonotonicUsec(absl::string_view key) const;
  // A wall-clock stamp, whole seconds. Absent where it never happened; not observed
  // where the name of its zone does not say which offset it has.
  host::Observed<absl::Time> WallTime(absl::string_view key) const;
  host::Observed<bool> Boolean(absl::string_view key) const;
  host::Observed<bool> NeedDaemonReload() const { return Boolean("NeedDaemonReload"); }

  const std::map<std::string, std::vector<std::string>>& values() const { return values_; }

 private:
  friend absl::StatusOr<ShowProperties> ParseShow(absl::string_view text);
  host::Observed<std::vector<std::string>> Words(absl::string_view key) const;

  std::map<std::string, std::vector<std::string>> values_;
};

// An error where there is a text and no line of it is a property.
absl::StatusOr<ShowProperties> ParseShow(absl::string_view text);

// "Tue 2026-02-24 09:58:02 EST". Not observed where the zone is unknown, ambiguous
// ("IST", "CST") or missing, or the text is no such stamp.
host::Observed<absl::Time> ParseWallTime(absl::string_view text);

// `systemctl show-environment`: the manager's own variables, which every service gets. An
// error where there is a text and no line of it is a variable.
absl::StatusOr<std::map<std::string, std::string>> ParseShowEnvironment(absl::string_view text);

struct ListedUnit {
  std::string name;
  std::string load;    // "loaded", "not-found", "masked", ...
  std::string active;  // "active", "failed", ...
  std::string sub;     // "running", "dead", ...
  std::string description;
};

// `systemctl list-units --all --plain --no-legend`; a leading "●" is dropped. An error where
// there is a text and no line of it is a unit's.
absl::StatusOr<std::vector<ListedUnit>> ParseListUnits(absl::string_view text);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_SHOW_H_
