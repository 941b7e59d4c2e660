// vgpu-doctor explain: the runbook of a cause, or the guide that a symptom has.

#ifndef TOOLS_VGPU_DOCTOR_EXPLAIN_H_
#define TOOLS_VGPU_DOCTOR_EXPLAIN_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct ExplainOptions {
  std::string what;  // a code, the name of a cause or of a guide; empty: which guides there are
  bool all = false;
  std::string format = "text";
  bool no_color = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddExplain(CLI::App& app, ExplainOptions& options);

// Prints on standard output and returns an exit code of report.md: 0, or 2 where there is
// no such cause.
int RunExplain(const ExplainOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_EXPLAIN_H_
