#include "diag/host/tree_host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/host/capture_layout.h"
#include "diag/host/captured_value.h"
#include "diag/host/dir_files.h"
#include "diag/host/journal_time.h"
#include "diag/host/listed_file.h"
#include "nlohmann/json.hpp"

namespace vgpu::host {
namespace {

using nlohmann::json;

constexpr size_t kManifestLimit = size_t{16} << 20;
constexpr size_t kFilesLimit = size_t{256} << 20;

std::string TextOr(const json& object, const char* key, std::string fallback) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : fallback;
}

bool FlagOr(const json& object, const char* key, bool fallback) {
  auto it = object.find(key);
  return it != object.end() && it->is_boolean() ? it->get<bool>() : fallback;
}

// A path as the keys of our maps have it: absolute, no "//", no trailing slash.
std::string CleanPath(absl::string_view path) {
  std::string clean;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&clean, "/", part);
  }
  return clean.empty() ? "/" : clean;
}

bool OnlyOnARunningHost(absl::string_view path) {
  for (absl::string_view top : {"/proc", "/sys", "/run", "/dev"}) {
    if (path == top || absl::StartsWith(path, absl::StrCat(top, "/"))) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TreeHost>> TreeHost::Open(const std::string& dir) {
  absl::StatusOr<std::unique_ptr<DirFiles>> files = DirFiles::At(dir);
  if (!files.ok()) return files.status();
  absl::StatusOr<std::unique_ptr<TreeHost>> host = Over(*std::move(files));
  if (host.ok()) return host;
  return absl::Status(host.status().code(), absl::StrCat(dir, host.status().message()));
}

absl::StatusOr<std::unique_ptr<TreeHost>> TreeHost::Over(std::unique_ptr<TreeFiles> files) {
  // NOLINTNEXTLINE: the constructor is private.
  std::unique_ptr<TreeHost> host(new TreeHost(std::move(files)));
  const Observed<FileMeta> folder = host->files_->Stat(kCaptureDir);
  host->captured_ = folder.present() && folder->type == FileType::kDir;
  host->running_ = host->captured_;
  if (!host->captured_) return host;

  Observed<Content> manifest = host->files_->Read(kManifest, kManifestLimit);
  if (manifest.not_observed()) {
    return absl::InvalidArgumentError(absl::StrCat(kManifest, ": ", manifest.why_not()));
  }
  if (manifest.absent()) {
    host->remarks_.push_back(absl::StrCat(kManifest + 1, ": the capture has no manifest"));
  } else if (absl::Status read = host->ReadManifest(manifest->bytes); !read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(kManifest, ": ", read.message()));
  }
  Observed<Content> list = host->files_->Read(kFilesList, kFilesLimit);
  if (list.present()) {
    host->ReadFiles(list->bytes);
    if (list->truncated) {
      host->remarks_.push_back(
          absl::StrCat(kFilesList + 1, ": longer than 256 MiB, the rest was not read"));
    }
  } else {
    host->remarks_.push_back(absl::StrCat(
        kFilesList + 1, ": ",
        list.absent() ? "the capture has no such list: what is not in it counts as absent"
                      : list.why_not()));
  }
  return host;
}

absl::Status TreeHost::ReadManifest(absl::string_view text) {
  json manifest = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object()) return absl::InvalidArgumentError("no JSON object");
  const std::string schema = TextOr(manifest, "schema", "");
  if (schema != kCaptureSchema) {
    return absl::InvalidArgumentError(absl::StrCat(
        "schema is \"", schema, "\", and this version reads \"", kCaptureSchema, "\""));
  }
  if (std::string name = TextOr(manifest, "hostname", ""); !name.empty()) hostname_ = name;
  if (std::string unit = TextOr(manifest, "unit", ""); !unit.empty()) unit_ = unit;
  const std::string at = TextOr(manifest, "captured_at", "");
  if (!at.empty()) observed_at_ = CapturedTime(at);
  // The zone in which the host tells its time is that of captured_at.
  if (at.size() > 6 && (at[at.size() - 6] == '+' || at[at.size() - 6] == '-')) {
    int hours = 0, minutes = 0;
    if (absl::SimpleAtoi(at.substr(at.size() - 5, 2), &hours) &&
        absl::SimpleAtoi(at.substr(at.size() - 2), &minutes)) {
      int seconds = (hours * 60 + minutes) * 60;
      time_zone_ = absl::FixedTimeZone(at[at.size() - 6] == '-' ? -seconds : seconds);
    }
  }
  only_looked_at_ = FlagOr(manifest, "only_looked_at", false);
  complete_ = FlagOr(manifest, "complete", false);
  running_ = FlagOr(manifest, "running", true);
  if (auto user = manifest.find("observer_uid");
      user != manifest.end() && user->is_number_unsigned()) {
    observer_uid_ = CapturedId(user->get<uint64_t>());
  }
  if (auto remarks = manifest.find("remarks"); remarks != manifest.end() && remarks->is_array()) {
    for (const json& remark : *remarks) {
      if (remark.is_string()) remarks_.push_back(remark.get<std::string>());
    }
  }
  if (auto cut = manifest.find("first_part"); cut != manifest.end() && cut->is_array()) {
    for (const json& path : *cut) {
      if (path.is_string()) first_part_.insert(CleanPath(path.get<std::string>()));
    }
  }
  auto from = manifest.find("journal_from");
  if (from != manifest.end() && from->is_object()) {
    for (auto it = from->begin(); it != from->end(); ++it) {
      const Observed<absl::Time> time = CapturedTime(TextOr(*from, it.key().c_str(), ""));
      if (time.present()) journal_from_[JoinPath(kCaptureDir, it.key())] = *time;
    }
  }
  auto listed = manifest.find("not_observed");
  if (listed != manifest.end() && listed->is_array()) {
    for (const json& item : *listed) {
      std::string path = item.is_object() ? TextOr(item, "path", "") : "";
      if (path.empty()) continue;
      path = CleanPath(path);
      not_observed_[path] = TextOr(item, "reason", "the capture does not say why");
      // It was looked at there, so what leads to it is there.
      for (absl::string_view at = Dirname(path); at != "/"; at = Dirname(at)) {
        implied_dirs_.insert(std::string(at));
      }
    }
  }
  return absl::OkStatus();
}

