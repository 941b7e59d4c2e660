#include "diag/procfs/scan.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace vgpu::procfs {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

bool IsCut(absl::string_view text) { return !text.empty() && text.back() != '\n'; }

bool TakeLine(absl::string_view* text, absl::string_view* line) {
  if (text->empty()) return false;
  *line = TakeUntil('\n', text);
  return true;
}

absl::string_view TakeUntil(char delimiter, absl::string_view* text) {
  const size_t length = std::min(text->find(delimiter), text->size());
  const absl::string_view taken = text->substr(0, length);
  text->remove_prefix(std::min(length + 1, text->size()));
  return taken;
}

absl::string_view TakeField(absl::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(" \t"), line->size()));
  const size_t length = std::min(line->find_first_of(" \t"), line->size());
  const absl::string_view field = line->substr(0, length);
  line->remove_prefix(length);
  return field;
}

std::string UnescapeOctal(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    // The first of three digits is 0 to 3: more does not fit into a byte.
    if (text[i] == '\\' && text.size() - i > 3 && text[i + 1] >= '0' && text[i + 1] <= '3' &&
        IsOctal(text[i + 2]) && IsOctal(text[i + 3])) {
      bytes += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

std::string Quoted(absl::string_view text) {
  constexpr size_t kLongest = 60;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kLongest)),
                      text.size() > kLongest ? "..." : "", "\"");
}

}  // namespace vgpu::procfs
