// Libraries that somebody keeps and nobody loads. Pure.

#ifndef DIAG_FACTS_PUT_ASIDE_H_
#define DIAG_FACTS_PUT_ASIDE_H_

#include "absl/strings/string_view.h"

namespace vgpu::facts {

// "libvgpu-cuda.so.old", "….so.bak-2": a name that a program or a list would use ends with ".so",
// or with numbers behind it. Of a path, its last part counts.
bool PutAside(absl::string_view path);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_PUT_ASIDE_H_
