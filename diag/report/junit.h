// A report for systems that show test results: JUnit's XML.
//
// The first test case is the verdict: it passes where the host is healthy, fails where it has
// a problem, and ends with an error where nothing can be said, so that a run is green exactly
// where the exit status is 0. Then each cause is a test case, its class the layer:
//
//   failed    root causes, with the evidence and the repair
//   skipped   consequences, which name what explains them, and what could not be seen
//   passed    what was ruled out
//
// Latent faults and notes fail nothing; they stand in the suite's <system-out>, as all of the
// text report does.
//
// There is no standard. This keeps to what both Jenkins (junit-10.xsd of its xUnit plugin) and
// Ant (JUnit.xsd) read; Ant wants a time stamp, which a log alone does not have.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_JUNIT_H_
#define DIAG_REPORT_JUNIT_H_

#include <string>

#include "diag/report/report.h"

namespace vgpu::report {

std::string ToJUnit(const Report& report);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_JUNIT_H_
