// The processes in which discovery happens, and what glibc's loader does in each: the model
// of diag/loader, run for the server and for the children that its era starts.
//
//   for (const ModelledProcess& process : facts.loader.Deciding()) {
//     const loader::Opened* backend = process.Backend();
//     ...
//   }

#ifndef DIAG_FACTS_LOADER_FACTS_H_
#define DIAG_FACTS_LOADER_FACTS_H_

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "diag/loader/loader.h"

namespace vgpu::facts {

struct ModelledProcess {
  std::string role;     // "server", "model runner", "discovery runner", "llama-server",
                        // "gpu-discover"
  std::string variant;  // "cuda_v12"; "" for the server
  // Where its environment comes from: "/proc/57290/environ", or what the next start would
  // get. A child's is made from it (diag/ollama/child_environment.h).
  std::string source;
  loader::Load start;
  // What its code opens, in order: the backend by its path, the driver and NVML by name
  // (era A's server: by the paths that it finds).
  std::vector<loader::Opened> opened;

  // The call that opens libggml-cuda.so; null where there is none.
  const loader::Opened* Backend() const {
    for (const loader::Opened& open : opened) {
      if (absl::StrContains(open.name, "/libggml-cuda")) return &open;
    }
    return nullptr;
  }
};

struct LoaderFacts {
  // Of what runs. Empty where nothing runs, or its environment was not seen.
  std::vector<ModelledProcess> now;
  // Of the next start, where that differs from what runs, or nothing runs.
  std::vector<ModelledProcess> next;

  // What runs, else the next start.
  const std::vector<ModelledProcess>& Deciding() const { return now.empty() ? next : now; }
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_LOADER_FACTS_H_
