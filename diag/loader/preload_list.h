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

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_PRELOAD_LIST_H_
