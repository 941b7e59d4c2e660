#include "diag/loader/preload_list.h"

#include "absl/strings/str_split.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value) {
  return absl::StrSplit(value, absl::ByAnyChar(": "), absl::SkipEmpty());
}

std::vector<absl::string_view> SplitPreloadFile(absl::string_view text) {
  // The loader takes the file for a C string.
  return absl::StrSplit(text.substr(0, text.find('\0')), absl::ByAnyChar(": \t\n"),
                        absl::SkipEmpty());
}

}  // namespace vgpu::loader
