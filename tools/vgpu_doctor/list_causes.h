// vgpu-doctor list-causes: every code that there is.

#ifndef TOOLS_VGPU_DOCTOR_LIST_CAUSES_H_
#define TOOLS_VGPU_DOCTOR_LIST_CAUSES_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct ListCausesOptions {
  std::string format = "text";
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddListCauses(CLI::App& app, ListCausesOptions& options);

// Prints the catalogue on standard output and returns an exit code of report.md: 0.
int RunListCauses(const ListCausesOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_LIST_CAUSES_H_
