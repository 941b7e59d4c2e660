// The way from cause to symptom, as an inline SVG: root causes on the left, what follows from
// them to the right, an arrow from each finding to what it explains.
//
// A finding stands one column right of the last one that explains it. An arrow that two others
// replace is left out: where A explains B and C, and B explains C, the arrow from A to C says
// nothing more. The SVG takes its colours from the page's classes (html.cc).
//
// Pure function, safe in any thread. Takes a report that is safe to show (shown.h).

#ifndef DIAG_REPORT_CHAIN_PICTURE_H_
#define DIAG_REPORT_CHAIN_PICTURE_H_

#include <string>

#include "diag/report/report.h"

namespace vgpu::report {

// Empty where there is no way to draw: no root cause, or nothing that follows from one.
std::string ChainPicture(const Report& shown);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_CHAIN_PICTURE_H_
