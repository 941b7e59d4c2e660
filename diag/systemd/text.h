// Bytes and characters as systemd looks at them: the parts that its readers of
// unit files, quoting and names share.
//
// Pure functions; thread-safe.

#ifndef DIAG_SYSTEMD_TEXT_H_
#define DIAG_SYSTEMD_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::systemd {

// What separates words and is taken off both ends of keys and values
// (string-util.h, WHITESPACE). Vertical tabs and form feeds are not among them.
inline constexpr absl::string_view kWhitespace = " \t\n\r";

// `text` without white space on either end.
absl::string_view StripWhitespace(absl::string_view text);

// systemd refuses what is not UTF-8, and within it surrogates and noncharacters
// (utf8.c, unichar_is_valid).
bool IsValidUtf8(absl::string_view text);
bool IsValidCodePoint(uint32_t code_point);

// `text` with U+FFFD in place of every byte that belongs to no character, as systemd
// prints it.
std::string ReplaceInvalidUtf8(absl::string_view text);

// Appends `code_point`, which is below 0x110000, to `out`.
void AppendUtf8(uint32_t code_point, std::string* out);

// The digit's value; -1 for what is no digit of that base.
int HexDigit(char c);
int OctalDigit(char c);

// "1 yes y true t on" are 1, "0 no n false f off" are 0, in any case; -1 for other
// words (parse-util.c, parse_boolean).
int ParseBoolean(absl::string_view word);

// Multiple slashes and "." components removed, as systemd stores a path
// (path_simplify): "/etc//./default/" becomes "/etc/default".
std::string SimplifyPath(absl::string_view path);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_TEXT_H_
