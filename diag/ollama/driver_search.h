// The driver libraries that era A's server opens: it looks for files by patterns of its own
// and opens them by their paths, so the loader's cache has no say.
//
//   for (const std::string& path : FindDriverLibraries(host, {.library_dir = ...})) ...
//
// Source: ollama/ollama discover/gpu.go (FindGPULibs) and gpu_linux.go (NvcudaGlobs),
// v0.6.8. Links are resolved, and each file is named once, in the order of the patterns.

#ifndef DIAG_OLLAMA_DRIVER_SEARCH_H_
#define DIAG_OLLAMA_DRIVER_SEARCH_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::ollama {

struct DriverSearch {
  std::string library_dir;   // ".../lib/ollama"
  std::string library_path;  // LD_LIBRARY_PATH of the server
  std::string root;
};

// As the process names them, links resolved.
std::vector<std::string> FindDriverLibraries(const host::Host& host, const DriverSearch& search);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_DRIVER_SEARCH_H_
