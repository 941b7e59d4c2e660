// The log lines that tell of discovery, as data: what Ollama prints at each step, in
// every spelling of its versions, and what systemd and the dynamic loader say around it.
//
// Sources: ollama/ollama v0.5.7 to v0.33.0-rc2, discover/*.go, server/routes.go (the
// typing errors are theirs: v0.12.4 to v0.12.11); systemd 252, src/core/service.c,
// src/core/job.c; glibc 2.36, elf/rtld.c, elf/dl-error.c.

#ifndef DIAG_OLLAMA_MESSAGES_H_
#define DIAG_OLLAMA_MESSAGES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::ollama {

enum class Event {
  kNone,
  kServerConfig,  // env="map[…]"; the server's first line
  kListening,     // "Listening on 127.0.0.1:11434 (version 0.16.2)"; before discovery
  kDiscoveryBegan,
  kPass,         // one child of discovery ended (B, C; DEBUG)
  kCount,        // how many devices the first pass found (B, C; DEBUG)
  kVerifying,    // second pass: one device is tried again, selected by its id (B, C; DEBUG)
  kFiltered,     // second pass: it did not come up (B, C; DEBUG)
  kFailure,      // a pass failed: timeout, crash
  kNoDevice,     // era A's own words for no usable device
  kCompute,      // the result; the last one of a process decides
  kVram,         // total_vram of the result
  kOverride,     // CUDA_VISIBLE_DEVICES or a sibling is set (WARN)
  kLoaderError,  // the dynamic loader's words
  kUnitStarted,  // systemd
  kUnitStopped,  // systemd
  kUnitExited,   // systemd: the main process ended by itself
  kUnitRestart,  // systemd: a restart is scheduled
};

enum class Speaker { kOllama, kLoader, kSystemd };

struct Message {
  Event event;
  Speaker speaker;
  absl::string_view text;  // part of the line; printable, without '"' and '\'
};

// The more special one first.
absl::Span<const Message> Messages();

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_MESSAGES_H_
