// A result of `vgpu-doctor verify` for programs: the form "vgpu-doctor.probe/1"
// (probe.schema.json). diag/probe/parse.h reads it back.
//
// Text from the host has its secrets redacted and is made visible. Pure, safe in any thread.

#ifndef DIAG_REPORT_PROBE_JSON_H_
#define DIAG_REPORT_PROBE_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "diag/probe/probe.h"

namespace vgpu::report {

std::string ProbeToJson(const probe::Result& result, absl::TimeZone zone);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_PROBE_JSON_H_
