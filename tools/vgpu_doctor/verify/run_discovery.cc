#include "tools/vgpu_doctor/verify/run_discovery.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "diag/host/http_get.h"
#include "diag/probe/answers.h"
#include "diag/probe/conclude.h"
#include "tools/vgpu_doctor/verify/service_environment.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

// What Ollama itself waits (discover/runner.go, discover/native_probe.go).
constexpr absl::Duration kDiscoveryLimit = absl::Seconds(30);
constexpr absl::Duration kGpuDiscoverLimit = absl::Seconds(15);
// One that says nothing of itself is passed over, by Ollama too.
constexpr absl::Duration kStartLimit = absl::Seconds(10);
// Of those that Ollama takes one from (49152 to 65534). Before it listens there, it has said its
// system_info.
constexpr char kAnyPort[] = "49153";
// Less than what is taken of a child's answer, so that one that is too long is told as such.
constexpr size_t kInfoLimit = size_t{128} << 10;
constexpr size_t kMaxMessages = 40;
constexpr size_t kMessageLimit = 1024;

void WriteAnswer(absl::string_view text) { WriteAll(kAnswerFd, text); }

// A port of the loopback that nobody has; 0: there is none. As the server finds one.
uint16_t FreePort() {
  const host::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (!fd.ok() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return 0;
  }
  return ntohs(address.sin_port);
}

// In a child, in the place. The answer's first line says what came of it:
//   info          and the body behind it
//   exit N        the runner ended by itself, or
//   signal N      by a signal, before it had answered
//   problem TEXT  it could not be started, or asked
//   timeout       it did not answer in time
int AskRunner(const std::string& exe, const std::vector<std::string>& environment) {
  const uint16_t port = FreePort();
  if (port == 0) {
    WriteAnswer("problem the loopback interface of the service has no free port\n");
    return 0;
  }
  const absl::Duration deadline = SteadyNow() + kDiscoveryLimit;
  const pid_t runner = StartProgram(
      exe, {exe, "runner", "--ollama-engine", "--port", absl::StrCat(port)}, environment);
  if (runner < 0) {
    WriteAnswer(absl::StrCat("problem ", exe, ": ", host::ErrnoText(errno), "\n"));
    return 0;
  }
  std::string answer = "timeout\n";
  while (SteadyNow() < deadline) {
    absl::StatusOr<std::string> info =
        host::HttpGet(port, "/info", kInfoLimit, deadline - SteadyNow());
    if (info.ok()) {
      answer = absl::StrCat("info\n", *info);
      break;
    }
    int status = 0;
    if (waitpid(runner, &status, WNOHANG) == runner) {
      answer = WIFSIGNALED(status) ? absl::StrCat("signal ", WTERMSIG(status), "\n")
                                   : absl::StrCat("exit ", WEXITSTATUS(status), "\n");
      WriteAnswer(answer);
      return 0;
    }
    if (absl::StrContains(info.status().message(), "answered ")) {
      answer = absl::StrCat("problem GET /info: ", info.status().message(), "\n");
      break;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  kill(runner, SIGKILL);
  waitpid(runner, nullptr, 0);
  WriteAnswer(answer);
  return 0;
}

void Fail(std::string why, probe::Step& step) {
  step.status = probe::StepStatus::kFailed;
  step.why = std::move(why);
}

// Devices were found, or it is why not.
void Found(std::vector<probe::Device> devices, probe::Step& step) {
  step.devices = std::move(devices);
  step.status = probe::StepStatus::kOk;
  if (step.devices.empty()) Fail("It names no device of CUDA", step);
}

ChildTask TaskOf(const std::string& path, std::vector<std::string> argv,
                 const ollama::Variables& variables) {
  ChildTask task;
  task.path = path;
  task.argv = std::move(argv);
  task.environment = AsBlock(variables);
  return task;
}

std::string LastLine(const probe::Step& step) {
  return step.messages.empty() ? "" : absl::StrCat(": ", step.messages.back());
}

}  // namespace

bool EndedByItself(const ChildOutcome& outcome, probe::Step& step) {
  step.seconds = absl::ToDoubleSeconds(outcome.took);
  step.exit_status = outcome.exit_status;
  step.signal = outcome.signal;
  step.timed_out = outcome.timed_out;
  for (absl::string_view line : absl::StrSplit(outcome.err, '\n')) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    if (step.messages.size() == kMaxMessages) break;
    step.messages.emplace_back(line.substr(0, kMessageLimit));
  }
  if (!outcome.not_started.empty()) {
    step.status = probe::StepStatus::kNotRun;
    step.why = outcome.not_started;
    return false;
  }
  const std::string how = probe::HowItEnded(step);
  if (how.empty()) return true;
  const std::string where = step.call.empty() ? "" : absl::StrCat(" in ", step.call);
  Fail(absl::StrCat("It ", outcome.signal != 0 ? "was " : "", how, where), step);
  return false;
}

