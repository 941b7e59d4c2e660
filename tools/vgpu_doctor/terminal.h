// What standard output can show.

#ifndef TOOLS_VGPU_DOCTOR_TERMINAL_H_
#define TOOLS_VGPU_DOCTOR_TERMINAL_H_

#include "diag/report/text.h"

namespace vgpu::doctor {

// Colour where a terminal is and NO_COLOR (https://no-color.org) is not set; the width of
// the terminal, within what reads well, else 80; ASCII where the locale is not UTF-8.
report::TextStyle StyleOfStandardOutput(bool no_color);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_TERMINAL_H_
