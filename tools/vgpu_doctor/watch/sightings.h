// What was seen of the processes of one unit while they lived, however short.
//
//   Sightings seen("/proc", [](const Sighting& s, Moment m) { ... });
//   while (...) seen.Look(pids, now);     // every millisecond or so
//
// A process is looked at when it comes, again when its program changes (a child first shows
// the program that made it), and at its libraries as often as its age asks for: discovery's
// child maps the GPU's libraries within its first half second. What was read last stays,
// since nothing can be read when the process has ended.
//
// Memory is bounded: of kMaxSightings processes everything is kept, of more their number.
// Nothing of a process is changed, stopped or traced.
//
// Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_SIGHTINGS_H_
#define TOOLS_VGPU_DOCTOR_WATCH_SIGHTINGS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::doctor {

struct Sighting {
  pid_t pid = 0;
  pid_t parent = 0;  // 0: not seen
  absl::Time first;
  absl::Time last;  // that it was seen alive
  bool alive = true;
  host::Observed<std::string> program;  // of /proc/PID/exe
  host::Observed<std::vector<std::string>> arguments;
  // The variables that decide discovery, and those of Ollama, of CUDA and of the loader.
  host::Observed<std::vector<std::pair<std::string, std::string>>> environment;
  // Files that it mapped, at any time; in the order in which they were seen.
  host::Observed<std::vector<std::string>> libraries;
  // As waitpid(2) gives it.
  host::Observed<int> status;
};

enum class Moment { kProgram, kEnded };

// Which variables are kept.
bool IsWorthShowing(const std::string& variable);

// "exit status 0", "signal 11 (Segmentation fault)".
std::string StatusText(int status);

class Sightings {
 public:
  static constexpr size_t kMaxSightings = 256;
  static constexpr size_t kMaxLibraries = 512;

  // `proc` is where procfs is. `tell` is called when a program is first seen (a process that
  // executes another is told again) and when a process has ended.
  Sightings(std::string proc, std::function<void(const Sighting&, Moment)> tell)
      : proc_(std::move(proc)), tell_(std::move(tell)) {}

  // What is known already, and not to be told: what ran before.
  void Ignore(const std::vector<pid_t>& pids);

  // `pids`: the processes of the unit that live now.
  void Look(const std::vector<pid_t>& pids, absl::Time now);

  // Of the kernel's events: this process is there, and may be gone before the next Look.
  void Appeared(pid_t pid, absl::Time now);
  // How a process ended.
  void Ended(pid_t pid, int status, absl::Time now);
  // It is a process whose life is followed.
  bool Watches(pid_t pid) const { return living_.count(pid) != 0; }

  // In the order of their first sight.
  const std::vector<Sighting>& all() const { return all_; }
  // So many more there were.
  uint64_t uncounted() const { return uncounted_; }

 private:
  struct Living {
    size_t index = 0;      // in all_
    absl::Time look_next;  // at its libraries
    std::string told;      // the program and arguments that were told
  };

  void Observe(pid_t pid, Living& living, absl::Time now);
  void LookAtLibraries(Sighting& sighting) const;
  void Finish(pid_t pid, absl::Time now);

  const std::string proc_;
  const std::function<void(const Sighting&, Moment)> tell_;
  std::vector<Sighting> all_;
  std::map<pid_t, Living> living_;
  std::set<pid_t> ignored_;
  uint64_t uncounted_ = 0;
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_SIGHTINGS_H_
