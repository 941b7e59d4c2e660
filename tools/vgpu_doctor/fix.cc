#include "tools/vgpu_doctor/fix.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/host/subprocess.h"
#include "diag/report/report.h"
#include "diag/rules/steps.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/meant.h"
#include "tools/vgpu_doctor/repair/apply.h"
#include "tools/vgpu_doctor/repair/plan.h"
#include "tools/vgpu_doctor/repair/shown_plan.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
namespace {

// A service may take its TimeoutStopSec= to end (90 s unless it is set) and then start.
constexpr absl::Duration kManagerTime = absl::Minutes(5);
constexpr size_t kManagerOutput = 4096;

constexpr int kProblem = 1;

volatile sig_atomic_t interrupted = 0;

void Interrupt(int) { interrupted = 1; }

// An interruption ends a wait or a question, and never a change half-way.
void CatchInterruptions() {
  struct sigaction action = {};
  action.sa_handler = Interrupt;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a reader of standard output that has gone away
  sigaction(SIGPIPE, &action, nullptr);
}

std::optional<Seen> Look(const HostOptions& host) {
  const std::optional<facts::Facts> facts = GatherFacts(host);
  if (!facts) return std::nullopt;
  Seen seen;
  seen.report = diagnosis::Diagnose(*facts, {});
  seen.runs = facts->process.present();
  const ollama::ServerStart* start = facts->ThisStart();
  seen.discovery_ended = seen.runs && start != nullptr && start->Result() != nullptr;
  seen.has_failed = facts->unit.active_state.value_or("") == "failed";
  return seen;
}

absl::Status Systemctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"systemctl"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  absl::StatusOr<host::ProcessResult> result = host::RunProcess(argv, kManagerOutput, kManagerTime);
  if (!result.ok()) return result.status();
  if (result->signal == 0 && result->exit_status == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(absl::StrJoin(argv, " "), ": ", host::DescribeFailure(*result)));
}

// Of a person at a terminal.
bool Agrees(const std::string& unit) {
  if (isatty(STDIN_FILENO) == 0) return false;
  fprintf(stderr,
          "Restart %s? Requests that are running are cut off, and loaded models are unloaded. "
          "[y/N] ",
          Safe(unit).c_str());
  char answer[16] = {};
  if (fgets(answer, sizeof answer, stdin) == nullptr) return false;
  return answer[0] == 'y' || answer[0] == 'Y';
}

bool Wait(absl::Duration duration) {
  const timespec time = absl::ToTimespec(duration);
  return interrupted == 0 && (nanosleep(&time, nullptr) == 0 || interrupted == 0);
}

std::string CommandLine(const FixOptions& options) {
  std::string command = "sudo vgpu-doctor fix";
  if (!options.code.empty()) absl::StrAppend(&command, " ", rules::ShellQuoted(Safe(options.code)));
  if (!options.host.unit.empty()) {
    absl::StrAppend(&command, " --unit ", rules::ShellQuoted(Safe(options.host.unit)));
  }
  if (options.host.pid != 0) absl::StrAppend(&command, " --pid ", options.host.pid);
  return absl::StrCat(command, " --apply");
}

int Width() { return StyleOfStandardOutput(/*no_color=*/true).width; }

// False: standard output cannot be written, and standard error says so.
bool Print(const std::string& text) {
  if (fwrite(text.data(), 1, text.size(), stdout) == text.size() && fflush(stdout) == 0) {
    return true;
  }
  perror("vgpu-doctor: standard output");
  return false;
}

