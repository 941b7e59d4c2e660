#include "diag/loader/ld_so_cache.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"

namespace vgpu::loader {
namespace {

// sysdeps/generic/dl-cache.h, glibc 2.36.
constexpr absl::string_view kOldMagic = "ld.so-1.7.0";
constexpr absl::string_view kNewMagic = "glibc-ld.so.cache1.1";

struct OldHeader {
  char magic[11];
  uint32_t libraries;
};
constexpr size_t kOldEntrySize = 12;

struct NewHeader {
  char magic[20];
  uint32_t libraries;
  uint32_t strings_size;
  uint8_t flags;
  uint8_t unused[3];
  uint32_t extension_offset;
  uint32_t unused_words[3];
};
static_assert(sizeof(NewHeader) == 48);

struct NewEntry {
  int32_t flags;
  uint32_t key;
  uint32_t value;
  uint32_t os_version;
  uint64_t hwcap;
};
static_assert(sizeof(NewEntry) == 24);

struct ExtensionHeader {
  uint32_t magic;
  uint32_t count;
};
constexpr uint32_t kExtensionMagic = 0xeaa42174;

struct ExtensionSection {
  uint32_t tag;
  uint32_t flags;
  uint32_t offset;
  uint32_t size;
};
constexpr uint32_t kTagHwcaps = 1;

// Of NewHeader::flags: the byte order in which the table was written. 0 is not known.
constexpr uint8_t kEndianMask = 3;
constexpr uint8_t kBigEndian = 3;

// Of NewEntry::flags: FLAG_ELF_LIBC6 with FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64.
constexpr int32_t kX8664 = 0x0303;
constexpr int32_t kAarch64 = 0x0a03;

// Of NewEntry::hwcap: its low half is then an index into the names of the extension.
constexpr uint64_t kHwcapExtension = uint64_t{1} << 62;

template <typename T>
std::optional<T> At(absl::string_view bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

// The text at an offset, which has to end inside. No path is longer than PATH_MAX: a
// hostile table cannot name one long text a thousand times.
std::optional<absl::string_view> Text(absl::string_view bytes, uint64_t at) {
  constexpr size_t kMaxPath = 4096;
  if (at >= bytes.size()) return std::nullopt;
  const absl::string_view rest = bytes.substr(at, kMaxPath);
  const size_t end = rest.find('\0');
  if (end == absl::string_view::npos) return std::nullopt;
  return rest.substr(0, end);
}

// The names of subdirectories of glibc-hwcaps/, by their index. Places of the extension
// are counted from the start of the file, texts from the start of the new table.
std::vector<std::string> HwcapsNames(absl::string_view file, absl::string_view table,
                                     uint32_t offset) {
  std::vector<std::string> names;
  const auto header = At<ExtensionHeader>(file, offset);
  if (offset == 0 || !header || header->magic != kExtensionMagic) return names;
  for (uint32_t i = 0; i < header->count; ++i) {
    const auto section = At<ExtensionSection>(
        file, offset + sizeof(ExtensionHeader) + uint64_t{i} * sizeof(ExtensionSection));
    if (!section) break;
    if (section->tag != kTagHwcaps) continue;
    for (uint32_t at = 0; at + sizeof(uint32_t) <= section->size; at += sizeof(uint32_t)) {
      const auto name_at = At<uint32_t>(file, uint64_t{section->offset} + at);
      if (!name_at) break;
      const auto name = Text(table, *name_at);
      names.emplace_back(name ? std::string(*name) : std::string());
    }
  }
  return names;
}

// The new table: all of the file, or what follows the old one.
absl::string_view NewTable(absl::string_view bytes) {
  if (bytes.substr(0, kOldMagic.size()) != kOldMagic) return bytes;
  const auto header = At<OldHeader>(bytes, 0);
  if (!header) return {};
  constexpr uint64_t kAlign = 8;  // of NewEntry
  const uint64_t end = sizeof(OldHeader) + uint64_t{header->libraries} * kOldEntrySize;
  const uint64_t start = (end + kAlign - 1) / kAlign * kAlign;
  return start < bytes.size() ? bytes.substr(start) : absl::string_view();
}

}  // namespace

absl::StatusOr<LdSoCache> LdSoCache::Parse(absl::string_view bytes) {
  const absl::string_view table = NewTable(bytes);
  const auto header = At<NewHeader>(table, 0);
  if (!header || table.substr(0, kNewMagic.size()) != kNewMagic) {
    return absl::InvalidArgumentError("no cache of glibc's present format");
  }
  if ((header->flags & kEndianMask) == kBigEndian) {
    return absl::InvalidArgumentError("a cache of a big-endian machine");
  }
  const std::vector<std::string> hwcaps = HwcapsNames(bytes, table, header->extension_offset);
  LdSoCache cache;
  for (uint32_t i = 0; i < header->libraries; ++i) {
    const auto entry = At<NewEntry>(table, sizeof(NewHeader) + uint64_t{i} * sizeof(NewEntry));
    if (!entry) return absl::InvalidArgumentError("it is cut off");
    const auto name = Text(table, entry->key);
    const auto path = Text(table, entry->value);
    if (!name || !path) continue;
    Entry kept;
    kept.name = std::string(*name);
    kept.path = std::string(*path);
    kept.ours = entry->flags == kX8664 || entry->flags == kAarch64;
    if (entry->hwcap >> 32 == kHwcapExtension >> 32) {
      const uint32_t index = static_cast<uint32_t>(entry->hwcap);
      if (index >= hwcaps.size()) continue;
      kept.hwcaps = hwcaps[index];
    } else {
      kept.legacy_hwcap = entry->hwcap;
    }
    cache.entries_.push_back(std::move(kept));
  }
  return cache;
}

std::vector<const LdSoCache::Entry*> LdSoCache::Find(absl::string_view name) const {
  std::vector<const Entry*> found;
  for (const Entry& entry : entries_) {
    if (entry.ours && entry.name == name) found.push_back(&entry);
  }
  return found;
}

}  // namespace vgpu::loader
