// Where an Ollama binary looks for its libraries, and which variants it sees there.
//
//   Observed<LibraryDir> dir = FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"}, root);
//   for (const Variant& variant : dir->variants) ...   // cuda_v12, cuda_v13, vulkan
//
// A variant is a directory one level below the library directory that holds a file
// matching *ggml-* (discover/runner.go, v0.12.4 and later: Glob(dir/*/*ggml-*)). A
// file or link at the top level makes no variant.
//
// Source of the candidates: ollama/ollama discover/path.go (v0.6.8), ml/path.go (v0.13.5 and
// v0.33.0-rc2), which start from the program's path behind all links.

#ifndef DIAG_OLLAMA_LIBRARY_DIR_H_
#define DIAG_OLLAMA_LIBRARY_DIR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/ollama/era.h"

namespace vgpu::ollama {

struct Variant {
  std::string name;               // "cuda_v12"
  std::string path;               // as Ollama names it: LibraryDir::path + "/" + name
  std::vector<std::string> ggml;  // the names that match *ggml-*
  // The CUDA backend that this era opens: libggml-cuda.so; in era C the first of its names
  // (llm/llama_server.go, findLlamaServerGPUBackend), so that libggml-cuda.so.bak counts too.
  // Empty: the directory lists none.
  std::string backend_path;
  // That, behind its links. Absent: there is none, or a link to nothing.
  host::Observed<host::Resolved> cuda_backend;
};

struct LibraryDir {
  std::string path;
  std::vector<std::string> names;  // in it
  std::vector<Variant> variants;   // by name
  // A libggml-cuda.so at the top level: it makes no variant.
  host::Observed<host::Resolved> top_level_cuda_backend = host::Absent{};
  bool has_llama_server = false;  // only era C installs one
  // A directory below it could not be listed: there may be a variant more.
  bool incomplete = false;

  // A variant with a CUDA backend that can be opened.
  bool HasCuda() const;
};

// What the search starts from.
struct LibraryDirSearch {
  std::string exe;  // the program's path, behind all links
  Era era = Era::kUnknown;
  std::string cwd = "/";  // the server's working directory
};

// The places that this binary looks at, in its order. An unknown era gives those of all.
std::vector<std::string> LibraryDirCandidates(const LibraryDirSearch& search);

// The first candidate that is a directory. Absent: none is.
host::Observed<LibraryDir> FindLibraryDir(const host::Host& host, const LibraryDirSearch& search,
                                          absl::string_view root = "");

// What Ollama sees in a directory that it took for its library directory. Absent: there is
// no such directory.
host::Observed<LibraryDir> ReadLibraryDir(const host::Host& host, absl::string_view path, Era era,
                                          absl::string_view root = "");

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_LIBRARY_DIR_H_