int ApplyPlan(const FixOptions& options, HostOptions host, const Plan& plan, const Seen& before) {
  const bool json = options.format == "json";
  command_line::Progress& progress = *host.progress;
  CatchInterruptions();
  World world;
  world.systemctl = [&](const std::vector<std::string>& arguments) {
    progress.Say(absl::StrCat("systemctl ", absl::StrJoin(arguments, " ")));
    return Systemctl(arguments);
  };
  world.may_restart = [&](const std::string& unit) {
    progress.Hide();
    return options.yes || Agrees(unit);
  };
  // A process that was named ends with the restart: what its unit runs then is looked at.
  world.look = [&] {
    if (host.pid != 0 && kill(host.pid, 0) != 0 && errno == ESRCH) {
      host.pid = 0;
      host.unit = before.report.subject.unit;
    }
    return Look(host);
  };
  world.now = absl::Now;
  world.wait = [&](absl::Duration duration) {
    progress.Say("waiting until discovery has ended");
    return Wait(duration);
  };
  // Where standard output has gone away, the repair goes on to its end all the same.
  world.say = [&](const std::string& line) {
    progress.Hide();
    if (!json) printf("  %s\n", Safe(line).c_str());
    fflush(stdout);
  };
  const std::string stamp = absl::FormatTime("%Y%m%dT%H%M%SZ", absl::Now(), absl::UTCTimeZone());
  const Outcome outcome = Apply(plan, before, stamp, world);
  progress.Hide();
  const bool printed =
      Print(json ? PlanJson(before.report, plan, &outcome) : OutcomeText(plan, outcome, Width()));
  if (!printed) return kFault;
  const bool all = plan.automatic == plan.repairs.size() &&
                   std::all_of(outcome.results.begin(), outcome.results.end(),
                               [](const Result& result) { return result.end == End::kRepaired; });
  if (!all || !outcome.after) return kProblem;
  return report::ExitCode(outcome.after->verdict);
}

}  // namespace

CLI::App* AddFix(CLI::App& app, FixOptions& options) {
  CLI::App* fix = app.add_subcommand(
      "fix", "Show the repair of what `check` diagnoses, or carry it out (--apply).");
  AddHostOptions(*fix, options.host);
  fix->add_option("CODE", options.code,
                  "Repair this cause only, which check must have named; it may be one that acts "
                  "after the next start");
  fix->add_flag("--apply", options.apply,
                "Do it, with a backup beside each changed file; judge again, and take back what "
                "did not help");
  fix->add_flag("--yes", options.yes, "Restart the service without a question");
  fix->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  fix->footer(
      "Without --apply nothing is changed. Steps that need a person (to install what is missing,\n"
      "to choose) are shown, and --apply stops before them.\n\n"
      "Exit status: that of check, of the last judgement; with --apply 1 as well where a repair\n"
      "is not in force and proved.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor fix\n"
      "  sudo vgpu-doctor fix --apply\n"
      "  sudo vgpu-doctor fix VG401 --apply --yes --format json");
  return fix;
}

int RunFix(const FixOptions& options) {
  if (const std::string meant = MeantAsRoot("fix", options.code); !meant.empty()) {
    fprintf(stderr, "vgpu-doctor: fix %s: a cause stands there, and that is a host. %s\n",
            Safe(options.code).c_str(), Safe(meant).c_str());
    return kUsage;
  }
  if (options.apply && !options.host.root.empty()) {
    fputs(
        "vgpu-doctor: fix --apply changes the machine that it runs on: --root has no place there\n",
        stderr);
    return kUsage;
  }
  if (options.apply && geteuid() != 0) {
    fputs("vgpu-doctor: fix --apply needs root; nothing was changed. Try sudo\n", stderr);
    return kUsage;
  }
  command_line::Progress progress;
  HostOptions host = options.host;
  host.progress = &progress;
  const std::optional<Seen> seen = Look(host);
  progress.Hide();
  if (!seen) return kUsage;
  const absl::StatusOr<Plan> plan = MakePlan(seen->report, options.code);
  if (!plan.ok()) {
    fprintf(stderr, "vgpu-doctor: %s\n", Safe(plan.status().message()).c_str());
    return kUsage;
  }
  const bool applies = options.apply && plan->automatic > 0;
  const std::string text =
      options.format == "json"
          ? applies ? "" : PlanJson(seen->report, *plan, nullptr)
          : PlanText(seen->report, *plan, applies ? "" : CommandLine(options), Width());
  if (!Print(text)) return kFault;
  if (applies) return ApplyPlan(options, host, *plan, *seen);
  if (options.apply && !plan->repairs.empty()) {
    fputs("vgpu-doctor: nothing was changed: the first repair is a person's\n", stderr);
    return kProblem;
  }
  return report::ExitCode(seen->report.verdict);
}

}  // namespace vgpu::doctor
