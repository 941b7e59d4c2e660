#include "tools/vgpu_doctor/manual.h"

#include "diag/report/version.h"
#include "tools/command_line/describe.h"
#include "tools/command_line/man.h"
#include "tools/vgpu_doctor/output.h"

namespace vgpu::doctor {

CLI::App* AddManual(CLI::App& app) {
  return app.add_subcommand("man", "Print the manual page, for man -l or a package.");
}

int RunManual(const CLI::App& app) {
  return WriteOutput(command_line::ManPage(command_line::Describe(app), report::kToolVersion), "-");
}

}  // namespace vgpu::doctor
