#include "diag/ollama/child_environment.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace vgpu::ollama {
namespace {

constexpr char kLibraryPath[] = "LD_LIBRARY_PATH";

// Overwrites in place, whatever the letters' case (strings.EqualFold).
void Set(absl::string_view name, std::string value, Variables& variables) {
  for (auto it = variables.begin(); it != variables.end();) {
    it = absl::EqualsIgnoreCase(it->first, name) ? variables.erase(it) : std::next(it);
  }
  variables[std::string(name)] = std::move(value);
}

}  // namespace

Variables ChildEnvironment(Child child, const ChildLibraries& libraries, Variables inherited) {
  std::vector<std::string> path;
  const auto inherit = [&] {
    auto it = inherited.find(kLibraryPath);
    if (it == inherited.end()) return;
    for (absl::string_view dir : absl::StrSplit(it->second, ':')) path.emplace_back(dir);
  };
  switch (child) {
    case Child::kModelRunner:
      path = {libraries.variant, libraries.directory};
      inherit();
      path.push_back(libraries.directory);
      break;
    case Child::kDiscoveryRunner:
      // v0.12.4 to v0.12.6 name the directory twice.
      path = {libraries.directory, libraries.variant};
      inherit();
      break;
    case Child::kLlamaServer:
    case Child::kGpuDiscover:
      path = {libraries.directory, libraries.variant};
      inherit();
      break;
  }
  Set(kLibraryPath, absl::StrJoin(path, ":"), inherited);
  if (child == Child::kModelRunner || child == Child::kDiscoveryRunner) {
    Set("OLLAMA_LIBRARY_PATH", absl::StrCat(libraries.directory, ":", libraries.variant),
        inherited);
  } else if (!libraries.backend.empty()) {
    Set("GGML_BACKEND_PATH", libraries.backend, inherited);
  }
  return inherited;
}

}  // namespace vgpu::ollama
