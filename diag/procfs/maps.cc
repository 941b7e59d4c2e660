#include "diag/procfs/maps.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

constexpr absl::string_view kDeleted = " (deleted)";

using FileKey = std::tuple<uint32_t, uint32_t, uint64_t>;

FileKey KeyOf(const Mapping& mapping) {
  return {mapping.dev_major, mapping.dev_minor, mapping.inode};
}

MappedFile FirstMappingOf(const Mapping& mapping) {
  MappedFile file;
  file.dev_major = mapping.dev_major;
  file.dev_minor = mapping.dev_minor;
  file.inode = mapping.inode;
  file.start = mapping.start;
  absl::string_view path = mapping.path;
  file.marked_deleted = absl::ConsumeSuffix(&path, kDeleted);
  file.path = absl::StrReplaceAll(path, {{"\\012", "\n"}});
  return file;
}

}  // namespace

std::optional<Mapping> ParseMapsLine(absl::string_view line) {
  Mapping mapping;
  if (!ParseNumber(TakeUntil('-', &line), &mapping.start, 16) ||
      !ParseNumber(TakeUntil(' ', &line), &mapping.end, 16) || mapping.end < mapping.start) {
    return std::nullopt;
  }
  const absl::string_view permissions = TakeUntil(' ', &line);
  if (permissions.size() != 4) return std::nullopt;
  mapping.readable = permissions[0] == 'r';
  mapping.writable = permissions[1] == 'w';
  mapping.executable = permissions[2] == 'x';
  mapping.shared = permissions[3] == 's';
  if (!ParseNumber(TakeUntil(' ', &line), &mapping.offset, 16) ||
      !ParseNumber(TakeUntil(':', &line), &mapping.dev_major, 16) ||
      !ParseNumber(TakeUntil(' ', &line), &mapping.dev_minor, 16) ||
      !ParseNumber(TakeUntil(' ', &line), &mapping.inode)) {
    return std::nullopt;
  }
  // Spaces fill the line up to the path's column. A path may end with spaces, and begins
  // with none: it begins with a slash.
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  mapping.path = line;
  return mapping;
}

absl::StatusOr<MappedObjects> ParseMaps(absl::string_view text, bool truncated) {
  if (text.empty() && !truncated) {
    return absl::InvalidArgumentError("maps: empty, as for a kernel thread or a zombie");
  }
  const absl::string_view given = text;
  MappedObjects objects;
  objects.truncated = truncated || IsCut(text);
  // npos + 1 is 0: there is no whole line.
  if (objects.truncated) text = text.substr(0, text.rfind('\n') + 1);

  absl::flat_hash_map<FileKey, size_t> index_of;
  // Mappings of one file mostly follow each other: the last file is looked at first.
  MappedFile* last = nullptr;
  absl::string_view line;
  while (TakeLine(&text, &line)) {
    if (line.empty()) continue;
    const std::optional<Mapping> mapping = ParseMapsLine(line);
    if (!mapping.has_value()) {
      ++objects.malformed_lines;
      continue;
    }
    ++objects.mappings;
    if (mapping->inode == 0 || !absl::StartsWith(mapping->path, "/")) continue;
    if (last == nullptr || last->inode != mapping->inode || last->dev_minor != mapping->dev_minor ||
        last->dev_major != mapping->dev_major) {
      const auto [found, is_new] = index_of.try_emplace(KeyOf(*mapping), objects.files.size());
      if (is_new) objects.files.push_back(FirstMappingOf(*mapping));
      last = &objects.files[found->second];
    }
    last->executable |= mapping->executable;
    last->start = std::min(last->start, mapping->start);
  }
  if (objects.mappings == 0) {
    return absl::InvalidArgumentError(absl::StrCat("maps: no line of a mapping: ", Quoted(given)));
  }
  return objects;
}

}  // namespace vgpu::procfs
