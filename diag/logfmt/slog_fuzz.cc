// Whatever the bytes are, a record's parts come out of the line, and the pieces around
// it keep their place.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "diag/logfmt/slog.h"

namespace {
void Require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::logfmt;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<SlogLine> line = ParseSlog(text);
  if (line.has_value()) {
    size_t taken = line->before.size() + line->msg.size() + line->after.size();
    for (const SlogAttr& attr : line->attrs) taken += attr.key.size() + attr.value.size();
    Require(taken <= size);
    Require(line->source_line >= 0);
    if (!absl::StrContains(text, "\x1b")) {
      Require(absl::StartsWith(text, line->before));
      Require(absl::StrContains(text, line->after));
    }
    if (!line->after.empty()) Require(ParseSlog(line->after).has_value());
  }
  Require(StripColours(text).size() <= size);
  if (const auto map = ParseGoMap(text); map.ok()) {
    size_t printed = 5;  // map[]
    for (const auto& [key, value] : *map) printed += key.size() + 1 + value.size() + 1;
    Require(map->empty() ? size == 5 : printed - 1 == size);
  }
  if (const auto slice = ParseGoSlice(text); slice.ok()) {
    size_t printed = 2;
    for (const std::string& element : *slice) printed += element.size() + 1;
    Require(slice->empty() ? size == 2 : printed - 1 == size);
  }
  (void)ParseGoDuration(text);
  (void)ParseBytes(text);
  return 0;
}
