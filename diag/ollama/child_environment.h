// The environment that `ollama serve` gives each of its children, as far as it decides which
// libraries they load.
//
//   Variables child = ChildEnvironment(Child::kDiscoveryRunner,
//                                      {.directory = "/usr/local/lib/ollama",
//                                       .variant = "/usr/local/lib/ollama/cuda_v12"},
//                                      inherited);
//   child["LD_LIBRARY_PATH"]   "/usr/local/lib/ollama:/usr/local/lib/ollama/cuda_v12:..."
//
// All else is inherited, LD_PRELOAD too. Source: ollama/ollama llm/server.go (v0.6.8,
// v0.13.5), discover/runner.go (v0.12.4), llm/llama_server.go (v0.33.0-rc2). Pure;
// thread-safe.

#ifndef DIAG_OLLAMA_CHILD_ENVIRONMENT_H_
#define DIAG_OLLAMA_CHILD_ENVIRONMENT_H_

#include <map>
#include <string>

namespace vgpu::ollama {

using Variables = std::map<std::string, std::string>;

enum class Child {
  kModelRunner,      // A: `ollama runner --model ...`
  kDiscoveryRunner,  // B: `ollama runner --ollama-engine --port N`
  kLlamaServer,      // C
  kGpuDiscover,      // C: `ollama gpu-discover`
};

struct ChildLibraries {
  std::string directory;  // ".../lib/ollama"
  std::string variant;    // ".../lib/ollama/cuda_v12"
  // ".../cuda_v12/libggml-cuda.so"; empty: the variant holds no backend (C).
  std::string backend;
};

// Versions of one era differ in duplicates only, which change nothing of what wins.
Variables ChildEnvironment(Child child, const ChildLibraries& libraries, Variables inherited);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_CHILD_ENVIRONMENT_H_
