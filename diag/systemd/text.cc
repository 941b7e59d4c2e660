#include "diag/systemd/text.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace vgpu::systemd {
namespace {

// The length of the well-formed character at the front of `text`, which is not
// empty; 0 where there is none.
size_t CharacterLength(absl::string_view text) {
  const uint8_t first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  size_t length = 0;
  uint32_t code_point = 0;
  uint32_t smallest = 0;  // that needs this many bytes: a longer spelling is refused
  if ((first & 0xe0) == 0xc0) {
    length = 2, code_point = first & 0x1f, smallest = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    length = 3, code_point = first & 0x0f, smallest = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4, code_point = first & 0x07, smallest = 0x10000;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    const uint8_t next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    code_point = (code_point << 6) | (next & 0x3f);
  }
  return code_point >= smallest && IsValidCodePoint(code_point) ? length : 0;
}

}  // namespace

absl::string_view StripWhitespace(absl::string_view text) {
  const size_t first = text.find_first_not_of(kWhitespace);
  if (first == absl::string_view::npos) return absl::string_view();
  return text.substr(first, text.find_last_not_of(kWhitespace) - first + 1);
}

bool IsValidUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ReplaceInvalidUtf8(absl::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) {
      valid += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else {
      valid.append(text.data(), length);
      text.remove_prefix(length);
    }
  }
  return valid;
}

bool IsValidCodePoint(uint32_t code_point) {
  if (code_point >= 0x110000) return false;
  if ((code_point & 0xfffff800) == 0xd800) return false;
  if (code_point >= 0xfdd0 && code_point <= 0xfdef) return false;
  return (code_point & 0xfffe) != 0xfffe;
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
    return;
  }
  if (code_point < 0x800) {
    out->push_back(static_cast<char>(0xc0 | (code_point >> 6)));
  } else if (code_point < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | (code_point >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | (code_point >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code_point >> 12) & 0x3f)));
    out->push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3f)));
  }
  out->push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int OctalDigit(char c) { return c >= '0' && c <= '7' ? c - '0' : -1; }

int ParseBoolean(absl::string_view word) {
  for (absl::string_view yes : {"1", "yes", "y", "true", "t", "on"}) {
    if (absl::EqualsIgnoreCase(word, yes)) return 1;
  }
  for (absl::string_view no : {"0", "no", "n", "false", "f", "off"}) {
    if (absl::EqualsIgnoreCase(word, no)) return 0;
  }
  return -1;
}

std::string SimplifyPath(absl::string_view path) {
  std::string simple;
  const bool absolute = !path.empty() && path[0] == '/';
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (absolute || !simple.empty()) simple.push_back('/');
    simple.append(part.data(), part.size());
  }
  if (simple.empty()) return absolute ? "/" : (path.empty() ? "" : ".");
  return simple;
}

}  // namespace vgpu::systemd
