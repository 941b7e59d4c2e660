// What somebody may have meant who mistyped a command, an option or a word out of a list.
//
//   Nearest("chekc", {"check", "explain"})  ==  "check"
//   Advice(app, {"check", "--fromat", "json"})  ==  "Did you mean --format?"
//
// Only what is near is suggested: one slip in a short word, two in a longer one, where a slip is
// a letter too many, too few, another one, or two that changed places; or the beginning of one
// word alone.

#ifndef TOOLS_COMMAND_LINE_SUGGEST_H_
#define TOOLS_COMMAND_LINE_SUGGEST_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/string_view.h"

namespace vgpu::command_line {

// Empty where nothing is near, or two are as near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& known);

// For the first of `arguments` (without the program's name) that `app` does not take; empty
// where there is nothing to suggest.
std::string Advice(const CLI::App& app, const std::vector<std::string>& arguments);

// What is wrong, what may have been meant, and where the answer stands. For App::failure_message.
// `meant`, fit for a terminal, is said instead of Advice where the caller knows better.
std::string FailureMessage(const CLI::App& app, const CLI::Error& error,
                           const std::vector<std::string>& arguments, absl::string_view meant = "");

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_SUGGEST_H_
