// vgpu-doctor baseline: writes down a working state, and shows what was written.

#ifndef TOOLS_VGPU_DOCTOR_BASELINE_H_
#define TOOLS_VGPU_DOCTOR_BASELINE_H_

#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "diag/baseline/snapshot.h"
#include "tools/vgpu_doctor/open_host.h"

namespace vgpu::doctor {

struct BaselineOptions {
  HostOptions host;
  std::string output;  // of save; "-": standard output; empty: NAME.baseline.json
  std::string name;
  std::string file;  // of show
  CLI::App* save = nullptr;
  CLI::App* show = nullptr;
};

// Adds the command to `app`; `options` must outlive the parsing.
CLI::App* AddBaseline(CLI::App& app, BaselineOptions& options);

int RunBaseline(const BaselineOptions& options);

// The baseline in the file `name` ("-": standard input). Nothing: it cannot be read, and standard
// error says why.
std::optional<baseline::Snapshot> LoadBaseline(const std::string& name);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_BASELINE_H_
