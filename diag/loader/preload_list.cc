#include "diag/loader/preload_list.h"

#include "absl/strings/str_split.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value) {
  return absl::StrSplit(value, absl::ByAnyChar(": "), absl::SkipEmpty());
}

}  // namespace vgpu::loader
