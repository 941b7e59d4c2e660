#include "tools/vgpu_doctor/check.h"

#include <stdio.h>

#include <memory>
#include <optional>
#include <utility>

#include "diag/diagnosis/diagnosis.h"
#include "diag/facts/gather.h"
#include "diag/host/live_host.h"
#include "diag/host/tree_host.h"
#include "diag/report/json.h"
#include "diag/report/report.h"
#include "diag/report/text.h"
#include "diag/report/visible.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {

CLI::App* AddCheck(CLI::App& app, CheckOptions& options) {
  CLI::App* check = app.add_subcommand(
      "check", "Find out why Ollama does or does not see the virtual GPU, and what repairs it.");
  check
      ->add_option("--root", options.root,
                   "Judge a captured host or a mounted system in DIR instead of this machine")
      ->type_name("DIR")
      // A script's unset variable is not this machine.
      ->check([](const std::string& dir) { return dir.empty() ? "names no directory" : ""; })
      ->option_text("DIR");
  check->add_option("--unit", options.unit, "The systemd unit to judge (default: ollama.service)")
      ->type_name("UNIT");
  check->add_option("--pid", options.pid, "Judge this process instead of the unit's main process")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22))
      ->option_text("PID");
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
      "  vgpu-doctor check --root /mnt/broken-vm\n\n"
      "Root sees the environment and the libraries of another user's process. Without\n"
      "that, the report says what it could not see.");
  return check;
}

int RunCheck(const CheckOptions& options) {
  std::unique_ptr<host::Host> host;
  if (options.root.empty()) {
    host = std::make_unique<host::LiveHost>();
  } else {
    absl::StatusOr<std::unique_ptr<host::TreeHost>> tree = host::TreeHost::Open(options.root);
    if (!tree.ok()) {
      fprintf(stderr, "vgpu-doctor: --root %s\n", report::Visible(tree.status().message()).c_str());
      return kUsage;
    }
    host = *std::move(tree);
    if (!host->running() && !host->Resolve("/etc").present() && !host->Resolve("/usr").present()) {
      fprintf(stderr,
              "vgpu-doctor: --root %s: is no host's root: it has neither etc/ nor usr/ nor "
              ".vgpu-capture/\n",
              report::Visible(options.root).c_str());
      return kUsage;
    }
  }
  facts::GatherOptions gather;
  gather.unit = options.unit;
  if (options.pid != 0) gather.pid = options.pid;
  const facts::Facts facts = facts::Gather(*host, gather);
  if (gather.pid && facts.process.absent()) {
    fprintf(stderr, "vgpu-doctor: --pid %d: there is no such process\n", *gather.pid);
    return kUsage;
  }
  const report::Report report = diagnosis::Diagnose(facts);
  const std::string text = options.format == "json"
                               ? report::ToJson(report)
                               : report::ToText(report, StyleOfStandardOutput(options.no_color));
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return report::ExitCode(report.verdict);
}

}  // namespace vgpu::doctor
