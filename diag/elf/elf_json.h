// ElfInfo from a capture, and into one: the `elf` object of a line of files.jsonl,
// with the keys that elf_json.cc reads.
//
//   absl::StatusOr<ElfInfo> info = ParseElfJson(R"({"class": 64, "soname": "libcuda.so.1"})");
//   info->soname   "libcuda.so.1"
//   info->interp   not observed: no such key
//
// A missing key is not observed, and null is absent: the file has none. Two keys have
// a meaning where they are missing: `undefined_complete` is then true, if `undefined`
// is there, and `pie` is false, if `type` is there.
//
// A value of the wrong kind makes that one key not observed, with the reason. An error
// is returned only where the text is no JSON object. Unknown keys are ignored.
//
// What host-tree.md has no key for, and a capture of ours has: `no_default_dirs`,
// `last_segment_end`, `lazy` of an undefined symbol, `weak` (a list) of a version need, and
// `not_observed`, which says of a key that is missing why.
//
// Pure; thread-safe.

#ifndef DIAG_ELF_ELF_JSON_H_
#define DIAG_ELF_ELF_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/elf/elf.h"

namespace vgpu::elf {

absl::StatusOr<ElfInfo> ParseElfJson(absl::string_view json);

// The text that ParseElfJson reads as `info` again.
std::string ElfToJson(const ElfInfo& info);

}  // namespace vgpu::elf

#endif  // DIAG_ELF_ELF_JSON_H_
