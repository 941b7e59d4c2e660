// A report for programs: the form "vgpu-doctor.report/1" (report.schema.json).
//
//   std::cout << ToJson(report);
//
// Keys stand in the order of the schema, two spaces deep, with a newline at the end.
// Text is valid UTF-8 and already safe to print (shown.h), so that `jq -r` may go to a
// terminal. What was not observed is null. Times are RFC 3339 in the report's zone.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_JSON_H_
#define DIAG_REPORT_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "diag/report/report.h"

namespace vgpu::report {

std::string ToJson(const Report& report);

// "2026-02-24T09:58:02-05:00"; milliseconds only where there are some. RFC 3339 knows
// the years up to 9999: a time outside them becomes the nearest that it can say.
std::string Rfc3339(absl::Time time, absl::TimeZone zone);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_JSON_H_
