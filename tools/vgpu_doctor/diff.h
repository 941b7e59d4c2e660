// vgpu-doctor diff-against-baseline: what changed since it worked.

#ifndef TOOLS_VGPU_DOCTOR_DIFF_H_
#define TOOLS_VGPU_DOCTOR_DIFF_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/vgpu_doctor/open_host.h"

namespace vgpu::doctor {

struct DiffOptions {
  HostOptions host;
  std::vector<std::string> baselines;  // files
  std::string format = "text";
  bool no_color = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddDiff(CLI::App& app, DiffOptions& options);

// Prints the difference on standard output and returns the exit code of report.md.
int RunDiff(const DiffOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_DIFF_H_
