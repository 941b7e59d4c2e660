// Any text is an ElfInfo or an error, and the same text is always the same one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/elf/elf_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view json(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<vgpu::elf::ElfInfo> info = vgpu::elf::ParseElfJson(json);
  if (!info.ok()) return 0;
  if (*info != *vgpu::elf::ParseElfJson(json)) abort();
  // A list that could be read says whether it is whole, unless that was said wrongly.
  if (info->undefined.present() && info->undefined_complete.why_not() == "not recorded") abort();
  return 0;
}
