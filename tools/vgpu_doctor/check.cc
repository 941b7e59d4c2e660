#include "tools/vgpu_doctor/check.h"

#include <stdio.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/host/file_io.h"
#include "diag/probe/parse.h"
#include "diag/report/report.h"
#include "diag/report/visible.h"
#include "tools/vgpu_doctor/cause_name.h"
#include "tools/vgpu_doctor/exit_codes.h"

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
  AddHostOptions(*check, options.host);
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
      "70 a fault of vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor check\n"
      "  sudo vgpu-doctor check --unit my-ollama.service --format json\n"
      "  sudo vgpu-doctor check --format markdown        # to paste into a ticket\n"
      "  vgpu-doctor check --root /mnt/broken-vm\n"
      "  journalctl -u ollama | vgpu-doctor check --log -\n\n"
      "Root sees the environment and the libraries of another user's process. Without\n"
      "that, the report says what it could not see.");
  return check;
}

int RunCheck(const CheckOptions& options) {
  HostOptions host = options.host;
  if (!options.log.empty() && (!host.root.empty() || !host.unit.empty() || host.pid != 0)) {
    fputs("vgpu-doctor: --log judges a log alone: --root, --unit and --pid say nothing to it\n",
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
  const std::optional<facts::Facts> facts =
      options.log.empty() ? GatherFacts(host) : GatherFactsOfLog(options.log, host.since);
  if (!facts) return kUsage;
  const report::Report report =
      diagnosis::Diagnose(*facts, {.only = options.rules, .skip = options.skip});
  return PrintReport(report, options.print);
}

}  // namespace vgpu::doctor
