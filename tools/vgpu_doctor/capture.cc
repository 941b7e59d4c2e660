#include "tools/vgpu_doctor/capture.h"

#include <stdio.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/archive/zstd.h"
#include "diag/baseline/carried.h"
#include "diag/baseline/seal.h"
#include "diag/baseline/take.h"
#include "diag/capture/recording_host.h"
#include "diag/capture/redactor.h"
#include "diag/capture/write_capture.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "diag/timeline/timeline.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/new_file.h"
#include "tools/vgpu_doctor/what_is_missing.h"

namespace vgpu::doctor {
namespace {

constexpr char kSuffix[] = ".tar.zst";
// Who is handed a capture that holds secrets has to see it.
constexpr char kUnredacted[] = "-unredacted";

// "vgpu-capture-test10-20260224T151200Z"
std::string OwnName(const host::Host& host) {
  std::string name;
  for (const char c : host.hostname().value_or("")) {
    if (absl::ascii_isalnum(c) || (c == '-' || c == '.')) name.push_back(c);
  }
  if (name.empty()) name = "host";
  return absl::StrCat("vgpu-capture-", name.substr(0, 64), "-",
                      absl::FormatTime("%Y%m%dT%H%M%SZ", host.observed_at().value_or(absl::Now()),
                                       absl::UTCTimeZone()));
}

// The file to write, which says so where secrets are in it.
std::string FileName(const CaptureCommandOptions& options, const host::Host& host) {
  std::string name = options.output.empty() ? OwnName(host) + kSuffix : options.output;
  if (!options.no_redact || absl::StrContains(host::Basename(name), "unredacted")) return name;
  const bool suffix = absl::EndsWith(name, kSuffix);
  if (suffix) name.resize(name.size() - (sizeof(kSuffix) - 1));
  return absl::StrCat(name, kUnredacted, suffix ? kSuffix : "");
}

capture::Redactor RedactorFor(const facts::Facts& facts) {
  capture::Redactor redactor(capture::RandomKey());
  for (const systemd::EnvironmentFileSetting& file : facts.unit.on_disk.environment_files) {
    redactor.AddEnvironmentFile(file.path);
  }
  if (facts.unit.loaded.present()) {
    const auto loaded = facts.unit.loaded->EnvironmentFiles();
    for (const systemd::ShownEnvironmentFile& file : loaded.value_or({})) {
      redactor.AddEnvironmentFile(file.path);
    }
  }
  if (facts.process.present()) redactor.KeepCommandLineOf(facts.process->pid);
  for (const facts::ProcessFacts& child : facts.children) redactor.KeepCommandLineOf(child.pid);
  return redactor;
}

// Looks at all that the other commands look at, too: what a state is made of, and what happened.
// The first, with inner seals.
baseline::Snapshot LookFurther(const host::Host& host, const capture::RecordingHost& recording,
                               const facts::Facts& facts, const HostOptions& options) {
  const baseline::Carried carried = baseline::ReadCarried(host);
  const baseline::Sealer sealer = baseline::SealerFor(host, carried, /*salt=*/"");
  baseline::FileHashes hashes(recording);
  baseline::Snapshot snapshot = baseline::Take(recording, facts, report::Verdict::kInconclusive,
                                               {.sealer = sealer, .carried = &carried}, hashes);
  if (const std::optional<facts::Facts> story = GatherStory(recording, options)) {
    timeline::Tell(&recording, *story, diagnosis::Diagnose(*story));
  }
  return snapshot;
}

// What redaction has hidden from a baseline, sealed.
std::string Seals(const baseline::Snapshot& of_host, const host::Host& captured,
                  const HostOptions& options, int pid) {
  const std::optional<facts::Facts> facts = GatherFacts(captured, options);
  if (!facts) return "";
  const baseline::Carried nothing;
  const baseline::Sealer sealer = baseline::Sealer::OfCapture("", "", baseline::kSealForm);
  baseline::FileHashes hashes(captured);
  const baseline::Snapshot of_capture =
      baseline::Take(captured, *facts, report::Verdict::kInconclusive,
                     {.sealer = sealer, .carried = &nothing}, hashes);
  return baseline::CarriedText(baseline::Carry(of_host, of_capture, pid));
}

absl::StatusOr<capture::CaptureSummary> Write(const host::Host& host, const capture::Record& record,
                                              const capture::Redactor* redactor,
                                              const capture::CaptureOptions& options,
                                              archive::ByteSink& sink) {
  archive::ZstdSink compressed(sink);
  absl::StatusOr<capture::CaptureSummary> summary =
      capture::WriteCapture(host, record, redactor, options, compressed);
  if (!summary.ok()) return summary;
  if (absl::Status status = compressed.Finish(); !status.ok()) return status;
  return summary;
}

int Fail(const absl::Status& status, int code) {
  fprintf(stderr, "vgpu-doctor: %s\n", report::Visible(status.message()).c_str());
  return code;
}

}  // namespace

CLI::App* AddCapture(CLI::App& app, CaptureCommandOptions& options) {
  CLI::App* command = app.add_subcommand(
      "capture", "Write down all that check looks at, so that another person can judge the host.");
  command
      ->add_option("-o,--output", options.output,
                   "The archive to write (default: vgpu-capture-HOST-TIME.tar.zst); - is standard "
                   "output")
      ->type_name("FILE")
      ->option_text("FILE");
  AddHostOptions(*command, options.host);
  command->add_flag("--no-redact", options.no_redact,
                    "Keep secrets; the file's name says so (\"unredacted\")");
  command->footer(
      "Secrets are taken out before anything is written: values of environment variables that\n"
      "no diagnosis needs become hashes, and passwords, tokens and keys are left out of command\n"
      "lines, units, scripts and logs. Only the owner may read the file. Nothing is "
      "overwritten.\n\n"
      "Exit status: 0 written, 2 usage or unreadable input, 70 the archive could not be "
      "written.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor capture\n"
      "  sudo vgpu-doctor capture -o case-4711.tar.zst --unit my-ollama.service\n"
      "  ssh root@host vgpu-doctor capture -o - | vgpu-doctor check --root -\n\n"
      "Root sees the environment and the libraries of another user's process. Without that, the\n"
      "capture says what could not be read.");
  return command;
}

int RunCapture(const CaptureCommandOptions& options) {
  const bool to_output = options.output == "-";
  if (to_output && options.no_redact) {
    fputs(
        "vgpu-doctor: --no-redact names the file \"unredacted\", and standard output has no "
        "name: give a file with -o\n",
        stderr);
    return kUsage;
  }
  if (to_output && isatty(STDOUT_FILENO)) {
    fputs(
        "vgpu-doctor: the capture is an archive, and standard output is a terminal: name a file "
        "with -o, or direct standard output elsewhere\n",
        stderr);
    return kUsage;
  }
  command_line::Progress progress;
  HostOptions host_options = options.host;
  host_options.progress = &progress;
  const std::unique_ptr<host::Host> host = OpenHost(host_options);
  if (host == nullptr) return kUsage;

  capture::Record record;
  const capture::RecordingHost recording(*host, record);
  const std::string name = to_output ? "standard output" : FileName(options, recording);
  std::optional<NewFile> file;
  if (!to_output) {
    absl::StatusOr<NewFile> created = NewFile::Create(name);
    if (!created.ok()) return Fail(created.status(), kUsage);
    file.emplace(*std::move(created));
  }
  const std::optional<facts::Facts> facts = GatherFacts(recording, host_options);
  if (!facts) return kUsage;

  std::string directory = OwnName(recording);
  if (options.no_redact) directory += kUnredacted;
  const baseline::Snapshot snapshot = LookFurther(*host, recording, *facts, host_options);
  const capture::CaptureOptions how = {.directory = directory,
                                       .unit = facts->unit_judged ? facts->unit.name : "",
                                       .tool_version = report::kToolVersion,
                                       .seals = [&](const host::Host& captured) {
                                         return Seals(snapshot, captured, host_options,
                                                      baseline::ProcessOf(*facts));
                                       }};
  const capture::Redactor redactor = RedactorFor(*facts);
  FileSink output(host::Fd(to_output ? dup(STDOUT_FILENO) : -1), name);
  progress.Say(absl::StrCat("writing ", name));
  const absl::StatusOr<capture::CaptureSummary> written =
      Write(recording, record, options.no_redact ? nullptr : &redactor, how,
            file ? static_cast<archive::ByteSink&>(*file) : output);
  progress.Hide();
  if (!written.ok()) return Fail(written.status(), kFault);
  if (file) {
    if (absl::Status status = file->Publish(); !status.ok()) return Fail(status, kFault);
  }
  const std::string pid =
      options.host.pid != 0 ? absl::StrCat(" --pid ", options.host.pid) : std::string();
  fprintf(stderr,
          "vgpu-doctor: wrote %s: %zu answers of the host (%zu that something is absent), %s\n",
          report::Visible(name).c_str(), written->looks, written->absent,
          options.no_redact ? "with the secrets that they hold" : "secrets redacted");
  const bool root_sees_more =
      options.host.root.empty() && recording.observer_uid().value_or(0) != 0;
  for (const std::string& line : WhatIsMissing(written->not_observed, root_sees_more))
    fprintf(stderr, "vgpu-doctor: %s\n", line.c_str());
  if (file) {
    fprintf(stderr, "vgpu-doctor: to judge it: vgpu-doctor check --root %s%s\n",
            report::Visible(name).c_str(), pid.c_str());
  }
  return 0;
}

}  // namespace vgpu::doctor
