// What the parsers of this directory share: taking a text apart without copying it.
//
// All functions are strict and bounded: a number is digits and nothing else, a line
// ends at '\n' and nowhere else, and other bytes (NUL, invalid UTF-8) are data.

#ifndef DIAG_PROCFS_SCAN_H_
#define DIAG_PROCFS_SCAN_H_

#include <charconv>
#include <string>
#include <system_error>

#include "absl/strings/string_view.h"

namespace vgpu::procfs {

// The kernel ends every line of its tables with '\n': a text that does not end so was cut.
bool IsCut(absl::string_view text);

// Takes the first line off `text`, without its '\n'. False when nothing is left.
bool TakeLine(absl::string_view* text, absl::string_view* line);

// Takes the part before `delimiter` off `text`, and the delimiter. Without a
// delimiter: all of `text`.
absl::string_view TakeUntil(char delimiter, absl::string_view* text);

// Takes the next field off `line`: fields stand between spaces and tabs. Empty when
// there is none.
absl::string_view TakeField(absl::string_view* line);

// A whole text as a number. No sign (but '-' for a signed T), no space, no prefix.
// `value` stays as it was when the answer is false.
template <typename T>
bool ParseNumber(absl::string_view text, T* value, int base = 10) {
  T parsed = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, parsed, base);
  if (error != std::errc() || stop != end || text.empty()) return false;
  *value = parsed;
  return true;
}

// Undoes seq_escape() of the kernel: a backslash and three octal digits are one byte
// ("\040" is a space). Any other backslash stays.
std::string UnescapeOctal(absl::string_view text);

// A piece of input as it can stand in a message: short, printable, in quotes.
std::string Quoted(absl::string_view text);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_SCAN_H_
