#include "diag/procfs/environ.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {

namespace {

bool LooksLikeOne(const Environ::Entry& entry) {
  return entry.assignment && !entry.name.empty() &&
         std::all_of(entry.name.begin(), entry.name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace

absl::StatusOr<Environ> ParseEnviron(absl::string_view bytes, bool truncated) {
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
  const auto usual = static_cast<size_t>(
      std::count_if(environ.entries_.begin(), environ.entries_.end(), LooksLikeOne));
  if (2 * usual < environ.entries_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("environ: ", environ.entries_.size() - usual,
                                                   " of ", environ.entries_.size(),
                                                   " entries are not NAME=value"));
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
