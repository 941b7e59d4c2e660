#include "diag/ollama/driver_search.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::ollama {
namespace {

constexpr char kName[] = "libcuda.so*";

constexpr absl::string_view kDirs[] = {
    "/usr/local/cuda*/targets/*/lib",
    "/usr/lib/*-linux-gnu/nvidia/current",
    "/usr/lib/*-linux-gnu",
    "/usr/lib/wsl/lib",
    "/usr/lib/wsl/drivers/*",
    "/opt/cuda/lib*",
    "/usr/local/cuda/lib*",
    "/usr/lib*",
    "/usr/local/lib*",
};

// A host has a handful; a hostile one could have a directory of thousands.
constexpr size_t kMaxFound = 64;

bool IsPattern(absl::string_view part) {
  return part.find_first_of("*?[") != absl::string_view::npos;
}

// Paths that match a pattern, in the order of their names (filepath.Glob).
std::vector<std::string> Glob(const host::Host& host, absl::string_view root,
                              absl::string_view pattern) {
  std::vector<std::string> paths = {""};
  for (absl::string_view part : absl::StrSplit(pattern, '/', absl::SkipEmpty())) {
    std::vector<std::string> longer;
    for (const std::string& path : paths) {
      if (longer.size() > kMaxFound) break;
      if (!IsPattern(part)) {
        longer.push_back(host::JoinPath(path, part));
        continue;
      }
      const host::Observed<std::vector<std::string>> names =
          host.List(path.empty() ? "/" : path, root);
      if (!names.present()) continue;
      for (const std::string& name : *names) {
        if (fnmatch(std::string(part).c_str(), name.c_str(), 0) == 0) {
          longer.push_back(host::JoinPath(path, name));
        }
      }
    }
    paths = std::move(longer);
  }
  return paths;
}

}  // namespace

std::vector<std::string> FindDriverLibraries(const host::Host& host, const DriverSearch& search) {
  std::vector<std::string> patterns;
  if (!search.library_dir.empty()) patterns.push_back(host::JoinPath(search.library_dir, kName));
  for (absl::string_view dir : absl::StrSplit(search.library_path, ':', absl::SkipEmpty())) {
    if (absl::StartsWith(dir, "/")) patterns.push_back(host::JoinPath(dir, kName));
  }
  for (absl::string_view dir : kDirs) patterns.push_back(host::JoinPath(dir, kName));

  std::vector<std::string> found;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : Glob(host, search.root, pattern)) {
      const host::Observed<host::Resolved> file = host.Resolve(path, search.root);
      if (!file.present() || found.size() == kMaxFound) continue;
      absl::string_view real = file->path;
      absl::ConsumePrefix(&real, search.root);
      if (std::find(found.begin(), found.end(), real) == found.end()) found.emplace_back(real);
    }
  }
  return found;
}

}  // namespace vgpu::ollama
