// vgpu-doctor fix: the repairs of what check diagnoses, shown or carried out.
//
// Its exit status is the verdict of the last judgement (report.md). With --apply it is 1 as
// well where a repair that was asked for is not in force and proved.

#ifndef TOOLS_VGPU_DOCTOR_FIX_H_
#define TOOLS_VGPU_DOCTOR_FIX_H_

#include <string>

#include "CLI/CLI.hpp"
#include "tools/vgpu_doctor/open_host.h"

namespace vgpu::doctor {

struct FixOptions {
  HostOptions host;
  std::string code;  // of list-causes, or its name; empty: all root causes
  bool apply = false;
  bool yes = false;  // restarts without a question
  std::string format = "text";
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddFix(CLI::App& app, FixOptions& options);

int RunFix(const FixOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_FIX_H_
