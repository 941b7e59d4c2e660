// Where an Ollama binary looks for its libraries, and which variants it sees there.
//
//   Observed<LibraryDir> dir = FindLibraryDir(host, "/usr/local/bin/ollama", root);
//   for (const Variant& variant : dir->variants) ...   // cuda_v12, cuda_v13, vulkan
//
// A variant is a directory one level below the library directory that holds a file
// matching *ggml-* (discover/runner.go, v0.12.4 and later: Glob(dir/*/*ggml-*)). A
// file or link at the top level makes no variant.
//
// Source of the candidates: ollama/ollama ml/path.go (v0.13.5 and v0.33.0-rc2), which
// start from the program's path behind all links. Those below the server's working
// directory, which developers use, are left out.

#ifndef DIAG_OLLAMA_LIBRARY_DIR_H_
#define DIAG_OLLAMA_LIBRARY_DIR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::ollama {

struct Variant {
  std::string name;               // "cuda_v12"
  std::string path;               // as Ollama names it: LibraryDir::path + "/" + name
  std::vector<std::string> ggml;  // the names that match *ggml-*
  // libggml-cuda.so in it, behind its links. Absent: it has none, or a dangling link.
  host::Observed<host::Resolved> cuda_backend;
};

struct LibraryDir {
  std::string path;
  std::vector<Variant> variants;  // by name
  // A libggml-cuda.so at the top level: it makes no variant.
  host::Observed<host::Resolved> top_level_cuda_backend;
  bool has_llama_server = false;  // only era C installs one
  // A directory below it could not be listed: there may be a variant more.
  bool incomplete = false;
};

// `exe` is the program's path behind all links. Absent: no candidate is there.
host::Observed<LibraryDir> FindLibraryDir(const host::Host& host, absl::string_view exe,
                                          absl::string_view root = "");

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_LIBRARY_DIR_H_
