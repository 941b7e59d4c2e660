#include "diag/host/json_member.h"

#include <algorithm>
#include <cstddef>

namespace vgpu::host {
namespace {

constexpr size_t kNone = absl::string_view::npos;

// Where the string that begins before `at` has its closing quote.
size_t EndOfString(absl::string_view text, size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return kNone;
}

size_t SkipSpace(absl::string_view text, size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

}  // namespace

std::optional<absl::string_view> ObjectMember(absl::string_view object, absl::string_view key) {
  size_t depth = 0;
  size_t begin = kNone;  // of the value, once it is found
  for (size_t at = 0; at < object.size(); ++at) {
    switch (object[at]) {
      case '"': {
        const size_t end = EndOfString(object, at + 1);
        if (end == kNone) return std::nullopt;
        const absl::string_view name = object.substr(at + 1, end - at - 1);
        at = end;
        if (depth != 1 || begin != kNone || name != key) break;
        const size_t colon = SkipSpace(object, end + 1);
        if (colon == object.size() || object[colon] != ':') break;  // it was a value
        const size_t value = SkipSpace(object, colon + 1);
        if (value == object.size() || object[value] != '{') break;
        begin = at = value;
        ++depth;
        break;
      }
      case '{':
      case '[':
        if (++depth > kMaxJsonDepth) return std::nullopt;
        break;
      case '}':
      case ']':
        if (depth <= 1) return std::nullopt;  // the end of the object itself
        if (--depth == 1 && begin != kNone) return object.substr(begin, at + 1 - begin);
        break;
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace vgpu::host
