// Carries a plan out, looks whether the causes are gone, and takes back what did not help.
//
// The order is that of all repairs together: files first, then what the service manager is
// asked, one daemon-reload, one restart. A step that fails takes everything back. After the
// restart it waits, within bounds, until discovery has ended, and judges again: where it has
// not ended, a cause that is not seen is not gone; a repair whose cause still stands is taken back,
// and all of them where the service ran before and does not run now; the manager then reloads, and
// the service is restarted once more, so that what runs is what the files say.
//
// Nothing here touches a service manager or a terminal by itself: World does.

#ifndef TOOLS_VGPU_DOCTOR_REPAIR_APPLY_H_
#define TOOLS_VGPU_DOCTOR_REPAIR_APPLY_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "diag/report/report.h"
#include "tools/vgpu_doctor/repair/file_changes.h"
#include "tools/vgpu_doctor/repair/plan.h"

namespace vgpu::doctor {

// Discovery may take that long: a first pass of 30 s and a second one, as Ollama bounds them
// (v0.12.4 and later, discover/runner.go), and the start of the server.
inline constexpr absl::Duration kDiscoveryTime = absl::Seconds(90);

// One look at the service.
struct Seen {
  report::Report report;
  bool runs = false;             // its main process
  bool discovery_ended = false;  // of that process, as its log says
  bool has_failed = false;       // systemd has given it up
};

struct World {
  // systemctl with these arguments.
  std::function<absl::Status(const std::vector<std::string>& arguments)> systemctl;
  // Whether this unit may be restarted; a person is asked.
  std::function<bool(const std::string& unit)> may_restart;
  std::function<std::optional<Seen>()> look;
  std::function<absl::Time()> now;
  // False: a person has interrupted.
  std::function<bool(absl::Duration)> wait;
  // What is being done, a line each.
  std::function<void(const std::string& line)> say;
};

enum class End {
  kRepaired,    // the cause is gone
  kTakenBack,   // it still stands, or the service no longer runs; the files are as before
  kFailed,      // a step failed; all is as before, but for what `because` names
  kWaits,       // for a restart that nobody agreed to; the files are changed
  kNotChecked,  // interrupted, or nothing could be seen; the files are changed
};

// "repaired", "taken-back", "failed", "waits-for-restart", "not-checked".
const char* Name(End end);

struct Result {
  std::string code = {};
  End end = End::kFailed;
  std::string because = {};
  std::vector<Change> changes = {};  // that are in force
};

struct Outcome {
  std::vector<Result> results = {};     // of the plan's automatic repairs
  std::optional<report::Report> after;  // the last look, if there was one
};

// `before` is what the plan was made of. `stamp` names the backups.
Outcome Apply(const Plan& plan, const Seen& before, const std::string& stamp, World& world);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_REPAIR_APPLY_H_
