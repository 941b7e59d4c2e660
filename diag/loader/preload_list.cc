#include "diag/loader/preload_list.h"

#include "absl/strings/str_split.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value) {
  return absl::StrSplit(value, absl::ByAnyChar(": "), absl::SkipEmpty());
}

std::vector<std::string> SplitPreloadFile(absl::string_view content) {
  std::string text(content);
  // As dl_main has it, with what it does to a second comment: the search starts at the
  // beginning of the file again, and the rest is shorter by what was passed already.
  size_t rest = text.size();
  while (rest > 0) {
    size_t comment = absl::string_view(text).substr(0, rest).find('#');
    if (comment == absl::string_view::npos) break;
    rest -= comment;
    do {
      text[comment] = ' ';
    } while (--rest > 0 && text[++comment] != '\n');
  }
  return absl::StrSplit(text, absl::ByAnyChar(": \t\n"), absl::SkipEmpty());
}

}  // namespace vgpu::loader
