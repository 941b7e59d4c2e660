// Runs something in the place of a process (place.h), in a child that is given a time.
//
//   ChildOutcome outcome = RunInPlace(place, {.program = memfd, .argv = {"vgpu-probe", "cuda"},
//                                             .environment = {"LD_PRELOAD=…"},
//                                             .limit = absl::Seconds(10)});
//   if (outcome.signal == SIGSEGV) ...
//
// The child's standard input is empty, what it writes is taken, up to a bound, and when its
// time is over it and what it started are ended, but for what made a session of its own. It
// dies with its parent.
//
// What runs there is the service's, and may be hostile: the child has neither the caller's
// terminal nor its descriptors, keys or variables, and until it executes a program no process
// of the service can look into it.

#ifndef TOOLS_VGPU_DOCTOR_RUN_IN_PLACE_H_
#define TOOLS_VGPU_DOCTOR_RUN_IN_PLACE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tools/vgpu_doctor/verify/place.h"

namespace vgpu::doctor {

// Where a child writes its answer, apart from what libraries print.
inline constexpr int kAnswerFd = 3;

struct ChildTask {
  // A program by its descriptor, so that its path need not exist in the place; -1: by
  // `path`, as the place has it.
  int program = -1;
  std::string path;
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value"
  // Instead of a program: done by the child itself, in the place. Its result is the exit
  // status.
  std::function<int()> work;
  absl::Duration limit = absl::Seconds(10);
  // It does not end by itself: it is ended when its standard error has a line with this, whole.
  // Empty: it ends.
  std::string until;
};

struct ChildOutcome {
  // What kept it from being run at all: "setresuid: operation not permitted". Empty: it ran.
  std::string not_started;
  int exit_status = 0;
  int signal = 0;
  bool timed_out = false;
  absl::Duration took;
  std::string answer;  // what it wrote to kAnswerFd
  std::string out;
  std::string err;
};

ChildOutcome RunInPlace(const Place& place, const ChildTask& task);

// A clock that nobody sets; what counts is the difference of two.
absl::Duration SteadyNow();

// In a child: starts a program as a further child, with its output to the child's standard
// error. Its process id; -1: it could not be started, and errno says why.
int StartProgram(const std::string& path, const std::vector<std::string>& argv,
                 const std::vector<std::string>& environment);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_RUN_IN_PLACE_H_
