// Ollama's log: Go's slog, as text, to standard error.

#ifndef TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOG_H_
#define TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOG_H_

#include <string>
#include <utility>
#include <vector>

namespace vgpu::stand_in {

using Keys = std::vector<std::pair<std::string, std::string>>;

// `time=... level=INFO source=types.go:42 msg="inference compute" id=... library=CUDA`. DEBUG is
// written where OLLAMA_DEBUG asks for it.
void Log(const char* level, const char* source, const std::string& message, const Keys& keys = {});

// "79.6 GiB", as format.HumanBytes2 of Ollama prints a size.
std::string Gibibytes(unsigned long long bytes);

}  // namespace vgpu::stand_in

#endif  // TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOG_H_