void TreeHost::ReadFiles(absl::string_view text) {
  int malformed = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    std::optional<ListedFile> file = ParseListedFile(line);
    if (!file) {
      ++malformed;
      continue;
    }
    const std::string path = CleanPath(file->path);
    if (!file->absent) {
      for (std::string at = path; at != "/";) {
        std::string dir(Dirname(at));
        if (!children_[dir].insert(std::string(Basename(at))).second) break;
        at = dir;
      }
    }
    entries_[path] = *std::move(file);
  }
  if (malformed > 0) {
    remarks_.push_back(absl::StrCat(kFilesList + 1, ": ", malformed, " malformed ",
                                    malformed == 1 ? "line" : "lines", " skipped"));
  }
}

Observed<std::string> TreeHost::hostname() const {
  if (hostname_.present()) return hostname_;
  return Read("/etc/hostname", 256).Map([](const Content& content) {
    return std::string(absl::StripAsciiWhitespace(content.bytes));
  });
}

const std::string* TreeHost::NotObservedBecause(absl::string_view path) const {
  for (absl::string_view at = path;; at = Dirname(at)) {
    auto it = not_observed_.find(std::string(at));
    if (it != not_observed_.end()) return &it->second;
    if (at == "/") return nullptr;
  }
}

// What a path is that is neither in the tree nor in files.jsonl.
template <typename T>
Observed<T> TreeHost::Missing(const std::string& path) const {
  if (const std::string* why = NotObservedBecause(path)) return NotObserved{*why};
  if (!captured_ && OnlyOnARunningHost(path)) {
    return NotObserved{"a plain root shows no running host"};
  }
  if (only_looked_at_) {
    auto parent = entries_.find(std::string(Dirname(path)));
    const bool listed = parent != entries_.end() && parent->second.names &&
                        !std::binary_search(parent->second.names->begin(),
                                            parent->second.names->end(), Basename(path));
    if (!listed) return NotObserved{"the capture was made without a look at it"};
  }
  return Absent{};
}

Observed<FileMeta> TreeHost::RawStat(const std::string& path) const {
  constexpr size_t kMaxKept = size_t{1} << 16;
  if (auto known = stats_.find(path); known != stats_.end()) return known->second;
  Observed<FileMeta> look = Stat(path);
  if (stats_.size() < kMaxKept) stats_.emplace(path, look);
  return look;
}

Observed<FileMeta> TreeHost::Stat(const std::string& path) const {
  auto entry = entries_.find(path);
  if (entry != entries_.end() && entry->second.absent) return Absent{};
  Observed<FileMeta> copy = files_->Stat(path);
  // A capture's own files keep the bytes and nothing else.
  if (copy.present() && captured_) {
    FileMeta kept;
    kept.type = copy->type;
    kept.size = copy->size;
    copy = std::move(kept);
  }
  if (entry != entries_.end()) {
    FileMeta meta = entry->second.meta;
    if (copy.present() && copy->type == FileType::kFile && !meta.size.present()) {
      meta.size = copy->size;
    }
    return meta;
  }
  if (copy.present()) return copy;
  if (children_.contains(path) || implied_dirs_.contains(path)) {
    FileMeta implied;
    implied.type = FileType::kDir;
    return implied;
  }
  if (copy.not_observed()) return copy;
  return Missing<FileMeta>(path);
}

