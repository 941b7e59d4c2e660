// Whose a library is that answers for a layer of CUDA: a shim's, or NVIDIA's own.
//
// By the name behind all links: "libvgpu-cuda.so" is a shim's, and NVIDIA's files carry
// their release ("libcuda.so.570.124.06", "libcudart.so.12.8.90"; their sonames are links
// to them). What a file exports, and what other file it is a copy of, outweigh its name.
//
// Pure; thread-safe.

#ifndef DIAG_FACTS_MAKER_H_
#define DIAG_FACTS_MAKER_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/facts/facts.h"

namespace vgpu::facts {

enum class Maker {
  kShim,
  kNvidia,
  kStub,     // of the toolkit, to link against: it does nothing (…/stubs/libcuda.so)
  kUnknown,  // a name that both bear, and nothing else was seen
};

// `known` are other files of such names on the host (Facts::gpu_libraries).
Maker MakerOf(const FileFacts& file, absl::Span<const FileFacts> known);

// "libcuda.so.570.124.06" and "libcudart.so.12.8.90", but not "libcuda.so.1".
bool HasRelease(absl::string_view path);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_MAKER_H_
