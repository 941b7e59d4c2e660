// vgpu-doctor man: the manual page, for whoever builds a package.

#ifndef TOOLS_VGPU_DOCTOR_MANUAL_H_
#define TOOLS_VGPU_DOCTOR_MANUAL_H_

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

// Adds the command to `app`, hidden: nobody needs it who reads the help.
CLI::App* AddManual(CLI::App& app);

// Prints the page of all that `app` takes.
int RunManual(const CLI::App& app);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_MANUAL_H_
