// What the dynamic loader does with each CUDA backend, in the child that opens it.
//
// The child's environment is Ollama's doing: it puts the library directory and the variant
// in front of the server's LD_LIBRARY_PATH, and hands on the rest (ollama/ollama llm/server.go
// v0.6.8 and v0.13.5, llm/llama_server.go v0.33.0-rc2).
//
// Values; thread-compatible. A part of Facts (facts.h).

#ifndef DIAG_FACTS_BACKEND_LOAD_H_
#define DIAG_FACTS_BACKEND_LOAD_H_

#include <string>

#include "diag/loader/loader.h"

namespace vgpu::facts {

struct BackendLoad {
  std::string variant;       // "cuda_v12"
  std::string backend;       // path of libggml-cuda.so, as it is opened
  std::string program;       // the child: Ollama itself, or llama-server
  std::string library_path;  // its LD_LIBRARY_PATH
  // The environment is that of the running server; false: what its next start would have.
  bool of_process = false;
  std::string source;  // of that environment
  loader::Load start;
  loader::Opened opened;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_BACKEND_LOAD_H_
