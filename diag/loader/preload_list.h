// The list in LD_PRELOAD, as glibc reads it.
//
//   for (absl::string_view entry : SplitPreload("/a.so:/b.so /c.so")) ...
//
// Separators are ':' and ' ', and nothing else: a tab, a newline or a quote is part of
// a name. Empty entries mean nothing (glibc 2.36, elf/rtld.c, dl_main and
// handle_preload_list; measured). Pure; thread-safe. The views point into the argument.

#ifndef DIAG_LOADER_PRELOAD_LIST_H_
#define DIAG_LOADER_PRELOAD_LIST_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::loader {

std::vector<absl::string_view> SplitPreload(absl::string_view value);

// The list in /etc/ld.so.preload: tabs and newlines are separators there too, and the first
// `#` begins a comment, to the end of its line. A second comment is taken out in part or
// not at all, because the loader counts it from the wrong place: words of it are entries
// (measured, glibc 2.36, with lists in a root of their own).
std::vector<absl::string_view> SplitPreloadFile(absl::string_view text);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_PRELOAD_LIST_H_
