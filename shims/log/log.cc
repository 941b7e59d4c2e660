#include "shims/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <span>

#include "shims/base/sys.h"
#include "shims/base/text.h"

namespace vgpu::log {
namespace internal {

constinit std::atomic<int> enabled = -1;

}  // namespace internal

namespace {

constexpr std::string_view kLevels[] = {"off", "error", "info", "trace"};
constexpr std::string_view kCut = "…";
// " pid=" with ten digits, and " time=" with "2026-02-24T10:12:00.123456Z" and the newline.
constexpr size_t kTail = 5 + 10 + 6 + 27 + 1;

// What the environment says, read once. A thread that comes while another one reads it (or
// the child of a fork that fell between) reads it for itself: nobody waits.
enum State : int { kUnread, kBeingRead, kRead };
constinit std::atomic<int> state = kUnread;
constinit char file_read[PATH_MAX] = {};  // empty: standard error

Level LevelOf(const char* text) {
  if (text == nullptr) return Level::kOff;
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (kLevels[i] == text) return static_cast<Level>(i);
  }
  return Level::kOff;
}

// Level and file; `file` is valid while the environment is not changed.
Level Settings(const char** file) {
  if (state.load(std::memory_order_acquire) == kRead) {
    *file = file_read;
    return static_cast<Level>(internal::enabled.load(std::memory_order_relaxed));
  }
  const Level level = LevelOf(secure_getenv("VGPU_LOG"));
  *file = secure_getenv("VGPU_LOG_FILE");
  if (*file == nullptr || strnlen(*file, sizeof file_read) == sizeof file_read) *file = "";
  int unread = kUnread;
  if (state.compare_exchange_strong(unread, kBeingRead, std::memory_order_acquire)) {
    memcpy(file_read, *file, strlen(*file) + 1);
    internal::enabled.store(static_cast<int>(level), std::memory_order_relaxed);
    state.store(kRead, std::memory_order_release);
  }
  return level;
}

// Whether logfmt can carry it without quotes.
bool IsPlain(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const char c = text.front();
    const size_t length = PrintableLength(text);
    if (length == 0 || c == ' ' || c == '"' || c == '=' || c == '\\') return false;
    text.remove_prefix(length);
  }
  return true;
}

class LineWriter {
 public:
  explicit LineWriter(std::span<char> buffer) : buffer_(buffer) {}

  std::string_view view() const { return {buffer_.data(), size_}; }

  // " key=value"; left out where not even the key has room besides what follows.
  void AddText(std::string_view key, std::string_view value) {
    if (!HasRoom(1 + key.size() + 1 + 2 + kCut.size())) return;
    AddKey(key);
    // IsPlain reads all of a value: no longer than what can be written.
    const bool fits = value.size() <= buffer_.size() - size_;
    const std::string_view seen = fits ? value : value.substr(0, buffer_.size() - size_);
    if (fits && IsPlain(value) && HasRoom(value.size())) {
      Append(value);
      return;
    }
    Append("\"");
    AddQuoted(seen, fits);
    Append("\"");
  }

  void AddNumber(std::string_view key, int64_t number) {
    std::array<char, 24> digits;
    const std::string_view text = TextWriter(digits).AddNumber(number).view();
    if (!HasRoom(1 + key.size() + 1 + text.size())) return;
    AddKey(key);
    Append(text);
  }

  // What room is kept for.
  void AddTail(pid_t pid, bool with_time) {
    std::array<char, kTail + 1> buffer;
    TextWriter tail(buffer);
    tail.Add(" pid=").AddNumber(pid);
    if (with_time) {
      timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      tail.Add(" time=");
      AddTime(now, tail);
    }
    tail.AddByte('\n');
    Append(tail.view());
  }

 private:
  static void AddDecimal(int64_t number, int digits, TextWriter& out) {
    int64_t unit = 1;
    for (int i = 1; i < digits; ++i) unit *= 10;
    for (; unit > 0; unit /= 10) out.AddByte(static_cast<char>('0' + number / unit % 10));
  }

  static bool IsLeapYear(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  }

