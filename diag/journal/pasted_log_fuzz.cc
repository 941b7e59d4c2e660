// Any text is read in bounded memory, and its pieces do not matter.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/journal/pasted_log.h"
#include "diag/logfmt/memory_source.h"

namespace {

std::vector<std::string> Texts(absl::string_view text, size_t piece) {
  vgpu::logfmt::MemorySource source(text, piece);
  std::vector<std::string> texts;
  uint64_t last = 0;
  vgpu::journal::ReadPastedLog(source, [&](const vgpu::journal::PastedLine& line) {
    if (line.number < last) std::abort();  // in the order of the text
    last = line.number;
    texts.push_back(line.text);
  });
  return texts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (Texts(text, absl::string_view::npos) != Texts(text, 3)) std::abort();
  return 0;
}
