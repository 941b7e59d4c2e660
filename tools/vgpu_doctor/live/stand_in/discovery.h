// Discovery as `ollama serve` does it: its children, their environment, and the lines that it logs.

#ifndef TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_DISCOVERY_H_
#define TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_DISCOVERY_H_

#include <string>
#include <vector>

namespace vgpu::stand_in {

// ml/path.go: the directory of Ollama's libraries, from where the program is.
std::string LibraryDirectory(const std::string& program);

// discover/runner.go of v0.13.5: a runner for each variant, twice.
void DiscoverWithRunners(const std::string& program);

// The same of v0.33: llama-server, twice for each variant, and gpu-discover.
void DiscoverWithLlamaServer(const std::string& program);

}  // namespace vgpu::stand_in

#endif  // TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_DISCOVERY_H_
