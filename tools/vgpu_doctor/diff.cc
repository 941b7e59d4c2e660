#include "tools/vgpu_doctor/diff.h"

#include <stdio.h>

#include <memory>
#include <optional>
#include <utility>

#include "diag/baseline/compare.h"
#include "diag/baseline/explain.h"
#include "diag/baseline/seal.h"
#include "diag/baseline/take.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/report/visible.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/baseline.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/meant.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
namespace {

// A baseline, and what differs from it.
struct Candidate {
  baseline::Snapshot snapshot;
  baseline::Comparison comparison;
};

size_t Differences(const baseline::Comparison& comparison) {
  size_t n = 0;
  for (const baseline::Change& change : comparison.changes) {
    n += change.how != baseline::Change::How::kNotObserved ? 1 : 0;
  }
  return n;
}

}  // namespace

CLI::App* AddDiff(CLI::App& app, DiffOptions& options) {
  CLI::App* command = app.add_subcommand(
      "diff-against-baseline",
      "Say what differs from a baseline, the difference that can explain most first.");
  command
      ->add_option("BASELINE", options.baselines,
                   "Files that `baseline save` wrote; of several, the nearest one is compared")
      ->required()
      ->type_name("FILE")
      ->option_text("FILE ...");
  AddHostOptions(*command, options.host);
  command->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  command->add_flag("--no-color", options.no_color, "No colours, also on a terminal");
  command->footer(
      "To be the same as a baseline is health only where that was taken while the GPU was found:\n"
      "it is called verified then, and the headline says where it is not.\n\n"
      "Exit status: 0 same, 1 drift, 2 usage or unreadable input (also a baseline that a newer\n"
      "vgpu-doctor wrote), 3 inconclusive, 70 a fault of vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor diff-against-baseline works.baseline.json\n"
      "  vgpu-doctor diff-against-baseline monday.baseline.json tuesday.baseline.json --root DIR");
  return command;
}

int RunDiff(const DiffOptions& options) {
  std::vector<Candidate> candidates;
  for (const std::string& name : options.baselines) {
    if (const std::string meant = MeantAsRoot("diff-against-baseline BASELINE", name);
        !meant.empty()) {
      fprintf(stderr, "vgpu-doctor: %s: a baseline stands there, and that is a host. %s\n",
              report::Visible(name).c_str(), report::Visible(meant).c_str());
      return kUsage;
    }
    std::optional<baseline::Snapshot> snapshot = LoadBaseline(name);
    if (!snapshot) return kUsage;
    candidates.push_back({*std::move(snapshot), {}});
  }
  command_line::Progress progress;
  HostOptions host_options = options.host;
  host_options.progress = &progress;
  const std::unique_ptr<host::Host> host = OpenHost(host_options);
  if (host == nullptr) return kUsage;
  // What the baseline is of is what is compared, unless the command line or a capture names a unit.
  if (host_options.unit.empty() && host_options.pid == 0 && !host->unit().present()) {
    host_options.unit = candidates.front().snapshot.unit;
  }
  const std::optional<facts::Facts> facts = GatherFacts(*host, host_options);
  if (!facts) return kUsage;
  const report::Report report = diagnosis::Diagnose(*facts);

  progress.Say("comparing with the baseline");
  const baseline::Carried carried = baseline::ReadCarried(*host);
  baseline::FileHashes hashes(*host);
  size_t nearest = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    // Sealed as the baseline is.
    const baseline::Sealer sealer =
        baseline::SealerFor(*host, carried, candidate.snapshot.salt, candidate.snapshot.seal_form);
    const baseline::Snapshot now = baseline::Take(
        *host, *facts, report.verdict,
        {.name = "", .sealer = sealer, .like = &candidate.snapshot, .carried = &carried}, hashes);
    candidate.comparison = baseline::Compare(candidate.snapshot, now);
    if (baseline::Distance(candidate.comparison) <
        baseline::Distance(candidates[nearest].comparison)) {
      nearest = i;
    }
  }
  baseline::Diff diff =
      baseline::Explain(candidates[nearest].snapshot, candidates[nearest].comparison, report);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i == nearest) continue;
    diff.others.push_back({candidates[i].snapshot.name, Differences(candidates[i].comparison)});
  }
  const std::string text = options.format == "json"
                               ? baseline::ToJson(diff)
                               : baseline::ToText(diff, StyleOfStandardOutput(options.no_color));
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return baseline::ExitCode(diff.verdict);
}

}  // namespace vgpu::doctor
