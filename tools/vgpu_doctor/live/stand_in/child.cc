#include "tools/vgpu_doctor/live/stand_in/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

namespace vgpu::stand_in {
namespace {

double Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::vector<std::string> Environment(const Keys& set) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at;
    bool replaced = false;
    for (const auto& [name, value] : set) replaced |= variable.rfind(name + "=", 0) == 0;
    if (!replaced) variables.push_back(variable);
  }
  for (const auto& [name, value] : set) variables.push_back(name + "=" + value);
  return variables;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Child::Child(const std::vector<std::string>& command, const Keys& set, bool keep_output) {
  int ends[2] = {-1, -1};
  if (keep_output && pipe2(ends, O_CLOEXEC) != 0) return;
  const std::vector<std::string> variables = Environment(set);
  const std::vector<char*> words = Pointers(command), environment = Pointers(variables);
  process_ = fork();
  if (process_ == 0) {
    const int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(keep_output ? ends[1] : nothing, STDOUT_FILENO);
    dup2(keep_output ? ends[1] : nothing, STDERR_FILENO);
    execve(words[0], words.data(), environment.data());
    _exit(127);
  }
  if (keep_output) close(ends[1]);
  pipe_ = ends[0];
}

Child::~Child() {
  if (!ended_ && process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (pipe_ >= 0) close(pipe_);
}

bool Child::Ended() {
  int status = 0;
  if (!ended_ && waitpid(process_, &status, WNOHANG) == process_) {
    ended_ = true;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  return ended_;
}

bool Child::Wait(double seconds) {
  const double end = Now() + seconds;
  while (Now() < end) {
    if (pipe_ >= 0) {
      pollfd ready = {pipe_, POLLIN, 0};
      if (poll(&ready, 1, 50) > 0) {
        char buffer[4096];
        const ssize_t length = read(pipe_, buffer, sizeof(buffer));
        if (length > 0) {
          output_.append(buffer, static_cast<size_t>(length));
          continue;
        }
        close(pipe_);
        pipe_ = -1;
      }
    } else {
      usleep(5000);
    }
    if (pipe_ < 0 && Ended()) return true;
  }
  return false;
}

}  // namespace vgpu::stand_in