void RunRunner(const Place& place, const std::string& exe, const ollama::Variables& variables,
               probe::Step& step) {
  const std::vector<std::string> environment = AsBlock(variables);
  ChildTask task;
  task.work = [&] { return AskRunner(exe, environment); };
  task.limit = kDiscoveryLimit + absl::Seconds(5);
  const ChildOutcome outcome = RunInPlace(place, task);
  if (!EndedByItself(outcome, step)) return;
  absl::string_view answer = outcome.answer;
  if (absl::ConsumePrefix(&answer, "info\n")) {
    std::optional<std::vector<probe::Device>> devices = probe::ParseRunnerInfo(answer);
    if (devices) return Found(*std::move(devices), step);
    return Fail("Its answer to GET /info is no list of devices", step);
  }
  answer = absl::StripTrailingAsciiWhitespace(answer.substr(0, answer.find('\n')));
  if (absl::ConsumePrefix(&answer, "problem ")) return Fail(std::string(answer), step);
  if (answer == "timeout") {
    step.timed_out = true;
    return Fail("It did not answer in 30 seconds", step);
  }
  int number = 0;
  if (absl::ConsumePrefix(&answer, "signal ") && absl::SimpleAtoi(answer, &number)) {
    step.signal = number;
    return Fail(absl::StrCat("It was ", probe::HowItEnded(step)), step);
  }
  if (absl::ConsumePrefix(&answer, "exit ") && absl::SimpleAtoi(answer, &number)) {
    step.exit_status = number;
    return Fail(absl::StrCat("It ended with exit status ", number, LastLine(step)), step);
  }
  Fail("It gave no answer", step);
}

std::vector<std::string> CompiledFor(const Place& place, const std::string& exe,
                                     const ollama::Variables& variables) {
  ChildTask task = TaskOf(
      exe, {exe, "--port", kAnyPort, "--host", "127.0.0.1", "--no-webui", "--offline", "--verbose"},
      variables);
  task.until = "system_info:";
  task.limit = kStartLimit;
  return probe::ParseCompiledFor(RunInPlace(place, task).err);
}

void RunListDevices(const Place& place, const std::string& exe, const ollama::Variables& variables,
                    probe::Step& step) {
  ChildTask task = TaskOf(exe, {exe, "--list-devices", "--offline", "--verbose"}, variables);
  task.limit = kDiscoveryLimit;
  const ChildOutcome outcome = RunInPlace(place, task);
  if (!EndedByItself(outcome, step)) return;
  if (outcome.exit_status != 0) {
    return Fail(absl::StrCat("It ended with exit status ", outcome.exit_status, LastLine(step)),
                step);
  }
  Found(probe::ParseListedDevices(absl::StrCat(outcome.out, "\n", outcome.err)), step);
}

void RunGpuDiscover(const Place& place, const std::string& exe,
                    const ollama::ChildLibraries& libraries, const ollama::Variables& variables,
                    probe::Step& step) {
  ChildTask task = TaskOf(
      exe, {exe, "gpu-discover", "--lib-dir", libraries.directory, "--lib-dir", libraries.variant},
      variables);
  task.limit = kGpuDiscoverLimit;
  const ChildOutcome outcome = RunInPlace(place, task);
  if (!EndedByItself(outcome, step)) return;
  if (outcome.exit_status != 0) {
    return Fail(absl::StrCat("It ended with exit status ", outcome.exit_status, LastLine(step)),
                step);
  }
  std::optional<std::vector<probe::Device>> devices = probe::ParseGpuDiscover(outcome.out);
  if (!devices) return Fail("What it printed is no list of devices", step);
  Found(*std::move(devices), step);
}

}  // namespace vgpu::doctor
