#include "tools/vgpu_doctor/check.h"

#include <stdio.h>

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/report/json.h"
#include "diag/report/report.h"
#include "diag/report/text.h"
#include "diag/rules/catalogue.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {

namespace {

// A code, or the name of a cause; "" where it is one.
std::string IsCode(std::string& text) {
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    if (absl::EqualsIgnoreCase(text, entry.code) || text == entry.id) {
      text = std::string(entry.code);
      return "";
    }
  }
  return absl::StrCat(text, ": there is no such cause; `vgpu-doctor list-causes` lists them");
}

}  // namespace

CLI::App* AddCheck(CLI::App& app, CheckOptions& options) {
  CLI::App* check = app.add_subcommand(
      "check", "Find out why Ollama does or does not see the virtual GPU, and what repairs it.");
  AddHostOptions(*check, options.host);
  check
      ->add_option("--log", options.log,
                   "Judge a log alone, in any form that people paste; - is standard input")
      ->type_name("FILE")
      ->option_text("FILE");
  check->add_option("--rule", options.rules, "Judge this cause only (may be given again)")
      ->transform(CLI::Validator(IsCode, "CODE"))
      ->option_text("CODE");
  check->add_option("--skip", options.skip, "Do not judge this cause (may be given again)")
      ->transform(CLI::Validator(IsCode, "CODE"))
      ->option_text("CODE");
  check->add_flag("--timeline", options.timeline,
                  "Show all that happened, and not only what concerns the last start");
  check->add_flag("--verbose", options.verbose,
                  "Name every cause that was ruled out, and not only those near a root cause");
  check->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  check->add_flag("--no-color", options.no_color, "No colours, also on a terminal");
  check->footer(
      "Exit status: 0 healthy, 1 problem, 2 usage or unreadable input, 3 inconclusive,\n"
      "70 a fault of vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor check\n"
      "  sudo vgpu-doctor check --unit my-ollama.service --format json\n"
      "  vgpu-doctor check --root /mnt/broken-vm\n"
      "  journalctl -u ollama | vgpu-doctor check --log -\n\n"
      "Root sees the environment and the libraries of another user's process. Without\n"
      "that, the report says what it could not see.");
  return check;
}

int RunCheck(const CheckOptions& options) {
  const HostOptions& host = options.host;
  if (!options.log.empty() && (!host.root.empty() || !host.unit.empty() || host.pid != 0)) {
    fputs("vgpu-doctor: --log judges a log alone: --root, --unit and --pid say nothing to it\n",
          stderr);
    return kUsage;
  }
  const std::optional<facts::Facts> facts =
      options.log.empty() ? GatherFacts(host) : GatherFactsOfLog(options.log, host.since);
  if (!facts) return kUsage;
  const report::Report report =
      diagnosis::Diagnose(*facts, {.only = options.rules, .skip = options.skip});
  report::TextStyle style = StyleOfStandardOutput(options.no_color);
  style.whole_timeline = options.timeline;
  style.all_ruled_out = options.verbose;
  const std::string text =
      options.format == "json" ? report::ToJson(report) : report::ToText(report, style);
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return report::ExitCode(report.verdict);
}

}  // namespace vgpu::doctor
