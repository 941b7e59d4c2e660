// What the programs of a probe print, as devices: the probe program itself, and Ollama's own.
//
// Pure, bounded, thread-safe: the text comes from programs into which libraries were loaded
// that nobody vouches for.

#ifndef DIAG_PROBE_ANSWERS_H_
#define DIAG_PROBE_ANSWERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/probe/probe.h"

namespace vgpu::probe {

// The lines of vgpu-probe (tools/vgpu_probe/answer.h).
struct ProgramAnswer {
  bool complete = false;  // the last line is there; else it died, or hangs, in `call`
  bool ok = false;
  bool missing = false;  // the library that it should open is not there
  bool secure = false;
  std::string call;
  std::string why;
  std::string library;
  std::vector<PreloadEntry> preload;
  std::vector<Device> devices;
};
ProgramAnswer ParseProgramAnswer(absl::string_view text);

// GET /info of `ollama runner --ollama-engine` (era B): the devices that CUDA gives. Nothing
// where it is no such list.
std::optional<std::vector<Device>> ParseRunnerInfo(absl::string_view json);

// `llama-server --list-devices` (era C): "  CUDA0: NAME (81559 MiB, 81000 MiB free)", and ggml's
// own line for the compute capability: "  Device 0: NAME, compute capability 9.0, VMM: yes".
std::vector<Device> ParseListedDevices(absl::string_view text);

// What a start of llama-server says that its backend was compiled for: "CUDA : ARCHS =
// 500,610,900" gives "5.0", "6.1", "9.0". Empty: it does not say.
std::vector<std::string> ParseCompiledFor(absl::string_view text);

// `ollama gpu-discover` (era C). Nothing where it is no such answer.
std::optional<std::vector<Device>> ParseGpuDiscover(absl::string_view json);

}  // namespace vgpu::probe

#endif  // DIAG_PROBE_ANSWERS_H_
