#include "tools/vgpu_doctor/check.h"

#include <stdio.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "diag/diagnosis/cut_log.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/host/file_io.h"
#include "diag/probe/parse.h"
#include "diag/report/report.h"
#include "diag/report/visible.h"
#include "diag/timeline/timeline.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/cause_name.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/fleet.h"

namespace vgpu::doctor {

namespace {

constexpr size_t kProbeLimit = size_t{4} << 20;

// A code, or the name of a cause; "" where it is one.
std::string IsCode(std::string& text) {
  const rules::CatalogueEntry* entry = FindCause(text);
  if (entry == nullptr) return NoSuchCause(text);
  text = std::string(entry->code);
  return "";
}

// Nothing: it is no such file, and standard error says why.
std::optional<facts::GivenProbe> ReadProbe(const std::string& name) {
  const auto refuse = [&](absl::string_view why) {
    fprintf(stderr, "vgpu-doctor: --probe %s: %s\n", report::Visible(name).c_str(),
            report::Visible(why).c_str());
    return std::nullopt;
  };
  absl::StatusOr<std::unique_ptr<host::ByteSource>> input = host::OpenInput(name);
  if (!input.ok()) return refuse(input.status().message());
  facts::GivenProbe probe{name, ""};
  char buffer[64 << 10];
  while (probe.text.size() <= kProbeLimit) {
    const absl::StatusOr<size_t> n = (*input)->Read(buffer, sizeof(buffer));
    if (!n.ok()) return refuse(n.status().message());
    if (*n == 0) {
      const absl::StatusOr<probe::Result> result = probe::ParseResult(probe.text);
      if (!result.ok()) return refuse(result.status().message());
      return probe;
    }
    probe.text.append(buffer, *n);
  }
  return refuse("it is longer than a result can be");
}

}  // namespace

CLI::App* AddCheck(CLI::App& app, CheckOptions& options) {
  CLI::App* check = app.add_subcommand(
      "check", "Find out why Ollama does or does not see the virtual GPU, and what repairs it.");
  AddHostsOptions(*check, options.host, options.roots);
  check
      ->add_option("--each", options.each,
                   "Judge every captured host in DIR (roots and archives), in one table")
      ->type_name("DIR")
      ->check([](const std::string& dir) { return dir.empty() ? "names no directory" : ""; })
      ->option_text("DIR...");
  check
      ->add_option("--log", options.log,
                   "Judge a log alone, in any form that people paste; - is standard input")
      ->type_name("FILE")
      ->option_text("FILE");
  check
      ->add_option("--probe", options.probe,
                   "Take what `vgpu-doctor verify --format json` wrote to FILE as evidence")
      ->type_name("FILE")
      ->option_text("FILE");
  check->add_option("--rule", options.rules, "Judge this cause only (may be given again)")
      ->transform(CLI::Validator(IsCode, "CODE"))
      ->option_text("CODE");
  check->add_option("--skip", options.skip, "Do not judge this cause (may be given again)")
      ->transform(CLI::Validator(IsCode, "CODE"))
      ->option_text("CODE");
  AddPrintOptions(*check, options.print);
  check->footer(
      "Exit status: 0 healthy, 1 problem, 2 usage or unreadable input, 3 inconclusive,\n"
      "70 a fault of vgpu-doctor itself. Of several hosts the worst counts: 70, 2, 1, 3, 0.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor check\n"
      "  sudo vgpu-doctor check --unit my-ollama.service --format json\n"
      "  sudo vgpu-doctor check --format markdown        # to paste into a ticket\n"
      "  vgpu-doctor check --root /mnt/broken-vm\n"
      "  vgpu-doctor check --root *.tar.zst              # many machines, in one table\n"
      "  vgpu-doctor check --each captures --format json\n"
      "  journalctl -u ollama | vgpu-doctor check --log -\n\n"
      "Root sees the environment and the libraries of another user's process. Without\n"
      "that, the report says what it could not see.");
  return check;
}

int RunCheck(const CheckOptions& options) {
  HostOptions host = options.host;
  const bool captured = !options.roots.empty() || !options.each.empty();
  if (!options.log.empty() && (captured || !host.unit.empty() || host.pid != 0)) {
    fputs(
        "vgpu-doctor: --log judges a log alone: --root, --each, --unit and --pid say nothing to "
        "it\n",
        stderr);
    return kUsage;
  }
  if (!options.probe.empty()) {
    if (!options.log.empty()) {
      fputs("vgpu-doctor: --log judges a log alone: --probe says nothing to it\n", stderr);
      return kUsage;
    }
    host.probe = ReadProbe(options.probe);
    if (!host.probe) return kUsage;
  }
  command_line::Progress progress(!options.print.quiet);
  host.progress = &progress;
  const diagnosis::Selection selection = {.only = options.rules, .skip = options.skip};
  std::vector<std::string> roots = options.roots;
  for (const std::string& directory : options.each) {
    const std::optional<std::vector<std::string>> hosts = HostsIn(directory, options.print.quiet);
    if (!hosts) return kUsage;
    roots.insert(roots.end(), hosts->begin(), hosts->end());
  }
  if (roots.size() > 1 || !options.each.empty())
    return CheckFleet(roots, host, selection, options.print);
  if (!roots.empty()) host.root = roots[0];
  std::unique_ptr<host::Host> opened;  // null: a log alone
  if (options.log.empty() && (opened = OpenHost(host)) == nullptr) return kUsage;
  const std::optional<facts::Facts> facts =
      opened != nullptr ? GatherFacts(*opened, host) : GatherFactsOfLog(options.log, host);
  if (!facts) return kUsage;
  report::Report report = diagnosis::Diagnose(*facts, selection);
  timeline::TellOptions tell;
  tell.extent = options.print.timeline || options.print.verbose ? timeline::Extent::kAll
                                                                : timeline::Extent::kLastStart;
  if (!host.since.empty()) {
    tell.since = SinceOf(opened.get(), host);
    diagnosis::NameTheCut(*facts, tell.since, report);
  }
  report.timeline =
      timeline::EventsOf(timeline::Tell(opened.get(), *facts, report, tell), tell.extent);
  progress.Hide();
  return PrintReport(report, options.print);
}

}  // namespace vgpu::doctor
