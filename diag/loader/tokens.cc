#include "diag/loader/tokens.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace vgpu::loader {
namespace {

// The length of token `name` at the start of `text`, which is what follows a '$';
// 0: it is none.
size_t TokenLength(absl::string_view text, absl::string_view name) {
  const bool braced = !text.empty() && text.front() == '{';
  if (braced) text.remove_prefix(1);
  if (text.substr(0, name.size()) != name) return 0;
  text.remove_prefix(name.size());
  if (braced) return text.empty() || text.front() != '}' ? 0 : name.size() + 2;
  const bool longer = !text.empty() && (absl::ascii_isalnum(text.front()) || text.front() == '_');
  return longer ? 0 : name.size();
}

struct Found {
  absl::string_view name;
  size_t length = 0;
};

Found TokenAt(absl::string_view text) {
  for (absl::string_view name : {"ORIGIN", "PLATFORM", "LIB"}) {
    if (const size_t length = TokenLength(text, name); length > 0) return {name, length};
  }
  return {};
}

}  // namespace

bool HasToken(absl::string_view text) {
  for (size_t at = text.find('$'); at != absl::string_view::npos; at = text.find('$', at + 1)) {
    if (TokenAt(text.substr(at + 1)).length > 0) return true;
  }
  return false;
}

std::optional<std::string> ExpandTokens(absl::string_view text, const Tokens& tokens) {
  std::string expanded;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    absl::StrAppend(&expanded, text.substr(0, dollar));
    if (dollar == absl::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    const Found token = TokenAt(text);
    if (token.length == 0) {
      expanded.push_back('$');
      continue;
    }
    if (token.name == "ORIGIN") {
      if (!tokens.origin) return std::nullopt;
      absl::StrAppend(&expanded, *tokens.origin);
    } else if (token.name == "LIB") {
      absl::StrAppend(&expanded, tokens.lib);
    } else {
      if (tokens.platform.empty()) return std::nullopt;
      absl::StrAppend(&expanded, tokens.platform);
    }
    text.remove_prefix(token.length);
  }
  return expanded;
}

}  // namespace vgpu::loader
