// A report as one page of HTML, for a browser or a printer.
//
// The page is a single file that loads nothing and runs nothing: no script, no font, no image,
// and a policy that would forbid them. It follows the reader's choice of light or dark, and
// prints with all that is folded away on the screen. It shows everything that the report has, so
// that it needs no second look at the host: the way from cause to symptom (chain_picture.h), the
// preload list with what is known of each entry (preload_list.h), the time line with its gaps.
//
// Text of the host is escaped (xml.h), and stands in no address and no style.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_HTML_H_
#define DIAG_REPORT_HTML_H_

#include <string>

#include "absl/time/time.h"
#include "diag/report/report.h"

namespace vgpu::report {

std::string ToHtml(const Report& report);

// How long, in the two largest units that matter: "5 d 22 h", "16 min 55 s", "0.3 s".
std::string SayDuration(absl::Duration duration);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_HTML_H_
