// A report for tools that read the results of static analysis: SARIF 2.1.0 (OASIS).
//
//   kind           level     of the report
//   fail           error     root causes
//   fail           warning   latent faults
//   fail           note      consequences, notes
//   pass           none      what was ruled out
//   notification   note      what could not be seen
//
// Every code that occurs is a rule of the tool. The first piece of evidence is a result's
// location, the others are related locations; a path of the host is a file: URI, anything else
// (a command) a logical location. The list, the confidence, what explains what, and the repair
// stand in the properties of a result, the verdict and the headline in those of the run.
//
// Messages keep to SARIF's own syntax: braces are doubled (3.11.5), and no text from the host
// becomes a link (3.11.6).
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_SARIF_H_
#define DIAG_REPORT_SARIF_H_

#include <string>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"

namespace vgpu::report {

std::string ToSarif(const Report& report);

// "file:///a%20b": an absolute path as a URI (RFC 3986, RFC 8089).
std::string FileUri(absl::string_view path);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_SARIF_H_
