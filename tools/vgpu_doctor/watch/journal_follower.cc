#include "tools/vgpu_doctor/watch/journal_follower.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace vgpu::doctor {
namespace {

constexpr size_t kMaxLine = 256 << 10;
constexpr size_t kMaxTaken = 4 << 20;  // at once: the rest waits in the pipe

}  // namespace

absl::StatusOr<std::unique_ptr<JournalFollower>> JournalFollower::Start(const std::string& unit,
                                                                        absl::Time since) {
  const char* program = nullptr;
  for (const char* path : {"/usr/bin/journalctl", "/bin/journalctl"}) {
    if (program == nullptr && access(path, X_OK) == 0) program = path;
  }
  if (program == nullptr) return absl::NotFoundError("journalctl: not installed");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::UnavailableError(host::ErrnoText(errno));
  host::Fd out(ends[0]);
  const host::Fd in(ends[1]);
  fcntl(out.get(), F_SETFL, O_NONBLOCK);

  // Whole seconds: what is older is left out by whoever reads.
  std::string words[] = {program,
                         "--follow",
                         "--no-tail",
                         "--no-pager",
                         "--quiet",
                         "--output=json",
                         absl::StrCat("--since=@", absl::ToUnixSeconds(since)),
                         absl::StrCat("--unit=", unit)};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C at the terminal is the watcher's to hear.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program, &actions, &attributes, argv.data(),
                                const_cast<char**>(environment));
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat(program, ": ", host::ErrnoText(error)));
  }
  return std::unique_ptr<JournalFollower>(new JournalFollower(pid, std::move(out)));
}

JournalFollower::~JournalFollower() {
  kill(pid_, SIGKILL);  // it writes nothing: there is nothing to lose
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::vector<std::string> JournalFollower::Take() {
  std::vector<std::string> lines;
  size_t taken = 0;
  while (taken < kMaxTaken) {
    char buffer[65536];
    const ssize_t n = read(out_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) ended_ = true;
    if (n <= 0) break;
    taken += static_cast<size_t>(n);
    rest_.append(buffer, static_cast<size_t>(n));
    size_t begin = 0;
    for (size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!skipping_) lines.push_back(rest_.substr(begin, end - begin));
      skipping_ = false;
    }
    rest_.erase(0, begin);
    if (rest_.size() > kMaxLine) {
      skipping_ = true;
      rest_.clear();
    }
  }
  return lines;
}

}  // namespace vgpu::doctor
