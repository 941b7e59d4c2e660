// Whatever a host says, what is shown is one line of text that does nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "diag/report/visible.h"

namespace {

void MustBeHarmless(const std::string& shown) {
  for (const unsigned char c : shown) {
    if (c < 0x20 || c == 0x7f) abort();
  }
  // Invalid UTF-8 and invisible characters would change.
  if (vgpu::report::Visible(shown) != shown) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string all = vgpu::report::Visible(text);
  MustBeHarmless(all);
  if (all.size() < size || all.size() > 4 * size) abort();

  const size_t limit = size == 0 ? 0 : data[0];
  const std::string quote = vgpu::report::VisibleQuote(text, limit);
  MustBeHarmless(quote);
  if (all.size() <= limit ? quote != all : quote.size() > limit + 40) abort();
  const size_t mark = quote.rfind("\u2026[+");
  if (all.size() > limit &&
      (mark == std::string::npos || all.substr(0, mark) != quote.substr(0, mark)))
    abort();

  for (const unsigned char c : vgpu::report::AsciiOnly(all)) {
    if (c < 0x20 || c > 0x7e) abort();
  }
  return 0;
}
