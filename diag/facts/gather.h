// Gathers the facts about one unit, or one process, of a host.

#ifndef DIAG_FACTS_GATHER_H_
#define DIAG_FACTS_GATHER_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"

namespace vgpu::facts {

// A result of `vgpu-doctor verify`, as its file has it.
struct GivenProbe {
  std::string name;  // of the file
  std::string text;
};

struct GatherOptions {
  // Empty: the unit that the capture names, or that `pid` belongs to, or ollama.service.
  std::string unit = {};
  // Judge this process; none: the unit's main process, found by MainPID and cgroup and
  // never by a name.
  std::optional<int> pid = {};
  // Log entries from before are left out. Unset: of a live journal, from one day before the
  // start of the process.
  std::optional<absl::Time> since = {};
  // Of a captured journal, also what a check of the host did not read, where it has that.
  bool whole_journal = false;
  // Evidence beside what the host shows; unset: what a capture has of it.
  std::optional<GivenProbe> probe = {};
  // Told what is looked at now, where that may take long: "reading the log of ollama.service".
  // It may hold a host's text. Unset: nobody is told.
  std::function<void(absl::string_view)> doing = {};
};

// Never fails: what could not be looked at is not observed in the result.
Facts Gather(const host::Host& host, const GatherOptions& options);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_GATHER_H_
