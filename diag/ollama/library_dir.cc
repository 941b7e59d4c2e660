#include "diag/ollama/library_dir.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vgpu::ollama {
namespace {

// Relative to the directory of the program, first wins.
constexpr absl::string_view kCandidates[] = {"../lib/ollama", "lib/ollama"};

// "/usr/local/bin" and "../lib/ollama": "/usr/local/lib/ollama", as filepath.Join.
std::string Join(absl::string_view dir, absl::string_view relative) {
  if (absl::ConsumePrefix(&relative, "../")) dir = host::Dirname(dir);
  return host::JoinPath(dir, relative);
}

// Of a path that could not be listed: whether it is, or may be, a directory.
bool MayBeDir(const host::Host& host, const std::string& path, absl::string_view root) {
  host::Observed<host::Resolved> found = host.Resolve(path, root);
  if (found.present()) return found->meta.type == host::FileType::kDir;
  return found.not_observed();
}

}  // namespace

host::Observed<LibraryDir> FindLibraryDir(const host::Host& host, absl::string_view exe,
                                          absl::string_view root) {
  for (absl::string_view candidate : kCandidates) {
    LibraryDir dir;
    dir.path = Join(host::Dirname(exe), candidate);
    host::Observed<std::vector<std::string>> names = host.List(dir.path, root);
    if (names.absent()) continue;
    if (!names.present()) {
      return host::NotObserved{absl::StrCat(dir.path, ": ", names.why_not())};
    }
    for (const std::string& name : *names) {
      const std::string path = host::JoinPath(dir.path, name);
      if (name == "llama-server") dir.has_llama_server = true;
      if (name == "libggml-cuda.so") dir.top_level_cuda_backend = host.Resolve(path, root);
      host::Observed<std::vector<std::string>> inside = host.List(path, root);
      if (!inside.present()) {  // a file; or, as for Ollama's Glob, unreadable
        dir.incomplete = dir.incomplete || MayBeDir(host, path, root);
        continue;
      }
      Variant variant{name, path, {}, host::Absent{}};
      for (const std::string& file : *inside) {
        if (absl::StrContains(file, "ggml-")) variant.ggml.push_back(file);
      }
      if (variant.ggml.empty()) continue;
      variant.cuda_backend = host.Resolve(host::JoinPath(path, "libggml-cuda.so"), root);
      dir.variants.push_back(std::move(variant));
    }
    return dir;
  }
  return host::Absent{};
}

}  // namespace vgpu::ollama
