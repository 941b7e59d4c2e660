#include "tools/vgpu_doctor/print_report.h"

#include <stdio.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/report/html.h"
#include "diag/report/json.h"
#include "diag/report/junit.h"
#include "diag/report/markdown.h"
#include "diag/report/prometheus.h"
#include "diag/report/sarif.h"
#include "diag/report/text.h"
#include "tools/vgpu_doctor/output.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
namespace {

using report::Report;

std::string Text(const Report& report, const PrintOptions& options) {
  // A file is no terminal.
  report::TextStyle style =
      options.output == "-" ? StyleOfStandardOutput(options.no_color) : report::TextStyle{};
  style.whole_timeline = options.timeline;
  style.verbose = options.verbose;
  return report::ToText(report, style);
}

std::string Markdown(const Report& report, const PrintOptions& options) {
  return report::ToMarkdown(report,
                            {.whole_timeline = options.timeline, .verbose = options.verbose});
}

// The others show all that there is.
template <std::string (*ToForm)(const Report&)>
std::string Whole(const Report& report, const PrintOptions&) {
  return ToForm(report);
}

struct Format {
  const char* name;
  std::string (*print)(const Report&, const PrintOptions&);
};

constexpr Format kFormats[] = {
    {"text", Text},
    {"json", Whole<report::ToJson>},
    {"markdown", Markdown},
    {"html", Whole<report::ToHtml>},
    {"sarif", Whole<report::ToSarif>},
    {"junit", Whole<report::ToJUnit>},
    {"prometheus", Whole<report::ToPrometheus>},
};

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

}  // namespace

void AddPrintOptions(CLI::App& command, PrintOptions& options) {
  CLI::Option* format = command.add_option("--format", options.format)
                            ->check(CLI::IsMember(Names()))
                            ->option_text("FORMAT");
  std::string names;
  for (const std::string& name : Names()) {
    absl::StrAppend(&names,
                    names.empty()            ? ""
                    : name == Names().back() ? " or "
                                             : ", ",
                    name, names.empty() ? " (the default)" : "");
  }
  format->description(names);
  CLI::Option* output =
      command
          .add_option("--output", options.output,
                      "Write the report to FILE, whole or not at all; - is standard output")
          ->type_name("FILE")
          ->option_text("FILE");
  command.add_flag("--quiet", options.quiet, "Print nothing: the exit status is the answer")
      ->excludes(format)
      ->excludes(output)
      ->option_text(" ");  // and not what it excludes
  command.add_flag("--timeline", options.timeline,
                   "Show all that happened, as the command `timeline` does, and not only what "
                   "bears on the root cause");
  command.add_flag("-v,--verbose", options.verbose,
                   "Show all: the evidence of consequences, why each cause was ruled out, what "
                   "could not be seen and why, all that happened");
  command.add_flag("--no-color", options.no_color, "No colours, also on a terminal");
}

int PrintReport(const Report& report, const PrintOptions& options) {
  const int verdict = report::ExitCode(report.verdict);
  if (options.quiet) return verdict;
  for (const Format& format : kFormats) {
    if (options.format != format.name) continue;
    const int written = WriteOutput(format.print(report, options), options.output);
    return written == 0 ? verdict : written;
  }
  return verdict;  // AddPrintOptions lets no other name pass
}

}  // namespace vgpu::doctor
