// Completions for shells, of everything that a command line takes (describe.h).
//
// Each is a script that needs nothing but its shell (zsh and fish: the functions that come with
// them). An option's value is completed where it is a file, a directory or one of a few words.
//
// Pure functions, safe in any thread.

#ifndef TOOLS_COMMAND_LINE_COMPLETION_H_
#define TOOLS_COMMAND_LINE_COMPLETION_H_

#include <string>

#include "tools/command_line/describe.h"

namespace vgpu::command_line {

std::string BashCompletion(const Command& program);
std::string ZshCompletion(const Command& program);
std::string FishCompletion(const Command& program);

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_COMPLETION_H_
