// Reports for the tests of the views: hosts that fared in some way.

#ifndef DIAG_REPORT_SAMPLES_H_
#define DIAG_REPORT_SAMPLES_H_

#include <string>
#include <utility>
#include <vector>

#include "diag/report/report.h"

namespace vgpu::report {

// The service runs with the environment that it had before its drop-in was written.
Report NotRestarted();
// A wrapper and the unit load two copies of the shims: every start crashes.
Report CrashLoop();
// Nothing is known to be wrong, and the log does not reach back to discovery.
Report SilentLog();
// The GPU was found; the next start will lack a shim.
Report HealthyWithLatentFault();
// Two independent faults, on a host of which little could be seen.
Report TwoCauses();
// Every text holds what a hostile host may say.
Report Hostile(const std::string& text);

// All but Hostile, by the names of their golden files.
std::vector<std::pair<std::string, Report>> Samples();

}  // namespace vgpu::report

#endif  // DIAG_REPORT_SAMPLES_H_
