#include "diag/facts/unit_wishes.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "re2/re2.h"

namespace vgpu::facts {
namespace {

// A drop-in may be of any length; so many are looked at.
constexpr size_t kMaxWishes = 16;
constexpr size_t kMaxLine = 16384;

}  // namespace

std::vector<Wish> WishesIn(absl::string_view text) {
  // The loader's variables, the shims' own, and those that pick a device.
  static const RE2& variable = *new RE2(
      R"((?:^|[\s"'=])(LD_PRELOAD|LD_LIBRARY_PATH|VGPU_[A-Z0-9_]+|(?:CUDA|NVIDIA)_VISIBLE_DEVICES))"
      R"(=("[^"]*|'[^']*|[^\s"']*))");
  // A shim's list, or its tree, bound for the service.
  static const RE2& bind =
      *new RE2(R"(^\s*(Bind(?:ReadOnly)?Paths)\s*=\s*(\S*(?:ld\.so\.preload|vgpu)\S*))");
  std::vector<Wish> wishes;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view begin = absl::StripLeadingAsciiWhitespace(line);
    if (begin.empty() || begin[0] == '#' || begin[0] == ';' || line.size() > kMaxLine) continue;
    re2::StringPiece rest(line.data(), line.size());
    std::string name, value;
    const bool quoted = line.find('"') != absl::string_view::npos;
    while (wishes.size() < kMaxWishes && RE2::FindAndConsume(&rest, variable, &name, &value)) {
      if (!value.empty() && (value[0] == '"' || value[0] == '\'')) value.erase(0, 1);
      // Environment="LD_PRELOAD=/a /b": the quote stands before the name, and blanks count.
      if (quoted && !value.empty() && value.find(' ') == std::string::npos) {
        const absl::string_view behind(rest.data(), rest.size());
        const size_t end = behind.find('"');
        if (!behind.empty() && behind[0] == ' ' && end != absl::string_view::npos) {
          value.append(behind.data(), end);
        }
      }
      wishes.push_back({name, value, number});
    }
    const re2::StringPiece whole(line.data(), line.size());
    if (wishes.size() < kMaxWishes && RE2::PartialMatch(whole, bind, &name, &value)) {
      wishes.push_back({name, value, number});
    }
  }
  return wishes;
}

}  // namespace vgpu::facts
