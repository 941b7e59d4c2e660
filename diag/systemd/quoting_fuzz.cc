#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "diag/systemd/quoting.h"

// Each word takes a part of the text off its front, an error takes nothing, and no
// word is longer than what it was written as.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vgpu::systemd::Escapes;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (Escapes escapes : {Escapes::kC, Escapes::kCRelaxed, Escapes::kPlain, Escapes::kKeep}) {
    absl::string_view rest = text;
    while (true) {
      const absl::string_view before = rest;
      const auto word = vgpu::systemd::TakeWord(&rest, escapes);
      if (!word.ok()) {
        if (rest != before) std::abort();
        break;
      }
      if (!word->has_value()) break;
      if (rest.size() >= before.size()) std::abort();
      if ((*word)->size() > before.size() - rest.size()) std::abort();
    }
  }
  const auto shown = vgpu::systemd::SplitShown(text);
  size_t total = 0;
  if (shown.ok()) {
    for (const std::string& word : *shown) total += word.size();
  }
  if (total > size) std::abort();
  const auto value = vgpu::systemd::UnquotePosix(text);
  if (value.ok() && value->size() > size) std::abort();
  return 0;
}
