// vgpu-doctor capture: writes down a host, so that another person can judge it.

#ifndef TOOLS_VGPU_DOCTOR_CAPTURE_H_
#define TOOLS_VGPU_DOCTOR_CAPTURE_H_

#include <string>

#include "CLI/CLI.hpp"
#include "tools/vgpu_doctor/open_host.h"

namespace vgpu::doctor {

struct CaptureCommandOptions {
  HostOptions host;
  std::string output;  // a file, or "-": standard output; empty: a name of its own
  bool no_redact = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddCapture(CLI::App& app, CaptureCommandOptions& options);

int RunCapture(const CaptureCommandOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_CAPTURE_H_
