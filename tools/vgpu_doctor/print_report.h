// How a judging command shows its report: the options that say so, and what they do.
//
//   PrintOptions options;
//   AddPrintOptions(command, options);      // --format, --output, --quiet, …
//   …
//   return PrintReport(report, options);    // the exit status of the verdict
//
// The table in print_report.cc is the one home of the formats' names.

#ifndef TOOLS_VGPU_DOCTOR_PRINT_REPORT_H_
#define TOOLS_VGPU_DOCTOR_PRINT_REPORT_H_

#include <string>

#include "CLI/CLI.hpp"
#include "diag/report/report.h"

namespace vgpu::doctor {

struct PrintOptions {
  std::string format = "text";
  std::string output = "-";  // a file, or "-": standard output
  bool quiet = false;
  bool timeline = false;
  bool verbose = false;
  bool no_color = false;
};

// Adds --format, --output, --quiet, --timeline, --verbose and --no-color to `command`;
// `options` must outlive the parsing.
void AddPrintOptions(CLI::App& command, PrintOptions& options);

// Shows the report as the options say. Returns the exit status: the verdict's, the same in
// every format, or that the report could not be written, which standard error explains.
int PrintReport(const report::Report& report, const PrintOptions& options);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_PRINT_REPORT_H_
