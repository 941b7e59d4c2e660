// A report for people: what to do first, and then why.
//
//   std::cout << ToText(report, {.width = 80, .color = isatty(1) == 1});
//
// The verdict and the headline stand on top; then each root cause with its repair, what will be
// seen when it worked, and its evidence; then consequences, latent faults and notes; then what
// works, what was ruled out, what could not be seen, and the time line. The last lines say which
// host and process were judged. It is short (brief.h), unless it is `verbose`.
//
// Prose wraps at `width` (at least 40) and hangs under itself. A command stands on lines
// of its own, parted only where a shell goes on (wrap.h). A quote is marked with "| "; where it
// wraps, the end of a line stands for exactly one space, and a line that begins four columns
// further right goes on without one, so that what the host said can be read back. In prose a word
// that does not fit overflows. Colour adds escape sequences and changes nothing else; without
// `utf8` the output is ASCII. Text is safe to print (shown.h).
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_TEXT_H_
#define DIAG_REPORT_TEXT_H_

#include <string>

#include "diag/report/report.h"

namespace vgpu::report {

struct TextStyle {
  int width = 80;
  bool color = false;
  bool utf8 = true;
  bool whole_timeline = false;  // else what root causes name
  bool verbose = false;         // all that the report has
};

std::string ToText(const Report& report, const TextStyle& style);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_TEXT_H_
