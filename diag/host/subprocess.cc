#include "diag/host/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "diag/host/file_io.h"

namespace vgpu::host {
namespace {

// Where standard tools are: the judged machine's PATH may be anything.
constexpr const char* kToolDirs[] = {"/usr/bin", "/bin", "/usr/sbin", "/sbin"};
constexpr size_t kErrLimit = 4096;

std::string FindTool(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  for (const char* dir : kToolDirs) {
    std::string path = JoinPath(dir, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

// A child with two pipes. Ends its process group when it is destroyed.
class Child {
 public:
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& argv,
                                                      absl::Duration timeout) {
    std::string path = FindTool(argv[0]);
    if (path.empty()) return absl::NotFoundError(absl::StrCat(argv[0], ": not installed"));
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0) return absl::ResourceExhaustedError(ErrnoText(errno));
    Fd out_read(out[0]), out_write(out[1]);
    if (pipe2(err, O_CLOEXEC) != 0) return absl::ResourceExhaustedError(ErrnoText(errno));
    Fd err_read(err[0]), err_write(err[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, err_write.get(), 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t defaults;
    sigfillset(&defaults);
    posix_spawnattr_setsigdefault(&attributes, &defaults);

    std::vector<char*> args;
    args.reserve(argv.size() + 1);
    for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    const char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                 "LC_ALL=C",
                                 "TZ=UTC",
                                 "SYSTEMD_COLORS=0",
                                 "SYSTEMD_PAGER=",
                                 nullptr};
    pid_t pid = -1;
    int error = posix_spawn(&pid, path.c_str(), &actions, &attributes, args.data(),
                            const_cast<char**>(environment));
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return absl::UnavailableError(absl::StrCat(path, ": ", ErrnoText(error)));
    return std::make_unique<Child>(argv[0], pid, std::move(out_read), std::move(err_read),
                                   absl::Now() + timeout);
  }

  Child(std::string name, pid_t pid, Fd out, Fd err, absl::Time deadline)
      : name_(std::move(name)),
        pid_(pid),
        out_(std::move(out)),
        err_(std::move(err)),
        deadline_(deadline) {}

  ~Child() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  // Up to `size` bytes of standard output; 0 at its end. Standard error is taken on
  // the side, so that a tool that says much there does not stop.
  absl::StatusOr<size_t> ReadOut(char* buffer, size_t size) {
    while (true) {
      pollfd fds[2] = {{out_.get(), POLLIN, 0}, {err_.ok() ? err_.get() : -1, POLLIN, 0}};
      absl::Duration left = deadline_ - absl::Now();
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError(absl::StrCat(name_, ": did not end in time"));
      }
      int ready = poll(fds, 2, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
      if (ready < 0 && errno != EINTR) return absl::InternalError(ErrnoText(errno));
      if (ready <= 0) continue;
      if (fds[1].revents != 0) DrainErr();
      if (fds[0].revents != 0) {
        ssize_t n = read(out_.get(), buffer, size);
        if (n >= 0) return static_cast<size_t>(n);
        if (errno != EINTR) return absl::UnavailableError(ErrnoText(errno));
      }
    }
  }

  // After the end of standard output: waits for the end of the process.
  absl::Status Wait(ProcessResult& result) {
    out_ = Fd();
    while (true) {
      int status = 0;
      pid_t done = waitpid(pid_, &status, WNOHANG);
      if (done == pid_) {
        pid_ = -1;
        if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
        break;
      }
      if (absl::Now() > deadline_) {
        return absl::DeadlineExceededError(absl::StrCat(name_, ": did not end in time"));
      }
      pollfd fds[1] = {{err_.ok() ? err_.get() : -1, POLLIN, 0}};
      poll(fds, 1, 5);
      if (fds[0].revents != 0) DrainErr();
    }
    while (err_.ok()) {
      pollfd fds[1] = {{err_.get(), POLLIN, 0}};
      if (poll(fds, 1, 0) <= 0) break;
      DrainErr();
    }
    result.err = err_text_;
    return absl::OkStatus();
  }

 private:
  void DrainErr() {
    char buffer[4096];
    ssize_t n = read(err_.get(), buffer, sizeof(buffer));
    if (n <= 0) {
      err_ = Fd();
      return;
    }
    size_t room = kErrLimit - std::min(kErrLimit, err_text_.size());
    err_text_.append(buffer, std::min(room, static_cast<size_t>(n)));
  }

  std::string name_;
  pid_t pid_;
  Fd out_;
  Fd err_;
  absl::Time deadline_;
  std::string err_text_;
};

class ChildSource : public ByteSource {
 public:
  ChildSource(std::string name, std::unique_ptr<Child> child)
      : name_(std::move(name)), child_(std::move(child)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (child_ == nullptr) return 0;
    absl::StatusOr<size_t> n = child_->ReadOut(buffer, size);
    if (!n.ok() || *n > 0) return n;
    ProcessResult result;
    absl::Status ended = child_->Wait(result);
    child_ = nullptr;
    if (!ended.ok()) return ended;
    if (result.exit_status != 0 || result.signal != 0) {
      return absl::UnavailableError(absl::StrCat(name_, ": ", DescribeFailure(result)));
    }
    return 0;
  }

 private:
  std::string name_;
  std::unique_ptr<Child> child_;
};

}  // namespace

std::string DescribeFailure(const ProcessResult& result) {
  if (result.signal != 0) return absl::StrCat("ended by signal ", result.signal);
  absl::string_view said = result.err;
  said = absl::StripAsciiWhitespace(said.substr(0, said.find('\n')));
  std::string text = absl::StrCat("exited with status ", result.exit_status);
  if (!said.empty()) absl::StrAppend(&text, ": ", said);
  return text;
}

absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, size_t limit,
                                         absl::Duration timeout) {
  absl::StatusOr<std::unique_ptr<Child>> child = Child::Start(argv, timeout);
  if (!child.ok()) return child.status();
  ProcessResult result;
  char buffer[64 << 10];
  while (true) {
    absl::StatusOr<size_t> n = (*child)->ReadOut(buffer, sizeof(buffer));
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    size_t room = limit - result.out.size();
    result.out.append(buffer, std::min(room, *n));
    if (*n > room) {
      result.truncated = true;
      return result;  // the rest is not wanted: Child ends the process
    }
  }
  absl::Status ended = (*child)->Wait(result);
  if (!ended.ok()) return ended;
  return result;
}

absl::StatusOr<std::unique_ptr<ByteSource>> StreamProcess(const std::vector<std::string>& argv,
                                                          absl::Duration timeout) {
  absl::StatusOr<std::unique_ptr<Child>> child = Child::Start(argv, timeout);
  if (!child.ok()) return child.status();
  return std::make_unique<ChildSource>(argv[0], *std::move(child));
}

}  // namespace vgpu::host
