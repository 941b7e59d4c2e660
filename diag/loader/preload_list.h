// The list in LD_PRELOAD, as glibc reads it.
//
//   for (absl::string_view entry : SplitPreload("/a.so:/b.so /c.so")) ...
//
// Separators are ':' and ' ', and nothing else: a tab, a newline or a quote is part of
// a name. Empty entries mean nothing (glibc 2.36, elf/rtld.c, dl_main and
// handle_preload_list; measured). Pure; thread-safe. The views point into the argument.

#ifndef DIAG_LOADER_PRELOAD_LIST_H_
#define DIAG_LOADER_PRELOAD_LIST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value);

// The names in /etc/ld.so.preload, which is read otherwise: tabs and newlines separate
// too, and the first `#` begins a comment. A second comment is taken out in part or not
// at all, because the loader counts it from the wrong place (2.36, dl_main; measured).
std::vector<std::string> SplitPreloadFile(absl::string_view content);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_PRELOAD_LIST_H_
