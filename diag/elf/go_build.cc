#include "diag/elf/go_build.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace vgpu::elf {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// The header, as Go's debug/buildinfo describes it (Go 1.26): 14 bytes of magic, the
// size of a pointer, flags, and two pointers that are unused since Go 1.18. The
// strings follow. It is aligned to 16 bytes in memory.
constexpr absl::string_view kMagic("\xff Go buildinf:", 14);
constexpr size_t kFlagsOffset = 15;
constexpr size_t kHeaderSize = 32;
constexpr size_t kAlignment = 16;
constexpr unsigned char kFlagInlineStrings = 2;

// The module text stands between two marks of 16 bytes.
constexpr size_t kModuleMark = 16;

// A string with its length before it as a varint. Takes it off the front of `data`.
std::optional<absl::string_view> TakeString(absl::string_view* data) {
  uint64_t length = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (data->empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(data->front());
    data->remove_prefix(1);
    length |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (length > data->size()) return std::nullopt;
    const absl::string_view text = data->substr(0, length);
    data->remove_prefix(length);
    return text;
  }
  return std::nullopt;
}

// Takes off and returns what stands before the next `separator`, or the rest.
absl::string_view TakeUntil(absl::string_view* text, char separator) {
  const size_t end = text->find(separator);
  const absl::string_view head = text->substr(0, end);
  text->remove_prefix(end == absl::string_view::npos ? text->size() : end + 1);
  return head;
}

Observed<GoBuild> Decode(absl::string_view data) {
  if (data.size() < kHeaderSize) return NotObserved{"Go build information is cut off"};
  if ((static_cast<unsigned char>(data[kFlagsOffset]) & kFlagInlineStrings) == 0) {
    return NotObserved{"Go build information in the form from before Go 1.18"};
  }
  data.remove_prefix(kHeaderSize);
  const std::optional<absl::string_view> version = TakeString(&data);
  if (!version.has_value()) return NotObserved{"Go build information is cut off"};
  std::optional<absl::string_view> modules = TakeString(&data);
  if (!modules.has_value()) return NotObserved{"Go build information is cut off"};

  GoBuild build;
  build.go = std::string(*version);
  build.module = Absent{};
  build.version = Absent{};
  // A text without its marks is none (Go 1.26, readRawBuildInfo).
  if (modules->size() <= 2 * kModuleMark || (*modules)[modules->size() - kModuleMark - 1] != '\n') {
    return build;
  }
  absl::string_view text = modules->substr(kModuleMark, modules->size() - 2 * kModuleMark);
  while (!text.empty()) {
    absl::string_view line = TakeUntil(&text, '\n');
    if (TakeUntil(&line, '\t') != "mod") continue;
    build.module = std::string(TakeUntil(&line, '\t'));
    const absl::string_view module_version = TakeUntil(&line, '\t');
    if (!module_version.empty()) build.version = std::string(module_version);
    break;
  }
  return build;
}

}  // namespace

Observed<GoBuild> FindGoBuild(absl::string_view data, uint64_t address) {
  size_t at = 0;
  while ((at = data.find(kMagic, at)) != absl::string_view::npos) {
    // A program that reads build information holds the magic as a plain string too.
    if ((address + at) % kAlignment == 0) return Decode(data.substr(at));
    ++at;
  }
  return Absent{};
}

}  // namespace vgpu::elf
