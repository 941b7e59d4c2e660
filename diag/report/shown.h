// A report as it may be shown: the one step between a diagnosis and its views.
//
//   const Report safe = Shown(report);    // then render `safe`, and nothing else
//
// Every text of the report, whether a rule wrote it or the host did, has its secrets
// redacted (redact.h), is made visible (visible.h) and is bounded. A view that renders
// only what this gives cannot forget a field. Rules therefore write commands of one line.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_SHOWN_H_
#define DIAG_REPORT_SHOWN_H_

#include <cstddef>

#include "diag/report/report.h"

namespace vgpu::report {

struct ShownLimits {
  size_t quote_bytes = 4096;
  size_t other_bytes = 4096;
  bool ascii = false;  // for terminals without UTF-8: see AsciiOnly
};

Report Shown(const Report& report, const ShownLimits& limits = {});

}  // namespace vgpu::report

#endif  // DIAG_REPORT_SHOWN_H_
