// What a shim says of itself: one line of logfmt a message, and nothing unless asked.
//
//   log::Write(log::Level::kError, "libvgpu-cuda", "kernel launch refused",
//              {{"func", "cuLaunchKernel"}, {"device", 0}, {"reason", "no compute backend"}});
//
//   level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel device=0
//   reason="no compute backend" pid=4711                                  (on one line)
//
// VGPU_LOG is `off` (the default), `error`, `info` or `trace`; another value is `off`.
// VGPU_LOG_FILE names a file that lines are appended to (it is made where there is none); without
// it, and where it cannot be opened, they go to standard error. Both variables are read once, at
// the first message, and not at all in a program that runs with privileges that its caller has not
// (secure_getenv(3)).
//
// The format, which the doctor and others read:
//
//   line    = "level=" LEVEL " lib=" value " msg=" value *( " " KEY "=" value )
//             " pid=" NUMBER [ " time=" TIME ] LF
//   value   = plain / quoted
//
// TIME (RFC 3339, UTC, microseconds) is there in a file, because nothing else says when the line
// was written. `plain` is UTF-8 without control characters, blanks, `"`, `=` and `\`, and is not
// empty; `quoted` is in `"`, with `\"` and `\\`, and control characters (C0, DEL, C1) and bytes
// that are no UTF-8 as `\xNN`: a line is one line and cannot move a terminal's cursor. A line is at
// most kMaxLine bytes: the value that does not fit is cut and ends in `…"`, and pairs for which
// there is no room behind it are left out, but for `pid` and `time`. The words of `msg` and the
// names of keys are an interface.
//
// Thread-safe; a line is one write(2), so that lines of several threads and processes do not mix;
// one that a pipe has no room for, where its owner made it non-blocking, is lost. errno is kept. A
// reader that has gone raises no SIGPIPE. Allocates nothing, holds no lock and keeps no descriptor:
// safe after fork in a program with threads, and in a signal handler.

#ifndef SHIMS_LOG_LOG_H_
#define SHIMS_LOG_LOG_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace vgpu::log {

enum class Level : int { kOff = 0, kError = 1, kInfo = 2, kTrace = 3 };

inline constexpr size_t kMaxLine = 1024;

// A key and its value: text or a whole number. Both are read during the call only.
struct Field {
  constexpr Field(std::string_view key, std::string_view value) : key(key), text(value) {}
  constexpr Field(std::string_view key, const char* value)
      : key(key), text(value == nullptr ? std::string_view("(null)") : std::string_view(value)) {}
  template <std::integral T>
  constexpr Field(std::string_view key, T value)
      : key(key), number(static_cast<int64_t>(value)), is_number(true) {}

  std::string_view key;
  std::string_view text;
  int64_t number = 0;
  bool is_number = false;
};

namespace internal {

// What VGPU_LOG says; below zero until it was read.
extern constinit std::atomic<int> enabled;
int ReadEnabled();
void WriteLine(Level level, std::string_view library, std::string_view message,
               std::initializer_list<Field> fields);

}  // namespace internal

// Whether Write would write a line of this level: ask where fields cost something.
inline bool Enabled(Level level) {
  int enabled = internal::enabled.load(std::memory_order_relaxed);
  if (enabled < 0) enabled = internal::ReadEnabled();
  return level != Level::kOff && static_cast<int>(level) <= enabled;
}

// `message` and the keys are words of ours, without blanks in the keys.
inline void Write(Level level, std::string_view library, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  if (Enabled(level)) internal::WriteLine(level, library, message, fields);
}

}  // namespace vgpu::log

#endif  // SHIMS_LOG_LOG_H_
