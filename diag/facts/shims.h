// The five shims, by name.
//
// The table is all that the diagnosis knows of them: how their files are called, which
// soname programs ask for, and in which eras discovery finds no device without them.

#ifndef DIAG_FACTS_SHIMS_H_
#define DIAG_FACTS_SHIMS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/ollama/era.h"

namespace vgpu::facts {

enum class Shim { kExec, kSyscall, kCuda, kNvml, kCudart };

struct ShimInfo {
  Shim shim;
  absl::string_view name;           // "libvgpu-cuda": its file is NAME.so, or NAME.so.1
  absl::string_view soname_prefix;  // "libcuda.so"; empty: no program asks for it
  absl::string_view needed_in;      // letters of eras
  absl::string_view why;            // needed, or not
};

absl::Span<const ShimInfo> AllShims();
const ShimInfo& InfoOf(Shim shim);

// By the name of the file ("libvgpu-cuda.so", "libvgpu-cuda.so.1"), or by the soname
// that it answers to ("libcuda.so.1"). A file of NVIDIA's own answers to the latter
// too: only `named_as_shim` tells them apart.
struct ShimName {
  Shim shim;
  bool named_as_shim = false;
};
std::optional<ShimName> ShimOf(absl::string_view path);

// Without it, that era's discovery finds no virtual device.
bool NeededIn(Shim shim, ollama::Era era);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_SHIMS_H_
