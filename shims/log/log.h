// What a shim says of itself: one line of logfmt a message, and nothing unless asked.
//
//   log::Write(log::Level::kError, "libvgpu-cuda", "kernel launch refused",
//              {{"func", "cuLaunchKernel"}, {"device", 0}, {"reason", "no compute backend"}});
//
//   level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel device=0
//   reason="no compute backend" pid=4711                                  (on one line)
//
// VGPU_LOG is `off` (the default), `error`, `info` or `trace`; VGPU_LOG_FILE names a file
// that lines are appended to, else they go to standard error. A line in a file ends with
// time= (RFC 3339, UTC, microseconds), because nothing else says when it was written. Both
// variables are read once, at the first message, and not at all in a program that runs with
// privileges that its caller has not (secure_getenv(3)).
//
// Values are quoted where logfmt wants it; control characters are written as \xNN, so that a
// line is one line and cannot move a terminal's cursor. A line is at most kMaxLine bytes: a
// value that does not fit is cut and ends in "…".
//
// The doctor reads these lines: the words of `msg` and the names of keys are an interface.
//
// Thread-safe; a line is one write(2). errno is kept. A reader that has gone raises no
// SIGPIPE. Allocates nothing, holds no lock: safe after fork in a program with threads.

#ifndef SHIMS_LOG_LOG_H_
#define SHIMS_LOG_LOG_H_

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

// Whether Write would write a line of this level: ask where fields cost something.
bool Enabled(Level level);

void Write(Level level, std::string_view library, std::string_view message,
           std::initializer_list<Field> fields = {});

}  // namespace vgpu::log

#endif  // SHIMS_LOG_LOG_H_
