#include "diag/procfs/mountinfo.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

bool Has(const std::vector<std::string>& options, absl::string_view option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}

// Whether the path is `mount_point` or lies below it.
bool IsAtOrBelow(absl::string_view path, absl::string_view mount_point) {
  if (mount_point == "/") return absl::StartsWith(path, "/");
  return absl::ConsumePrefix(&path, mount_point) && (path.empty() || path[0] == '/');
}

// Single spaces separate the fields (fs/proc_namespace.c, show_mountinfo); one that is
// empty, as the source of a mount can be, stays one.
bool TakeWord(absl::string_view* line, absl::string_view* word) {
  if (line->empty()) return false;
  *word = TakeUntil(' ', line);
  return true;
}

}  // namespace

bool Mount::read_only() const { return Has(options, "ro") || Has(super_options, "ro"); }
bool Mount::noexec() const { return Has(options, "noexec"); }

std::optional<Mount> ParseMountInfoLine(absl::string_view line) {
  Mount mount;
  if (!ParseNumber(TakeUntil(' ', &line), &mount.id) ||
      !ParseNumber(TakeUntil(' ', &line), &mount.parent_id) ||
      !ParseNumber(TakeUntil(':', &line), &mount.dev_major) ||
      !ParseNumber(TakeUntil(' ', &line), &mount.dev_minor)) {
    return std::nullopt;
  }
  absl::string_view root, mount_point, options, word;
  if (!TakeWord(&line, &root) || !TakeWord(&line, &mount_point) || !TakeWord(&line, &options) ||
      !absl::StartsWith(mount_point, "/")) {
    return std::nullopt;
  }
  mount.root_deleted = absl::ConsumeSuffix(&root, "//deleted");
  mount.root = UnescapeOctal(root);
  mount.mount_point = UnescapeOctal(mount_point);
  mount.options = absl::StrSplit(options, ',');
  while (true) {
    if (!TakeWord(&line, &word)) return std::nullopt;
    if (word == "-") break;
    mount.optional_fields.emplace_back(word);
  }
  absl::string_view fs_type, source;
  if (!TakeWord(&line, &fs_type) || !TakeWord(&line, &source)) return std::nullopt;
  mount.fs_type = UnescapeOctal(fs_type);
  mount.source = UnescapeOctal(source);
  mount.super_options = absl::StrSplit(line, ',', absl::SkipEmpty());
  return mount;
}

absl::StatusOr<MountTable> ParseMountInfo(absl::string_view text, bool truncated) {
  const absl::string_view given = text;
  MountTable table;
  table.truncated_ = truncated || IsCut(text);
  // npos + 1 is 0: there is no whole line.
  if (table.truncated_) text = text.substr(0, text.rfind('\n') + 1);

  absl::flat_hash_set<int32_t> ids;
  absl::string_view line;
  while (TakeLine(&text, &line)) {
    if (line.empty()) continue;
    std::optional<Mount> mount = ParseMountInfoLine(line);
    if (!mount.has_value()) {
      ++table.malformed_lines_;
      continue;
    }
    ids.insert(mount->id);
    table.mounts_.push_back(*std::move(mount));
  }
  if (table.mounts_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mountinfo: no line of a mount: ", Quoted(given)));
  }
  for (size_t i = 0; i < table.mounts_.size(); ++i) {
    const Mount& mount = table.mounts_[i];
    std::optional<int32_t> parent;
    // The root of a namespace without an initramfs is its own parent.
    if (mount.parent_id != mount.id && ids.contains(mount.parent_id)) parent = mount.parent_id;
    table.children_[parent].push_back(i);
  }
  return table;
}

const Mount* MountTable::MountOf(absl::string_view path) const {
  const Mount* reached = nullptr;
  std::optional<int32_t> parent;
  // The children of an id are looked at once, whatever circles a text describes.
  absl::flat_hash_set<int32_t> visited;
  while (true) {
    const auto children = children_.find(parent);
    if (children == children_.end()) return reached;
    const Mount* next = nullptr;
    for (size_t index : children->second) {
      if (IsAtOrBelow(path, mounts_[index].mount_point)) next = &mounts_[index];
    }
    if (next == nullptr || !visited.insert(next->id).second) return reached;
    reached = next;
    parent = next->id;
  }
}

}  // namespace vgpu::procfs
