// Environment variables that decide what discovery finds.
//
// A difference in another variable (a port, a model directory) explains nothing about a
// GPU. OLLAMA_LIBRARY_PATH is not among them: the server overwrites it for its child
// (A, B) or reads it nowhere (C). Source: ollama/ollama envconfig/config.go, llm/server.go,
// discover/runner.go (v0.13.5), llm/llama_server.go (v0.33.0-rc2); glibc's ld.so(8).

#ifndef DIAG_OLLAMA_VARIABLES_H_
#define DIAG_OLLAMA_VARIABLES_H_

#include "absl/strings/string_view.h"

namespace vgpu::ollama {

bool DecidesDiscovery(absl::string_view variable);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_VARIABLES_H_
