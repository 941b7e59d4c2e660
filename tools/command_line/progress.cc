#include "tools/command_line/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/report/visible.h"

namespace vgpu::command_line {
namespace {

constexpr std::chrono::seconds kPatience(1);
constexpr std::chrono::milliseconds kBetweenLooks(250);
constexpr size_t kColumns = 80;
constexpr char kWipe[] = "\r\x1b[K";  // to the first column; erase to the end (ECMA-48, 8.3.41)

bool IsTerminal() {
  const char* term = getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || absl::string_view(term) != "dumb");
}

// A job in the background would be stopped, or write into what the foreground shows.
bool InForeground() {
  const pid_t group = tcgetpgrp(STDERR_FILENO);
  return group == -1 || group == getpgrp();  // -1: not the terminal of this session
}

// Not through stdio: its lock may be held when another thread forks.
void Write(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // a line of progress is nothing to fail for
    text.remove_prefix(static_cast<size_t>(n));
  }
}

size_t Width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumns;
}

}  // namespace

Progress::Progress(bool wanted) : since_(Clock::now()) {
  if (!wanted || !IsTerminal()) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    // Without a thread there is no line.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
  Wipe();
}

void Progress::Say(absl::string_view what) {
  if (!thread_.joinable()) return;
  std::string shown = report::AsciiOnly(report::Visible(what));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (what_.empty()) since_ = Clock::now();
  what_ = std::move(shown);
}

void Progress::Hide() {
  if (!thread_.joinable()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  Wipe();
  what_.clear();
}

void Progress::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!over_) {
    changed_.wait_for(lock, kBetweenLooks);
    if (!over_) Draw(Clock::now());
  }
}

void Progress::Draw(Clock::time_point now) {
  const auto taken = now - since_;
  if (what_.empty() || taken < kPatience || !InForeground()) return;
  const std::string end =
      absl::StrCat(" (", std::chrono::duration_cast<std::chrono::seconds>(taken).count(), " s)");
  std::string text = absl::StrCat("vgpu-doctor: ", what_);
  const size_t room = Width() - 1;  // the cursor stays on the line
  if (room < end.size()) return;
  if (text.size() > room - end.size()) text.resize(room - end.size());
  text += end;
  if (text == drawn_) return;
  Write(absl::StrCat(kWipe, text));
  drawn_ = std::move(text);
}

void Progress::Wipe() {
  if (!drawn_.empty()) Write(kWipe);
  drawn_.clear();
}

}  // namespace vgpu::command_line
