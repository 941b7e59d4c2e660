// Go's build information: which Go, which module and which version a program was
// built from. The linker leaves it in the program's data, and it stays there when
// the program is stripped.
//
//   Observed<GoBuild> build = FindGoBuild(data, address);
//   if (build.present()) ... build->go == "go1.24.1"
//
// Pure functions; thread-safe.

#ifndef DIAG_ELF_GO_BUILD_H_
#define DIAG_ELF_GO_BUILD_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::elf {

struct GoBuild {
  std::string go;                       // "go1.24.1"
  host::Observed<std::string> module;   // "github.com/ollama/ollama"; absent: built without modules
  host::Observed<std::string> version;  // "v0.13.5"; "(devel)" where it was built from a checkout

  friend bool operator==(const GoBuild&, const GoBuild&) = default;
};

// Looks for build information in the bytes of one data segment that is mapped at
// `address`. Absent where there is none; not observed where there is one that cannot
// be read: it is cut off, or older than Go 1.18.
host::Observed<GoBuild> FindGoBuild(absl::string_view data, uint64_t address);

}  // namespace vgpu::elf

#endif  // DIAG_ELF_GO_BUILD_H_
