#include "tools/vgpu_doctor/check.h"

#include <stdio.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/facts/from_log.h"
#include "diag/facts/gather.h"
#include "diag/host/file_io.h"
#include "diag/host/live_host.h"
#include "diag/host/tree_host.h"
#include "diag/report/json.h"
#include "diag/report/report.h"
#include "diag/report/text.h"
#include "diag/report/visible.h"
#include "diag/rules/catalogue.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"
#include "tools/vgpu_doctor/time_argument.h"

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

// Null: `options.root` cannot be judged, and standard error says why.
std::unique_ptr<host::Host> OpenHost(const CheckOptions& options) {
  if (options.root.empty()) return std::make_unique<host::LiveHost>();
  absl::StatusOr<std::unique_ptr<host::TreeHost>> tree = host::TreeHost::Open(options.root);
  if (!tree.ok()) {
    fprintf(stderr, "vgpu-doctor: --root %s\n", report::Visible(tree.status().message()).c_str());
    return nullptr;
  }
  std::unique_ptr<host::Host> host = *std::move(tree);
  if (!host->running() && !host->Resolve("/etc").present() && !host->Resolve("/usr").present()) {
    fprintf(stderr,
            "vgpu-doctor: --root %s: is no host's root: it has neither etc/ nor usr/ nor "
            ".vgpu-capture/\n",
            report::Visible(options.root).c_str());
    return nullptr;
  }
  return host;
}

// False: `text` is no time, and standard error says so. An empty text sets nothing.
bool ReadSince(const std::string& text, absl::Time now, absl::TimeZone zone,
               std::optional<absl::Time>& since) {
  if (text.empty()) return true;
  absl::StatusOr<absl::Time> time = ParseTimeArgument(text, now, zone);
  if (!time.ok()) {
    fprintf(stderr, "vgpu-doctor: --since %s\n", report::Visible(time.status().message()).c_str());
    return false;
  }
  since = *time;
  return true;
}

// The facts that the options ask for; nothing where they cannot be had, and standard error
// says why.
std::optional<facts::Facts> GatherFacts(const CheckOptions& options) {
  std::optional<absl::Time> since;
  if (!options.log.empty()) {
    if (!ReadSince(options.since, absl::Now(), absl::LocalTimeZone(), since)) return std::nullopt;
    absl::StatusOr<std::unique_ptr<host::ByteSource>> input = host::OpenInput(options.log);
    if (!input.ok()) {
      fprintf(stderr, "vgpu-doctor: --log %s\n", report::Visible(input.status().message()).c_str());
      return std::nullopt;
    }
    facts::Facts facts =
        facts::FromLog(**input, {.name = options.log == "-" ? "standard input" : options.log,
                                 .since = since.value_or(absl::InfinitePast())});
    if (const ollama::DiscoveryLog& log = *facts.log.journal; !log.status.ok() && log.lines == 0) {
      fprintf(stderr, "vgpu-doctor: --log %s: %s\n", report::Visible(options.log).c_str(),
              report::Visible(log.status.message()).c_str());
      return std::nullopt;
    }
    return facts;
  }
  std::unique_ptr<host::Host> host = OpenHost(options);
  if (host == nullptr) return std::nullopt;
  facts::GatherOptions gather;
  gather.unit = options.unit;
  if (options.pid != 0) gather.pid = options.pid;
  if (!ReadSince(options.since, host->observed_at().value_or(absl::Now()), host->time_zone(),
                 gather.since)) {
    return std::nullopt;
  }
  facts::Facts facts = facts::Gather(*host, gather);
  if (gather.pid && facts.process.absent()) {
    fprintf(stderr, "vgpu-doctor: --pid %d: there is no such process\n", *gather.pid);
    return std::nullopt;
  }
  return facts;
}

}  // namespace

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
  check
      ->add_option("--log", options.log,
                   "Judge a log alone, in any form that people paste; - is standard input")
      ->type_name("FILE")
      ->option_text("FILE");
  check
      ->add_option("--since", options.since,
                   "Leave out log entries from before TIME (\"2h ago\", \"2026-02-24 10:06\")")
      ->option_text("TIME");
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
  if (!options.log.empty() &&
      (!options.root.empty() || !options.unit.empty() || options.pid != 0)) {
    fputs("vgpu-doctor: --log judges a log alone: --root, --unit and --pid say nothing to it\n",
          stderr);
    return kUsage;
  }
  const std::optional<facts::Facts> facts = GatherFacts(options);
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
