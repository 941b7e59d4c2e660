#include "tools/vgpu_doctor/verify/run_in_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

using host::ErrnoText;
using host::Fd;

constexpr size_t kOutputLimit = size_t{256} << 10;
// What is left in the pipes after the child's end is there already, unless something that it
// started goes on writing.
constexpr absl::Duration kAfterTheEnd = absl::Milliseconds(100);
constexpr int kNotStarted = 125;

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct Pipe {
  Fd read, write;

  bool Open() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return false;
    read = Fd(fds[0]);
    write = Fd(fds[1]);
    return true;
  }
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// As a program expects to be started: no signal is blocked or ignored.
void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Descriptors from `first` on end with execve, those too that the caller was started with.
void CloseOnExecFrom(int first) {
  if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  DIR* open_ones = opendir("/proc/self/fd");  // before Linux 5.11
  if (open_ones == nullptr) return;
  while (const dirent* entry = readdir(open_ones)) {
    const int fd = atoi(entry->d_name);
    if (fd >= first) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(open_ones);
}

// Gives up what the caller has and the service has not: in its place its own libraries and
// programs run, with its rights, and some of them may be hostile.
void LeaveCallersOwn() {
  // Its terminal, to which TIOCSTI types what the caller's shell then reads (ioctl_tty(2)). The
  // session is a process group, too, by whose number all of it is ended.
  setsid();
  CloseOnExecFrom(kAnswerFd + 1);
  // The keys of its session (session-keyring(7)), for an empty one. Where the kernel has no
  // keys, or none for us, there is nothing to leave.
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}

// Until it executes something the child has the caller's memory, descriptors and program file
// (/proc/PID/exe): none of them is for a process of the service, which has the same user then
// (ptrace(2), "Ptrace access mode checking").
void HideFromService() { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// Puts `fd` at `number`, which it may be already.
bool PutAt(int fd, int number) {
  if (fd == number) return fcntl(fd, F_SETFD, 0) == 0;
  return dup2(fd, number) == number;
}

[[noreturn]] void Execute(const ChildTask& task, int problem) {
  const std::vector<char*> argv = Pointers(task.argv);
  const std::vector<char*> environment = Pointers(task.environment);
  if (task.program >= 0) {
    syscall(SYS_execveat, task.program, "", argv.data(), environment.data(), AT_EMPTY_PATH);
  } else {
    execve(task.path.c_str(), argv.data(), environment.data());
  }
  const int error = errno;
  WriteAll(problem,
           absl::StrCat(task.program >= 0 ? "the probe program" : task.path, ": ", ErrnoText(error),
                        // The interpreter that a dynamic program names is looked for there.
                        task.program >= 0 && error == ENOENT
                            ? " (the service's view has no /lib64/ld-linux-x86-64.so.2)"
                            : ""));
  _exit(kNotStarted);
}

// In the child, and in the process's place: does the task, and does not return.
[[noreturn]] void Work(const ChildTask& task, int problem) {
  // Not before: a change of the user takes it back (prctl(2)).
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (task.work) _exit(task.work());
  Execute(task, problem);
}

// The first child: takes the place, and, where that changes the PID namespace, has a child of
// its own do the task, whose end it hands on through `ended`.
[[noreturn]] void First(const Place& place, const ChildTask& task, int problem, int ended) {
  LeaveCallersOwn();
  HideFromService();
  if (absl::Status status = place.Enter(); !status.ok()) {
    WriteAll(problem, std::string(status.message()));
    _exit(kNotStarted);
  }
  // A change of the user sets it to what fs.suid_dumpable says (proc(5)).
  HideFromService();
  if (!place.new_pid_namespace()) Work(task, problem);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const pid_t second = fork();
  if (second < 0) {
    WriteAll(problem, absl::StrCat("fork: ", ErrnoText(errno)));
    _exit(kNotStarted);
  }
  if (second == 0) Work(task, problem);
  int status = 0;
  while (waitpid(second, &status, 0) < 0 && errno == EINTR) {
  }
  WriteAll(ended, std::string(reinterpret_cast<const char*>(&status), sizeof(status)));
  _exit(0);
}

// Takes what is there; false at its end.
bool Take(const Fd& fd, std::string& text) {
  char buffer[16 << 10];
  const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  const size_t room = kOutputLimit - std::min(kOutputLimit, text.size());
  text.append(buffer, std::min(room, static_cast<size_t>(n)));
  return n > 0;
}

bool SaidEnough(const ChildTask& task, const ChildOutcome& outcome) {
  if (task.until.empty()) return false;
  const size_t begin = outcome.err.find(task.until);
  return begin != std::string::npos && outcome.err.find('\n', begin) != std::string::npos;
}

}  // namespace

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

int StartProgram(const std::string& path, const std::vector<std::string>& argv,
                 const std::vector<std::string>& environment) {
  Pipe failure;
  if (!failure.Open()) return -1;
  const std::vector<char*> arguments = Pointers(argv), variables = Pointers(environment);
  const pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    close(kAnswerFd);
    execve(path.c_str(), arguments.data(), variables.data());
    const int error = errno;
    WriteAll(failure.write.get(),
             std::string(reinterpret_cast<const char*>(&error), sizeof(error)));
    _exit(kNotStarted);
  }
  failure.write = Fd();
  int error = 0;
  if (read(failure.read.get(), &error, sizeof(error)) != sizeof(error)) return pid;
  waitpid(pid, nullptr, 0);
  errno = error;
  return -1;
}

