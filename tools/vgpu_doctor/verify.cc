#include "tools/vgpu_doctor/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include <optional>

#include "diag/host/file_io.h"
#include "diag/host/live_host.h"
#include "diag/report/probe_json.h"
#include "diag/report/probe_text.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/open_host.h"
#include "tools/vgpu_doctor/output.h"
#include "tools/vgpu_doctor/terminal.h"
#include "tools/vgpu_doctor/verify/embedded_probe.h"
#include "tools/vgpu_doctor/verify/verify_steps.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

// The probe program as a file without a path. Not ok: errno says why.
host::Fd ProbeProgram() {
  // Kernels before 6.3 do not know that one asks to execute it, and let everybody.
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  host::Fd fd(memfd_create("vgpu-probe", kFlags | MFD_EXEC));
  if (!fd.ok() && errno == EINVAL) fd = host::Fd(memfd_create("vgpu-probe", kFlags));
  if (fd.ok() && !WriteAll(fd.get(), EmbeddedProbe())) return host::Fd();
  // A process of the service could open it by /proc/PID/exe of a step, and write.
  if (fd.ok() &&
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return host::Fd();
  }
  return fd;
}

int ExitCodeOf(probe::Verdict verdict) {
  switch (verdict) {
    case probe::Verdict::kHealthy:
      return report::ExitCode(report::Verdict::kHealthy);
    case probe::Verdict::kProblem:
      return report::ExitCode(report::Verdict::kProblem);
    case probe::Verdict::kInconclusive:
      break;
  }
  return report::ExitCode(report::Verdict::kInconclusive);
}

}  // namespace

CLI::App* AddVerify(CLI::App& app, VerifyOptions& options) {
  CLI::App* verify = app.add_subcommand(
      "verify", "Do what discovery does, step by step, in the place of the running service.");
  verify->add_option("--unit", options.unit, "The systemd unit (default: ollama.service)")
      ->type_name("UNIT");
  verify->add_option("--pid", options.pid, "This process instead of the unit's main process")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22))
      ->option_text("PID");
  verify->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  verify
      ->add_option("-o,--output", options.output,
                   "Also write the JSON result to FILE, for check --probe FILE")
      ->type_name("FILE")
      ->option_text("FILE");
  verify->add_flag("--no-color", options.no_color, "No colours, also on a terminal");
  verify->footer(
      "A small program is run for each step with the service's user, groups, capabilities,\n"
      "namespaces, limits and environment: it opens NVML, the driver's library, the runtime\n"
      "and Ollama's backend, and reads the PCI function's files. Then Ollama's own discovery\n"
      "is run as the server runs it. The service is not touched, but that one of its threads\n"
      "stops for the moment in which its filters of system calls, if it has any, are read. A\n"
      "step that crashes or hangs is a result.\n\n"
      "Exit status: 0 the GPU is found and all agree, 1 a step failed or two disagree,\n"
      "2 usage, 3 inconclusive, 70 a fault of vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor verify\n"
      "  sudo vgpu-doctor verify -o probe.json; sudo vgpu-doctor check --probe probe.json");
  return verify;
}

int RunVerify(const VerifyOptions& options) {
  HostOptions host_options;
  host_options.unit = options.unit;
  host_options.pid = options.pid;
  command_line::Progress progress;
  host_options.progress = &progress;
  const host::LiveHost host;
  const std::optional<facts::Facts> facts = GatherFacts(host, host_options);
  if (!facts) return kUsage;
  const host::Fd program = ProbeProgram();
  if (!program.ok()) {
    fprintf(stderr,
            "vgpu-doctor: the probe program could not be put into memory: %s; "
            "vm.memfd_noexec may forbid it (sysctl vm.memfd_noexec)\n",
            host::ErrnoText(errno).c_str());
    return kFault;
  }
  const probe::Result result =
      VerifySteps(host, *facts, program.get(), [&](absl::string_view what) { progress.Say(what); });
  progress.Hide();
  const std::string json = report::ProbeToJson(result, facts->time_zone);
  if (!options.output.empty()) {
    if (const int status = WriteOutput(json, options.output); status != 0) return status;
  }
  const std::string text =
      options.format == "json"
          ? json
          : report::ProbeToText(result, StyleOfStandardOutput(options.no_color));
  if (const int status = WriteOutput(text, "-"); status != 0) return status;
  return ExitCodeOf(result.verdict);
}

}  // namespace vgpu::doctor
