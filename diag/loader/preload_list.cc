#include "diag/loader/preload_list.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_split.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value) {
  return absl::StrSplit(value, absl::ByAnyChar(": "), absl::SkipEmpty());
}

std::vector<absl::string_view> SplitPreloadFile(absl::string_view text) {
  // As dl_main has it, with what it does to a second comment: the search starts at the
  // beginning of the file again, and the rest is shorter by what was passed already.
  std::string shown(text);
  size_t rest = shown.size();
  while (rest > 0) {
    size_t comment = absl::string_view(shown).substr(0, rest).find('#');
    if (comment == absl::string_view::npos) break;
    rest -= comment;
    do {
      shown[comment] = ' ';
    } while (--rest > 0 && shown[++comment] != '\n');
  }
  // What is left it takes for a C string.
  shown.resize(std::min(shown.size(), shown.find('\0')));
  std::vector<absl::string_view> names =
      absl::StrSplit(shown, absl::ByAnyChar(": \t\n"), absl::SkipEmpty());
  for (absl::string_view& name : names) {
    name = text.substr(static_cast<size_t>(name.data() - shown.data()), name.size());
  }
  return names;
}

}  // namespace vgpu::loader
