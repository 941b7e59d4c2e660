#include "diag/procfs/environ.h"

#include <cstddef>
#include <utility>

#include "diag/procfs/scan.h"

namespace vgpu::procfs {

Environ ParseEnviron(absl::string_view bytes, bool truncated) {
  Environ environ;
  environ.truncated_ = truncated;
  const bool terminated = bytes.empty() || bytes.back() == '\0';
  if (!terminated && truncated) {
    // npos + 1 is 0: there is no whole entry.
    bytes = bytes.substr(0, bytes.rfind('\0') + 1);
  } else if (!terminated) {
    environ.irregular_ = true;
  }
  while (!bytes.empty()) {
    const absl::string_view text = TakeUntil('\0', &bytes);
    if (text.empty()) {
      environ.irregular_ = true;
      continue;
    }
    Environ::Entry entry;
    const size_t equals = text.find('=');
    entry.name = std::string(text.substr(0, equals));
    if (equals == absl::string_view::npos) {
      entry.assignment = false;
      environ.irregular_ = true;
    } else {
      entry.value = std::string(text.substr(equals + 1));
    }
    environ.entries_.push_back(std::move(entry));
  }
  return environ;
}

std::optional<absl::string_view> Environ::Find(absl::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.assignment && entry.name == name) return entry.value;
  }
  return std::nullopt;
}

std::optional<absl::string_view> Environ::FindAsLoader(absl::string_view name) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->assignment && entry->name == name) return entry->value;
  }
  return std::nullopt;
}

}  // namespace vgpu::procfs