  // RFC 3339. Not by gmtime_r(3), which takes a lock of the C library's.
  static void AddTime(const timespec& time, TextWriter& out) {
    constexpr int64_t kDaySeconds = 86400;
    constexpr int kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 1970, day = time.tv_sec / kDaySeconds;
    for (; day >= (IsLeapYear(year) ? 366 : 365); ++year) day -= IsLeapYear(year) ? 366 : 365;
    size_t month = 0;
    for (;; ++month) {
      const int64_t days = kMonthDays[month] + (month == 1 && IsLeapYear(year) ? 1 : 0);
      if (day < days) break;
      day -= days;
    }
    const int64_t seconds = time.tv_sec % kDaySeconds;
    AddDecimal(year, 4, out);
    AddDecimal(static_cast<int64_t>(month) + 1, 2, out.AddByte('-'));
    AddDecimal(day + 1, 2, out.AddByte('-'));
    AddDecimal(seconds / 3600, 2, out.AddByte('T'));
    AddDecimal(seconds / 60 % 60, 2, out.AddByte(':'));
    AddDecimal(seconds % 60, 2, out.AddByte(':'));
    AddDecimal(time.tv_nsec / 1000, 6, out.AddByte('.'));
    out.AddByte('Z');
  }

  // Of quoted text; `whole`: nothing of it was left out before.
  void AddQuoted(std::string_view text, bool whole) {
    while (!text.empty()) {
      std::array<char, 8> one;
      TextWriter written(one);
      const size_t length = PrintableLength(text);
      if (length == 0) {
        written.Add("\\x").AddHex(static_cast<uint8_t>(text[0]), 2);
      } else if (text[0] == '"' || text[0] == '\\') {
        written.AddByte('\\').AddByte(text[0]);
      } else {
        written.Add(text.substr(0, length));
      }
      text.remove_prefix(length == 0 ? 1 : length);
      const bool last = text.empty() && whole;
      if (!HasRoom(written.size() + 1 + (last ? 0 : kCut.size()))) {
        Append(kCut);
        return;
      }
      Append(written.view());
    }
    if (!whole) Append(kCut);
  }

  void AddKey(std::string_view key) {
    if (size_ > 0) Append(" ");
    Append(key);
    Append("=");
  }

  bool HasRoom(size_t size) const { return size <= buffer_.size() - kTail - size_; }

  void Append(std::string_view text) {
    if (text.size() > buffer_.size() - size_) return;
    memcpy(buffer_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  std::span<char> buffer_;
  size_t size_ = 0;
};

// A write to a pipe or socket whose reader has gone raises SIGPIPE, which ends most programs:
// blocked in this thread for the moment, and taken back where it came from this write.
void WriteQuietly(int fd, std::string_view line) {
  sigset_t pipe, pending, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t written = sys::Write(fd, line.data(), line.size());
  if (written == -EPIPE && !was_pending) {
    const timespec none = {};
    while (sigtimedwait(&pipe, nullptr, &none) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

namespace internal {

int ReadEnabled() {
  const char* file;
  return static_cast<int>(Settings(&file));
}

void WriteLine(Level level, std::string_view library, std::string_view message,
               std::initializer_list<Field> fields) {
  const int kept = errno;
  std::array<char, kMaxLine> buffer;
  LineWriter line(buffer);
  line.AddText("level", kLevels[static_cast<size_t>(level)]);
  line.AddText("lib", library);
  line.AddText("msg", message);
  for (const Field& field : fields) {
    if (field.is_number) {
      line.AddNumber(field.key, field.number);
    } else {
      line.AddText(field.key, field.text);
    }
  }
  const char* path;
  Settings(&path);
  // Opened for each line, because a descriptor that is kept is one that the program may close, or
  // hand out again, without knowing.
  const int fd = path[0] == '\0' ? -1
                                 : sys::OpenAt(AT_FDCWD, path,
                                               O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0666);
  line.AddTail(getpid(), fd >= 0);
  WriteQuietly(fd >= 0 ? fd : STDERR_FILENO, line.view());
  if (fd >= 0) sys::Close(fd);
  errno = kept;
}

}  // namespace internal
}  // namespace vgpu::log
