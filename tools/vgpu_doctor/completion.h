// vgpu-doctor completion: completions for a shell.

#ifndef TOOLS_VGPU_DOCTOR_COMPLETION_H_
#define TOOLS_VGPU_DOCTOR_COMPLETION_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct CompletionOptions {
  std::string shell;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddCompletion(CLI::App& app, CompletionOptions& options);

// Prints the completions of all that `app` takes.
int RunCompletion(const CLI::App& app, const CompletionOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_COMPLETION_H_
