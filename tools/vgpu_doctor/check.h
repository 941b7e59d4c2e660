// vgpu-doctor check: judges a host.

#ifndef TOOLS_VGPU_DOCTOR_CHECK_H_
#define TOOLS_VGPU_DOCTOR_CHECK_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/vgpu_doctor/open_host.h"
#include "tools/vgpu_doctor/print_report.h"

namespace vgpu::doctor {

struct CheckOptions {
  HostOptions host;                // but for its root
  std::vector<std::string> roots;  // captured hosts; empty: this machine
  std::vector<std::string> each;   // directories of captured hosts
  std::string log;                 // judge this log alone; "-": standard input
  std::string probe;               // a result of verify, as evidence
  std::vector<std::string> rules;  // only these codes; empty: all
  std::vector<std::string> skip;
  PrintOptions print;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddCheck(CLI::App& app, CheckOptions& options);

// Prints the report on standard output and returns the exit code of report.md.
int RunCheck(const CheckOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_CHECK_H_
