// vgpu-doctor explain: the runbook of a cause, the guide that a symptom has, or the pages that have
// some words.

#ifndef TOOLS_VGPU_DOCTOR_EXPLAIN_H_
#define TOOLS_VGPU_DOCTOR_EXPLAIN_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace vgpu::doctor {

struct ExplainOptions {
  // A code, the name of a cause or of a guide, or words; empty: which guides there are.
  std::vector<std::string> what;
  bool all = false;
  std::string format = "text";
  bool no_color = false;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddExplain(CLI::App& app, ExplainOptions& options);

// Prints on standard output and returns an exit code of report.md: 0, or 2 where nothing is found.
int RunExplain(const ExplainOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_EXPLAIN_H_
