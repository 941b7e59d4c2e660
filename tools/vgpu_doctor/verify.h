// vgpu-doctor verify: does what discovery does, in the place where discovery does it.

#ifndef TOOLS_VGPU_DOCTOR_VERIFY_H_
#define TOOLS_VGPU_DOCTOR_VERIFY_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct VerifyOptions {
  std::string unit;
  int pid = 0;
  std::string format = "text";
  std::string output;  // also write the JSON result here
  bool no_color = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddVerify(CLI::App& app, VerifyOptions& options);

// Prints the result on standard output and returns the exit code of report.md.
int RunVerify(const VerifyOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_VERIFY_H_
