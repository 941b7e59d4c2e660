// Any bytes make an ElfInfo, and it keeps its promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "diag/elf/elf.h"

namespace {

using vgpu::elf::ElfInfo;
using vgpu::host::Observed;

void Check(bool holds) {
  if (!holds) abort();
}

template <typename T>
void CheckAnswer(const Observed<T>& answer) {
  // Every member was looked at, and says why it has no answer.
  if (answer.not_observed())
    Check(!answer.why_not().empty() && answer.why_not() != "not looked at");
}

void CheckInfo(const ElfInfo& info, uint64_t read, uint64_t file_size) {
  CheckAnswer(info.error);
  CheckAnswer(info.elf_class);
  CheckAnswer(info.machine);
  CheckAnswer(info.type);
  CheckAnswer(info.pie);
  CheckAnswer(info.interp);
  CheckAnswer(info.soname);
  CheckAnswer(info.needed);
  CheckAnswer(info.rpath);
  CheckAnswer(info.runpath);
  CheckAnswer(info.build_id);
  CheckAnswer(info.bind_now);
  CheckAnswer(info.version_defs);
  CheckAnswer(info.version_needs);
  CheckAnswer(info.undefined);
  CheckAnswer(info.undefined_complete);
  CheckAnswer(info.exports);
  CheckAnswer(info.exports_complete);
  CheckAnswer(info.cuda_archs);
  CheckAnswer(info.go_build);
  CheckAnswer(info.last_segment_end);

  // What the loader takes lies within the file.
  if (info.error.absent()) Check(info.last_segment_end.value_or(0) <= file_size);
  if (info.error.value_or("") == "truncated") Check(*info.last_segment_end > file_size);
  Check(!info.undefined_complete.absent() && !info.exports_complete.absent());
  Check(info.undefined.not_observed() == info.undefined_complete.not_observed());

  // Memory is bounded by a multiple of what was read.
  size_t names = 0;
  if (info.needed.present()) {
    for (const std::string& name : *info.needed) names += name.size();
  }
  if (info.exports.present()) {
    Check(info.exports->size() <= read / 16);
    for (const auto& symbol : *info.exports) names += symbol.name.size();
  }
  if (info.undefined.present()) {
    Check(info.undefined->size() <= read / 16);
    for (const auto& symbol : *info.undefined) names += symbol.name.size();
  }
  Check(names <= 4 * read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ElfInfo whole = vgpu::elf::ParseElf(bytes, size);
  CheckInfo(whole, size, size);
  // As the first part of a file that is longer.
  const uint64_t longer = size + 1000;
  CheckInfo(vgpu::elf::ParseElf(bytes, longer), size, longer);
  // A size that is too small is not believed.
  Check(vgpu::elf::ParseElf(bytes, 0) == whole);
  return 0;
}