Observed<std::string> TreeHost::RawReadLink(const std::string& path) const {
  auto entry = entries_.find(path);
  if (entry != entries_.end() && entry->second.meta.type == FileType::kSymlink &&
      !entry->second.target.empty()) {
    return entry->second.target;
  }
  Observed<std::string> target = files_->ReadLink(path);
  if (!target.absent()) return target;
  if (const std::string* why = NotObservedBecause(path)) return NotObserved{*why};
  return Absent{};
}

std::string TreeHost::WhyNoContent(const std::string& path) const {
  const std::string* why = NotObservedBecause(path);
  return why != nullptr ? *why : "its content was not captured";
}

Observed<Content> TreeHost::RawRead(const std::string& path, size_t limit) const {
  Observed<Content> read = files_->Read(path, limit);
  if (read.absent()) return NotObserved{WhyNoContent(path)};
  if (!read.present() || read->truncated || !first_part_.contains(path)) return read;
  Content part = std::move(read).value();
  part.truncated = true;
  return part;
}

Observed<std::unique_ptr<ByteSource>> TreeHost::RawOpen(const std::string& path) const {
  using Source = std::unique_ptr<ByteSource>;
  Observed<Source> source = files_->Open(path);
  if (source.absent()) return Observed<Source>(NotObserved{WhyNoContent(path)});
  return source;
}

Observed<std::unique_ptr<RangeSource>> TreeHost::RawOpenRanges(const std::string& path) const {
  using Source = std::unique_ptr<RangeSource>;
  Observed<Source> source = files_->OpenRanges(path);
  if (source.absent()) return Observed<Source>(NotObserved{WhyNoContent(path)});
  return source;
}

Observed<std::vector<std::string>> TreeHost::RawList(const std::string& path) const {
  using Names = std::vector<std::string>;
  // A directory whose listing was refused: the few names that are known are no list.
  if (auto it = not_observed_.find(path); it != not_observed_.end()) {
    return NotObserved{it->second};
  }
  auto entry = entries_.find(path);
  if (entry != entries_.end() && entry->second.names) return *entry->second.names;
  if (only_looked_at_) return NotObserved{"the capture was made without a listing of it"};

  std::set<std::string> names;
  const Observed<Names> listed = files_->List(path);
  if (listed.not_observed()) return listed;
  if (listed.present()) names.insert(listed->begin(), listed->end());
  auto known = children_.find(path);
  if (known != children_.end()) names.insert(known->second.begin(), known->second.end());
  if (!listed.present() && known == children_.end()) {
    // Listed itself, with nothing below it in the tree or the list: an empty directory.
    if (entry == entries_.end() || entry->second.absent) return Missing<Names>(path);
  }
  if (path == "/") names.erase(kCaptureDir + 1);
  Names left;
  for (const std::string& name : names) {
    auto below = entries_.find(JoinPath(path, name));
    if (below == entries_.end() || !below->second.absent) left.push_back(name);
  }
  return left;
}

Observed<std::string> TreeHost::RecordedElf(absl::string_view resolved_path) const {
  auto entry = entries_.find(std::string(resolved_path));
  if (entry == entries_.end() || entry->second.elf.empty()) return Absent{};
  return entry->second.elf;
}

Observed<std::string> TreeHost::ToolFile(const ToolQuery& query) const {
  if (!captured_) return NotObserved{"a plain root shows no running host"};
  return CaptureFileOf(query);
}

Observed<Content> TreeHost::RunTool(const ToolQuery& query, size_t limit) const {
  return ToolFile(query).Map([&](const std::string& file) -> Observed<Content> {
    Observed<Content> read = files_->Read(file, limit);
    if (!read.absent()) return read;
    const std::string* why = NotObservedBecause(file);
    return NotObserved{why != nullptr ? *why : "not captured"};
  });
}

Observed<std::unique_ptr<ByteSource>> TreeHost::StreamTool(const ToolQuery& query) const {
  using Source = std::unique_ptr<ByteSource>;
  const Observed<std::string> file = ToolFile(query);
  if (!file.present()) return Observed<Source>(NotObserved{std::string(file.why_not())});
  Observed<Source> source = files_->Open(*file);
  const auto from = journal_from_.find(*file);
  if (source.present() && from != journal_from_.end() && query.since == absl::InfinitePast()) {
    return EntriesFrom(from->second, std::move(source).value());
  }
  if (!source.absent()) return source;
  const std::string* why = NotObservedBecause(*file);
  return Observed<Source>(NotObserved{why != nullptr ? *why : "not captured"});
}

}  // namespace vgpu::host
