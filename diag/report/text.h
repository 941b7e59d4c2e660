// A report for people: what to do first, and then why.
//
//   std::cout << ToText(report, {.width = 80, .color = isatty(1) == 1});
//
// The verdict, the headline and the commands of the first root cause stand on top; then
// each root cause with its evidence, what it explains, the repair and what will be seen
// when it worked; then consequences, latent faults and notes; then what works, what was
// ruled out, what could not be seen, and the time line. The last lines say which host and
// process were judged.
//
// Prose wraps at `width` (at least 40) and hangs under itself. A command stands on a line
// of its own and is never wrapped. A quote is marked with "| "; where it wraps, the end of
// a line stands for exactly one space, and a line that begins four columns further right goes on
// without one, so that what the host said can be read back. In prose a word that does not fit
// overflows. Colour adds escape sequences and changes nothing
// else; without `utf8` the output is ASCII. Text is safe to print (shown.h).
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_TEXT_H_
#define DIAG_REPORT_TEXT_H_

#include <cstddef>
#include <string>

#include "diag/report/phrases.h"
#include "diag/report/report.h"

namespace vgpu::report {

inline constexpr size_t kShortTimeline = 12;

struct TextStyle {
  int width = 80;
  bool color = false;
  bool utf8 = true;
  bool whole_timeline = false;  // else its last kShortTimeline events
  // Else, of more than kShortRuledOut, those of a root cause's own layer, where its look-alikes
  // are, and how many there are of the others.
  bool all_ruled_out = false;
};

std::string ToText(const Report& report, const TextStyle& style);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_TEXT_H_
