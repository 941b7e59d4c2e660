// Shared objects that a program or a script names: "/opt/x/libvgpu-cuda.so".

#ifndef DIAG_FACTS_SHARED_OBJECT_NAMES_H_
#define DIAG_FACTS_SHARED_OBJECT_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::facts {

// Of a capture's ELF facts, the key that holds them: a list of paths.
inline constexpr char kNamedObjectsKey[] = "named_objects";

// Absolute paths of shared objects in the bytes of a file, each once. Bounded: a file of any
// size gives at most 64 names of at most 512 bytes.
std::vector<std::string> SharedObjectNames(absl::string_view bytes);

// Those that a capture recorded of a program whose bytes it does not hold.
std::vector<std::string> RecordedNames(const host::Host& host,
                                       const host::Observed<host::Resolved>& program);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_SHARED_OBJECT_NAMES_H_
