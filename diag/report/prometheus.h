// A report for the text-file collector of Prometheus's node exporter: the exposition format
// 0.0.4.
//
//   vgpu-doctor check --format prometheus --output /var/lib/node_exporter/vgpu.prom
//
//   vgpu_doctor_verdict{unit="ollama.service",verdict="problem"} 1
//   vgpu_doctor_finding{unit="ollama.service",list="root_causes",code="VG302",…} 1
//
// Each verdict has a line, of which one is 1, so that an alert can be written for each. Every
// list of report.h that has findings is counted, with or without any. A finding is a series
// of its own, once, in the order of the report: one that is repaired goes away. No text of the
// host becomes a label, but for its name, the unit's and the version's.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_PROMETHEUS_H_
#define DIAG_REPORT_PROMETHEUS_H_

#include <string>

#include "diag/report/report.h"

namespace vgpu::report {

std::string ToPrometheus(const Report& report);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_PROMETHEUS_H_
