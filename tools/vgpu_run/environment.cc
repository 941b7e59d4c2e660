#include "tools/vgpu_run/environment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::run {
namespace {

// In the order of lookup: libvgpu-exec.so first, which keeps the others in the environment of
// children.
constexpr absl::string_view kPreloaded[] = {"libvgpu-exec.so", "libvgpu-cuda.so", "libvgpu-nvml.so",
                                            "libvgpu-cudart.so", "libvgpu-cudart13.so"};

// Puts `entries` before what the variable has. ld.so parts LD_PRELOAD at colons and spaces, and
// LD_LIBRARY_PATH at colons and semicolons (ld.so(8)).
void Prepend(std::vector<std::string>& environment, absl::string_view name,
             const std::vector<std::string>& entries, absl::string_view separators) {
  std::string prefix = absl::StrCat(name, "=");
  auto variable =
      std::find_if(environment.begin(), environment.end(),
                   [&](const std::string& text) { return absl::StartsWith(text, prefix); });
  absl::string_view old;
  if (variable != environment.end()) old = absl::StripPrefix(*variable, prefix);
  std::vector<absl::string_view> present = absl::StrSplit(old, absl::ByAnyChar(separators));
  std::vector<absl::string_view> value;
  for (const std::string& entry : entries) {
    if (std::find(present.begin(), present.end(), entry) == present.end()) value.push_back(entry);
  }
  if (!old.empty()) value.push_back(old);
  std::string text = absl::StrCat(prefix, absl::StrJoin(value, ":"));
  if (variable == environment.end()) {
    environment.push_back(std::move(text));
  } else {
    *variable = std::move(text);
  }
}

}  // namespace

std::vector<std::string> WithView(std::vector<std::string> environment) {
  std::string prefix = absl::StrCat(kVerifySysfs, "=");
  bool asked = std::any_of(environment.begin(), environment.end(),
                           [&](const std::string& text) { return absl::StartsWith(text, prefix); });
  if (!asked) environment.push_back(absl::StrCat(prefix, "0"));
  return environment;
}

std::vector<std::string> PreloadedShims(absl::string_view shims) {
  std::vector<std::string> libraries;
  for (absl::string_view name : kPreloaded) libraries.push_back(absl::StrCat(shims, "/", name));
  return libraries;
}

std::vector<std::string> WithShims(std::vector<std::string> environment, absl::string_view shims) {
  Prepend(environment, "LD_PRELOAD", PreloadedShims(shims), ": ");
  Prepend(environment, "LD_LIBRARY_PATH", {std::string(shims)}, ":;");
  return environment;
}

}  // namespace vgpu::run
