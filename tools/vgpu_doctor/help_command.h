// vgpu-doctor help: what `--help` says, for those who type it as a command.

#ifndef TOOLS_VGPU_DOCTOR_HELP_COMMAND_H_
#define TOOLS_VGPU_DOCTOR_HELP_COMMAND_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct HelpOptions {
  std::vector<std::string> command;  // {"baseline", "save"}; empty: the program
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddHelp(CLI::App& app, HelpOptions& options);

// Prints on standard output and returns 0, or 2 where there is no such command.
int RunHelp(const CLI::App& app, const HelpOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_HELP_COMMAND_H_