ChildOutcome RunInPlace(const Place& place, const ChildTask& task) {
  ChildOutcome outcome;
  Pipe out, err, answer, problem, ended;
  Fd empty(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (Pipe* pipe : {&out, &err, &answer, &problem, &ended}) {
    if (!pipe->Open()) {
      outcome.not_started = absl::StrCat("a pipe: ", ErrnoText(errno));
      return outcome;
    }
  }
  const absl::Duration begin = SteadyNow(), deadline = begin + task.limit;
  const pid_t pid = fork();
  if (pid < 0) {
    outcome.not_started = absl::StrCat("fork: ", ErrnoText(errno));
    return outcome;
  }
  if (pid == 0) {
    ResetSignals();
    // Away from the numbers that are given out below; a Place keeps its own away too.
    const int why = fcntl(problem.write.get(), F_DUPFD_CLOEXEC, 16);
    const int end = fcntl(ended.write.get(), F_DUPFD_CLOEXEC, 16);
    const int to_answer = fcntl(answer.write.get(), F_DUPFD_CLOEXEC, 16);
    const int to_out = fcntl(out.write.get(), F_DUPFD_CLOEXEC, 16);
    const int to_err = fcntl(err.write.get(), F_DUPFD_CLOEXEC, 16);
    const int from = fcntl(empty.get(), F_DUPFD_CLOEXEC, 16);
    ChildTask moved = task;
    if (task.program >= 0) moved.program = fcntl(task.program, F_DUPFD_CLOEXEC, 16);
    if (!PutAt(from, STDIN_FILENO) || !PutAt(to_out, STDOUT_FILENO) ||
        !PutAt(to_err, STDERR_FILENO)) {
      _exit(kNotStarted);
    }
    if (!PutAt(to_answer, kAnswerFd)) _exit(kNotStarted);
    First(place, moved, why, end);
  }
  for (Pipe* pipe : {&out, &err, &answer, &problem, &ended}) {
    pipe->write = Fd();
    fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
  }

  std::string why, last;
  struct Source {
    const Fd& fd;
    std::string& text;
    bool open;
  } sources[] = {{out.read, outcome.out, true},
                 {err.read, outcome.err, true},
                 {answer.read, outcome.answer, true},
                 {problem.read, why, true},
                 {ended.read, last, true}};
  int status = 0;
  bool done = false;
  absl::Duration until = deadline;
  while (true) {
    // It is not reaped yet: until its group is ended, nobody else may get its number.
    siginfo_t info = {};
    if (!done && waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid) {
      done = true;
      until = SteadyNow() + kAfterTheEnd;
    }
    const absl::Duration left = until - SteadyNow();
    if (left <= absl::ZeroDuration()) break;
    pollfd fds[std::size(sources)];
    bool any = false;
    for (size_t i = 0; i < std::size(sources); ++i) {
      fds[i] = {sources[i].open ? sources[i].fd.get() : -1, POLLIN, 0};
      any = any || sources[i].open;
    }
    if (!any && done) break;
    if (SaidEnough(task, outcome)) break;
    // Whether it has ended is asked every few milliseconds: its pipes may stay open longer.
    const int wait = static_cast<int>(std::min<int64_t>(10, absl::ToInt64Milliseconds(left) + 1));
    if (poll(fds, std::size(sources), wait) <= 0) continue;
    for (size_t i = 0; i < std::size(sources); ++i) {
      if (fds[i].revents != 0) sources[i].open = Take(sources[i].fd, sources[i].text);
    }
  }
  // All that it started, too; and itself, where its time is over before it led a session.
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
  outcome.timed_out = !done && !SaidEnough(task, outcome);
  // One that the kernel does not let go is left to it.
  const absl::Duration last_look = SteadyNow() + absl::Seconds(2);
  while (waitpid(pid, &status, WNOHANG) != pid && SteadyNow() < last_look) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  outcome.took = SteadyNow() - begin;
  if (done && last.size() == sizeof(status)) memcpy(&status, last.data(), sizeof(status));
  if (done && WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
  if (done && WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (!why.empty()) outcome.not_started = why;
  return outcome;
}

}  // namespace vgpu::doctor
