// What the dynamic loader says when it gives up, taken apart: such a line names cause and
// effect at once.
//
//   ollama: error while loading shared libraries: libx.so.1: cannot open shared object file: …
//   ollama: symbol lookup error: /opt/vgpu/lib/libcuda.so.1: undefined symbol: cuCtxGetFlags
//   ollama: /lib/…/libc.so.6: version `GLIBC_2.38' not found (required by /usr/lib64/x.so)
//
// Texts of glibc 2.36, elf/dl-error-minimal.c, dl-version.c, dl-lookup.c. What dlerror(3)
// gives has the same words without the program's name.

#ifndef DIAG_RULES_LOADER_LINES_H_
#define DIAG_RULES_LOADER_LINES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

struct LoaderLine {
  enum class Kind {
    kLibrary,  // `library` was not found, or cannot be loaded
    kSymbol,   // `library` needs `symbol`, of `version` if that is not empty
    kVersion,  // `library` lacks `version`, which `required_by` needs
  };
  Kind kind = Kind::kLibrary;
  std::string library;
  std::string symbol = {};
  std::string version = {};
  std::string required_by = {};
  // Only the start of a program says it so; else an object of a running one was refused.
  bool at_start = false;
};

std::optional<LoaderLine> ParseLoaderLine(absl::string_view text);

struct LoaderSays {
  LoaderLine line;
  Evidence evidence;  // the line itself, with no meaning yet
};

// Of the process that runs, or of the last starts where the service dies. Without those that
// say that an entry "cannot be preloaded".
std::vector<LoaderSays> LoaderLines(const facts::Facts& facts);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_LOADER_LINES_H_
