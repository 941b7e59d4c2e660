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
  kPass,           // one child of discovery ended (B, C; DEBUG)
  kCount,          // how many devices the first pass found (B, C; DEBUG)
  kVerifying,      // second pass: one device is tried again, selected by its id (B, C; DEBUG)
  kFiltered,       // second pass: it did not come up (B, C; DEBUG)
  kSkipped,        // a variant or a device that discovery leaves out
  kFailure,        // a pass failed: timeout, crash
  kChildEnded,     // how a child ended (TRACE in B, DEBUG in C)
  kNoDevice,       // era A's own words for no usable device
  kCudaError,      // a code or a text of CUDA, where no other event holds it
  kDriverTooOld,   // era C's comparison of the driver with what the backend needs
  kArchMissing,    // the backend has no code for the device's compute capability
  kCompute,        // the result; the last one of a process decides
  kVram,           // total_vram of the result
  kOverride,       // CUDA_VISIBLE_DEVICES or a sibling is set (WARN)
  kNoAvx,          // the processor lacks what this version asks for
  kBackend,        // ggml opened a backend, or could not
  kDeviceCount,    // ggml_cuda_init: found N CUDA devices
  kDevice,         // one of them, with its compute capability
  kRunner,         // a child is started: of discovery, or for a model
  kOffload,        // layers of a model on the GPU
  kTooLarge,       // a model does not fit
  kRunnerDied,     // the child of a model
  kLaunchRefused,  // a shim: it describes a device and runs no kernels
  kOtherRuntime,   // the driver's shim: NVIDIA's own runtime asks it to be NVIDIA's driver
  kLoaderError,    // the dynamic loader's words
  kUnitStarted,    // systemd
  kUnitStopped,    // systemd
  kUnitExited,     // systemd: the main process ended by itself
  kUnitRestart,    // systemd: a restart is scheduled
  kUnitProblem,    // systemd: what it ignores of the unit, or could not set up
};

enum class Speaker {
  kOllama,  // the msg of a record
  kRecord,  // anywhere in a record: the key of an attribute
  kChild,   // a child, in its own raw line or quoted in a record's error= or detail=
  kLoader,  // likewise
  kShim,    // a raw line with lib=libvgpu-…
  kSystemd,
};

struct Message {
  Event event;
  Speaker speaker;
  absl::string_view text;  // part of the line; printable, without '"' and '\'
};

// The more special one first.
absl::Span<const Message> Messages();

}  // namespace vgpu::ollama

#endif  // DIAG_OLLAMA_MESSAGES_H_
