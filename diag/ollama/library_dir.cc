#include "diag/ollama/library_dir.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vgpu::ollama {
namespace {

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

// Of the names in a variant, sorted: the CUDA backend that is opened.
std::string BackendName(const std::vector<std::string>& names, Era era) {
  for (const std::string& name : names) {
    const bool opened =
        era == Era::kC ? absl::StartsWith(name, "libggml-cuda") && absl::StrContains(name, ".so")
                       : name == "libggml-cuda.so";
    if (opened) return name;
  }
  return "";
}

}  // namespace

bool LibraryDir::HasCuda() const {
  return std::any_of(variants.begin(), variants.end(),
                     [](const Variant& variant) { return variant.cuda_backend.present(); });
}

std::vector<std::string> LibraryDirCandidates(const LibraryDirSearch& search) {
  const absl::string_view dir = host::Dirname(search.exe);
  const bool may_be_c = search.era == Era::kC || search.era == Era::kUnknown;
  std::vector<std::string> paths = {Join(dir, "../lib/ollama")};
  if (may_be_c) paths.push_back(Join(dir, "lib/ollama"));
  // Of developers' trees.
  for (absl::string_view base : {dir, absl::string_view(search.cwd)}) {
    paths.push_back(Join(base, "build/lib/ollama"));
    if (!may_be_c) continue;
    paths.push_back(Join(base, "dist/linux-amd64/lib/ollama"));
    paths.push_back(Join(base, "dist/linux_amd64/lib/ollama"));
  }
  return paths;
}

host::Observed<LibraryDir> ReadLibraryDir(const host::Host& host, absl::string_view path, Era era,
                                          absl::string_view root) {
  host::Observed<host::Resolved> found = host.Resolve(path, root);
  if (found.present() && found->meta.type != host::FileType::kDir) return host::Absent{};
  host::Observed<std::vector<std::string>> names = host.List(path, root);
  if (names.absent()) return host::Absent{};
  if (!names.present()) {
    return host::NotObserved{absl::StrCat(path, ": ", names.why_not())};
  }
  LibraryDir dir;
  dir.path = std::string(path);
  for (const std::string& name : *names) {
    const std::string entry = host::JoinPath(dir.path, name);
    if (name == "llama-server") dir.has_llama_server = true;
    if (name == "libggml-cuda.so") dir.top_level_cuda_backend = host.Resolve(entry, root);
    host::Observed<std::vector<std::string>> inside = host.List(entry, root);
    if (!inside.present()) {  // a file; or, as for Ollama's Glob, unreadable
      dir.incomplete = dir.incomplete || MayBeDir(host, entry, root);
      continue;
    }
    Variant variant{name, entry, {}, "", host::Absent{}};
    for (const std::string& file : *inside) {
      if (absl::StrContains(file, "ggml-")) variant.ggml.push_back(file);
    }
    if (variant.ggml.empty()) continue;
    if (const std::string backend = BackendName(variant.ggml, era); !backend.empty()) {
      variant.backend_path = host::JoinPath(entry, backend);
      variant.cuda_backend = host.Resolve(variant.backend_path, root);
    }
    dir.variants.push_back(std::move(variant));
  }
  dir.names = *std::move(names);
  return dir;
}

host::Observed<LibraryDir> FindLibraryDir(const host::Host& host, const LibraryDirSearch& search,
                                          absl::string_view root) {
  for (const std::string& candidate : LibraryDirCandidates(search)) {
    host::Observed<LibraryDir> dir = ReadLibraryDir(host, candidate, search.era, root);
    if (!dir.absent()) return dir;
  }
  return host::Absent{};
}

}  // namespace vgpu::ollama
