#include "diag/facts/access.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

constexpr uint32_t kReadBit = 4;
constexpr uint32_t kExecuteBit = 1;

bool InGroup(const Identity& who, uint32_t gid) {
  return who.gid == gid || std::find(who.groups.begin(), who.groups.end(), gid) != who.groups.end();
}

// Whether the bit is set for `who`; nothing where owner, group or mode leave it open. One
// class decides: an owner whom the mode shuts out gains nothing from the others' bits.
std::optional<bool> Allows(const host::FileMeta& meta, const Identity& who, uint32_t bit) {
  // CAP_DAC_OVERRIDE: all but the execution of a file that nobody may execute.
  if (who.uid == 0 && (bit != kExecuteBit || meta.type == host::FileType::kDir)) return true;
  if (!meta.mode.present()) return std::nullopt;
  const uint32_t mode = *meta.mode;
  if (who.uid == 0) return (mode & 0111) != 0;
  const bool owner = (mode & (bit << 6)) != 0;
  const bool group = (mode & (bit << 3)) != 0;
  const bool other = (mode & bit) != 0;
  if (owner == group && group == other) return other;
  if (!meta.uid.present()) return std::nullopt;
  if (*meta.uid == who.uid) return owner;
  if (group == other) return other;
  if (!meta.gid.present()) return std::nullopt;
  if (InGroup(who, *meta.gid)) return group;
  if (!who.groups_known) return std::nullopt;
  return other;
}

// Every directory above `path`, the root first.
void AddAncestors(const host::Host& host, absl::string_view path, absl::string_view root,
                  std::set<std::string>& seen, std::vector<PathStep>& way) {
  absl::string_view below = path.substr(std::min(root.size(), path.size()));
  for (size_t slash = 0; slash != absl::string_view::npos; slash = below.find('/', slash + 1)) {
    const std::string dir(slash == 0 ? absl::string_view("/") : below.substr(0, slash));
    if (dir == below || !seen.insert(dir).second) continue;
    Observed<host::Resolved> found = host.ResolveNoFollow(dir, root);
    PathStep step{absl::StrCat(root, dir), {}};
    step.meta.type = host::FileType::kDir;
    if (found.present()) step.meta = found->meta;
    way.push_back(std::move(step));
  }
}

}  // namespace

Observed<Barrier> WhatStops(absl::Span<const PathStep> way, const Identity& who, Want want) {
  std::string unknown;
  for (size_t i = 0; i < way.size(); ++i) {
    const PathStep& step = way[i];
    const bool last = i + 1 == way.size();
    const uint32_t bit = last && want == Want::kRead ? kReadBit : kExecuteBit;
    const std::optional<bool> allowed = Allows(step.meta, who, bit);
    // A closed root directory would stop every program: one whose mode is not known is open.
    if (!allowed && unknown.empty() && i > 0) unknown = step.path;
    if (allowed.value_or(true)) continue;
    return Barrier{step.path, step.meta.type == host::FileType::kDir, *step.meta.mode};
  }
  if (unknown.empty()) return Absent{};
  return NotObserved{absl::StrCat(unknown, ": owner and mode were not captured")};
}

std::vector<PathStep> WayTo(const host::Host& host, const host::Resolved& found,
                            absl::string_view root) {
  std::vector<PathStep> way;
  std::set<std::string> seen;
  for (const auto& [link, target] : found.links) AddAncestors(host, link, root, seen, way);
  AddAncestors(host, found.path, root, seen, way);
  way.push_back({found.path, found.meta});
  return way;
}

std::string ModeText(uint32_t mode) { return absl::StrFormat("%04o", mode); }

}  // namespace vgpu::facts
