// The tokens that glibc's loader replaces in names and paths: $ORIGIN, $LIB, $PLATFORM,
// also as ${ORIGIN}.
//
//   ExpandTokens("$ORIGIN/../lib", {.origin = "/opt/app/bin", ...})   "/opt/app/bin/../lib"
//
// $ORIGIN is the directory of the object whose string it is: of the program for
// LD_PRELOAD and LD_LIBRARY_PATH, of the library for its own RPATH, RUNPATH and NEEDED. A
// longer name that begins like one ("$ORIGINAL", "$LIBRARY") is no token
// (elf/dl-load.c, is_dst, 2.36). Pure; thread-safe.

#ifndef DIAG_LOADER_TOKENS_H_
#define DIAG_LOADER_TOKENS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::loader {

struct Tokens {
  std::optional<std::string> origin;  // nothing: not known, or forbidden
  std::string lib;                    // "lib/x86_64-linux-gnu", "lib64"
  std::string platform;               // empty: not known
};

bool HasToken(absl::string_view text);

// Nothing where a token has no value: the loader then drops the element.
std::optional<std::string> ExpandTokens(absl::string_view text, const Tokens& tokens);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_TOKENS_H_
