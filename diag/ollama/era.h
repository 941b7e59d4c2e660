// Ollama's three eras of GPU discovery, and what in a version decides.
//
//   A  up to v0.12.3          the server itself opens libcuda or libcudart
//   B  v0.12.4 to v0.24.x     a child `ollama runner --ollama-engine` does, once for each
//                             library directory
//   C  from v0.30.0           children `llama-server` and `ollama gpu-discover` do
//
// Source: ollama/ollama, discover/ and llm/ at the tags named (v0.12.3, v0.12.4,
// v0.24.0, v0.30.0); there is no v0.25 to v0.29. Pure; thread-safe.

#ifndef DIAG_OLLAMA_ERA_H_
#define DIAG_OLLAMA_ERA_H_

#include <compare>
#include <optional>

#include "absl/strings/string_view.h"

namespace vgpu::ollama {

enum class Era { kUnknown, kA, kB, kC };

// "A", "B", "C", "unknown".
absl::string_view EraName(Era era);

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

// "0.16.2", "v0.16.2", "0.33.0-rc2". Nothing for what is no version, and for "0.0.0",
// which every locally built Ollama calls itself.
std::optional<Version> ParseVersion(absl::string_view text);

Era EraOf(Version version);

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_ERA_H_
