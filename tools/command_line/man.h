// The manual page of a program, of everything that its command line takes (describe.h).
//
// man(7), for section 1. A command's footer becomes paragraphs; one whose lines are indented,
// as examples are, is shown as it is.
//
// Pure function, safe in any thread. The same application gives the same page: there is no date.

#ifndef TOOLS_COMMAND_LINE_MAN_H_
#define TOOLS_COMMAND_LINE_MAN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tools/command_line/describe.h"

namespace vgpu::command_line {

std::string ManPage(const Command& program, absl::string_view version);

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_MAN_H_
