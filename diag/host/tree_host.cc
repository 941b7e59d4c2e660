#include "diag/host/tree_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/host/file_io.h"
#include "nlohmann/json.hpp"

namespace vgpu::host {
namespace {

using nlohmann::json;

constexpr char kCapture[] = "/.vgpu-capture";
constexpr size_t kManifestLimit = size_t{16} << 20;
constexpr size_t kFilesLimit = size_t{256} << 20;

// Opens the directory that holds the last component of `path`, from `root` on, one
// component at a time; a link on the way is an error, not followed. Returns the
// descriptor and the last component ("." for the root itself).
Observed<Fd> OpenDirOf(int root, const std::string& path, std::string* last) {
  std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  for (const std::string& part : parts) {
    if (part == "..") return NotObserved{"unresolved `..`"};
  }
  *last = parts.empty() ? "." : parts.back();
  Fd at(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!at.ok()) return FromErrno<Fd>(errno);
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    Fd next(openat(at.get(), parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.ok()) return FromErrno<Fd>(errno);
    at = std::move(next);
  }
  return at;
}

Observed<Content> ReadBelow(int root, const std::string& path, size_t limit) {
  std::string last;
  Observed<Fd> dir = OpenDirOf(root, path, &last);
  if (!dir.present()) return dir.Map([](const Fd&) { return Content{}; });
  Observed<Fd> file = OpenRegular(dir->get(), last.c_str());
  return file.Map([&](const Fd& fd) { return ReadAll(fd, path, limit); });
}

FileType TypeNamed(absl::string_view name) {
  for (FileType type : {FileType::kDir, FileType::kSymlink, FileType::kCharDevice,
                        FileType::kBlockDevice, FileType::kFifo, FileType::kSocket}) {
    if (name == FileTypeName(type)) return type;
  }
  return FileType::kFile;
}

template <typename T>
void TakeNumber(const json& object, const char* key, Observed<T>& into) {
  auto it = object.find(key);
  if (it != object.end() && it->is_number_unsigned()) into = it->get<T>();
}

void TakeTime(const json& object, const char* key, Observed<absl::Time>& into) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return;
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, it->get<std::string>(), &time, &error)) into = time;
}

std::string TextOr(const json& object, const char* key, std::string fallback) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : fallback;
}

// Drops values that are nested deeper than any that we read: json::dump is recursive.
bool NotTooDeep(int depth, json::parse_event_t, json&) { return depth < 16; }

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
  Fd root(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.ok()) {
    return absl::NotFoundError(absl::StrCat(dir, ": ", ErrnoText(errno)));
  }
  // NOLINTNEXTLINE: the constructor is private.
  std::unique_ptr<TreeHost> host(new TreeHost(root.release()));
  struct stat st;
  host->captured_ =
      fstatat(host->root_, kCapture + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
  if (!host->captured_) return host;

  const std::string manifest_path = absl::StrCat(kCapture, "/manifest.json");
  Observed<Content> manifest = ReadBelow(host->root_, manifest_path, kManifestLimit);
  if (manifest.not_observed()) {
    return absl::InvalidArgumentError(absl::StrCat(dir, manifest_path, ": ", manifest.why_not()));
  }
  if (manifest.absent()) {
    host->remarks_.push_back(
        absl::StrCat(manifest_path.substr(1), ": the capture has no manifest"));
  } else if (absl::Status read = host->ReadManifest(manifest->bytes); !read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(dir, manifest_path, ": ", read.message()));
  }
  const std::string files_path = absl::StrCat(kCapture, "/files.jsonl");
  Observed<Content> files = ReadBelow(host->root_, files_path, kFilesLimit);
  if (files.present()) {
    host->ReadFiles(files->bytes);
    if (files->truncated) {
      host->remarks_.push_back(
          absl::StrCat(files_path.substr(1), ": longer than 256 MiB, the rest was not read"));
    }
  } else {
    host->remarks_.push_back(absl::StrCat(
        files_path.substr(1), ": ",
        files.absent() ? "the capture has no such list: what is not in it counts as absent"
                       : files.why_not()));
  }
  return host;
}

TreeHost::~TreeHost() { close(root_); }

absl::Status TreeHost::ReadManifest(absl::string_view text) {
  json manifest = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object()) return absl::InvalidArgumentError("no JSON object");
  const std::string schema = TextOr(manifest, "schema", "");
  if (schema != "vgpu-doctor.capture/1") {
    return absl::InvalidArgumentError(absl::StrCat(
        "schema is \"", schema, "\", and this version reads \"vgpu-doctor.capture/1\""));
  }
  if (std::string name = TextOr(manifest, "hostname", ""); !name.empty()) hostname_ = name;
  if (std::string unit = TextOr(manifest, "unit", ""); !unit.empty()) unit_ = unit;
  TakeTime(manifest, "captured_at", observed_at_);
  // The zone in which the host tells its time is that of captured_at.
  std::string at = TextOr(manifest, "captured_at", "");
  if (at.size() > 6 && (at[at.size() - 6] == '+' || at[at.size() - 6] == '-')) {
    int hours = 0, minutes = 0;
    if (absl::SimpleAtoi(at.substr(at.size() - 5, 2), &hours) &&
        absl::SimpleAtoi(at.substr(at.size() - 2), &minutes)) {
      int seconds = (hours * 60 + minutes) * 60;
      time_zone_ = absl::FixedTimeZone(at[at.size() - 6] == '-' ? -seconds : seconds);
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
    json object = json::parse(line.begin(), line.end(), NotTooDeep, /*allow_exceptions=*/false);
    std::string path = object.is_object() ? TextOr(object, "path", "") : "";
    if (path.empty() || path.front() != '/') {
      ++malformed;
      continue;
    }
    path = CleanPath(path);
    Entry entry;
    const std::string type = TextOr(object, "type", "file");
    entry.absent = type == "absent";
    entry.meta.type = TypeNamed(type);
    entry.target = TextOr(object, "target", "");
    if (std::string mode = TextOr(object, "mode", ""); !mode.empty()) {
      char* end = nullptr;
      unsigned long bits = strtoul(mode.c_str(), &end, 8);  // octal text, "0755"
      if (*end == '\0') entry.meta.mode = static_cast<uint32_t>(bits & 07777);
    }
    TakeNumber(object, "uid", entry.meta.uid);
    TakeNumber(object, "gid", entry.meta.gid);
    TakeNumber(object, "size", entry.meta.size);
    TakeTime(object, "mtime", entry.meta.mtime);
    TakeTime(object, "ctime", entry.meta.ctime);
    Observed<uint64_t> dev, ino;
    TakeNumber(object, "dev", dev);
    TakeNumber(object, "ino", ino);
    if (dev.present() && ino.present()) entry.meta.id = FileId{*dev, *ino};
    if (auto caps = object.find("caps"); caps != object.end()) {
      if (caps->is_null()) entry.meta.caps = Absent{};
      if (caps->is_string()) entry.meta.caps = caps->get<std::string>();
    }
    if (std::string sum = TextOr(object, "sha256", ""); !sum.empty()) entry.meta.sha256 = sum;
    if (auto elf = object.find("elf"); elf != object.end() && elf->is_object()) {
      entry.elf = elf->dump(-1, ' ', false, json::error_handler_t::replace);
    }
    if (!entry.absent) {
      for (std::string at = path; at != "/";) {
        std::string dir(Dirname(at));
        if (!children_[dir].insert(std::string(Basename(at))).second) break;
        at = dir;
      }
    }
    entries_[path] = std::move(entry);
  }
  if (malformed > 0) {
    remarks_.push_back(absl::StrCat(kCapture + 1, "/files.jsonl: ", malformed, " malformed ",
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
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_, path, &last);
  struct stat st;
  bool in_tree = dir.present() && fstatat(dir->get(), last.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  int error = dir.present() && !in_tree ? errno : 0;
  FileMeta copy;
  if (in_tree) {
    copy = MetaOf(st);
    // A capture's own files keep the bytes and nothing else.
    if (captured_) {
      FileMeta kept;
      kept.type = copy.type;
      kept.size = copy.size;
      copy = std::move(kept);
    }
  }
  if (entry != entries_.end()) {
    FileMeta meta = entry->second.meta;
    if (in_tree && copy.type == FileType::kFile && !meta.size.present()) meta.size = copy.size;
    return meta;
  }
  if (in_tree) return copy;
  if (children_.contains(path) || implied_dirs_.contains(path)) {
    FileMeta implied;
    implied.type = FileType::kDir;
    return implied;
  }
  if (dir.not_observed()) return NotObserved{std::string(dir.why_not())};
  if (error != 0 && error != ENOENT && error != ENOTDIR) return NotObserved{ErrnoText(error)};
  return Missing<FileMeta>(path);
}

Observed<std::string> TreeHost::RawReadLink(const std::string& path) const {
  auto entry = entries_.find(path);
  if (entry != entries_.end() && entry->second.meta.type == FileType::kSymlink &&
      !entry->second.target.empty()) {
    return entry->second.target;
  }
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_, path, &last);
  return dir.Map([&](const Fd& at) -> Observed<std::string> {
    char target[4097];
    ssize_t n = readlinkat(at.get(), last.c_str(), target, sizeof(target));
    if (n < 0) return FromErrno<std::string>(errno);
    return std::string(target, static_cast<size_t>(n));
  });
}

Observed<Content> TreeHost::RawRead(const std::string& path, size_t limit) const {
  Observed<Content> read = ReadBelow(root_, path, limit);
  if (!read.absent()) return read;
  if (const std::string* why = NotObservedBecause(path)) return NotObserved{*why};
  return NotObserved{"its content was not captured"};
}

// The file of the tree behind a path that is known to exist.
Observed<Fd> TreeHost::OpenCopy(const std::string& path) const {
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_, path, &last);
  if (dir.not_observed()) return dir;
  Observed<Fd> file =
      dir.present() ? OpenRegular(dir->get(), last.c_str()) : Observed<Fd>(Absent{});
  if (!file.absent()) return file;
  const std::string* why = NotObservedBecause(path);
  return NotObserved{why ? *why : "its content was not captured"};
}

Observed<std::unique_ptr<ByteSource>> TreeHost::RawOpen(const std::string& path) const {
  using Source = std::unique_ptr<ByteSource>;
  Observed<Fd> file = OpenCopy(path);
  if (!file.present()) return Observed<Source>(NotObserved{std::string(file.why_not())});
  return StreamOf(std::move(file).value());
}

Observed<std::unique_ptr<RangeSource>> TreeHost::RawOpenRanges(const std::string& path) const {
  using Source = std::unique_ptr<RangeSource>;
  Observed<Fd> file = OpenCopy(path);
  if (!file.present()) return Observed<Source>(NotObserved{std::string(file.why_not())});
  return RangesOf(std::move(file).value());
}

Observed<std::vector<std::string>> TreeHost::RawList(const std::string& path) const {
  using Names = std::vector<std::string>;
  std::set<std::string> names;
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_, path, &last);
  bool in_tree = false;
  if (dir.present()) {
    Fd fd(openat(dir->get(), last.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd.ok()) {
      in_tree = true;
      Observed<Names> listed = ListDir(std::move(fd));
      if (!listed.present()) return listed;
      names.insert(listed->begin(), listed->end());
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return NotObserved{ErrnoText(errno)};
    }
  }
  // A directory whose listing was refused: the few names that are known are no list.
  if (auto it = not_observed_.find(path); it != not_observed_.end()) {
    return NotObserved{it->second};
  }
  auto known = children_.find(path);
  if (known != children_.end()) names.insert(known->second.begin(), known->second.end());
  if (!in_tree && known == children_.end()) {
    // Listed itself, with nothing below it in the tree or the list: an empty directory.
    auto entry = entries_.find(path);
    if (entry == entries_.end() || entry->second.absent) return Missing<Names>(path);
  }
  if (path == "/") names.erase(kCapture + 1);
  Names left;
  for (const std::string& name : names) {
    auto entry = entries_.find(JoinPath(path, name));
    if (entry == entries_.end() || !entry->second.absent) left.push_back(name);
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
  if (query.unit.find('/') != std::string::npos) return NotObserved{"no unit name"};
  std::string file;
  switch (query.tool) {
    case Tool::kSystemctlShowUnit:
      file = absl::StrCat("systemctl/show-", query.unit, ".txt");
      break;
    case Tool::kSystemctlShowManager:
      file = "systemctl/show-manager.txt";
      break;
    case Tool::kSystemctlShowEnvironment:
      file = "systemctl/show-environment.txt";
      break;
    case Tool::kSystemctlListUnits:
      file = "systemctl/list-units.txt";
      break;
    case Tool::kJournalUnit:
      file = absl::StrCat("journal/", query.unit, ".jsonl");
      break;
    case Tool::kJournalKernel:
      file = "journal/kernel.jsonl";
      break;
    case Tool::kOllamaVersion:
      file = "ollama/version.json";
      break;
    case Tool::kOllamaPs:
      file = "ollama/ps.json";
      break;
  }
  return absl::StrCat(kCapture, "/", file);
}

Observed<Content> TreeHost::RunTool(const ToolQuery& query, size_t limit) const {
  Observed<std::string> file = ToolFile(query);
  if (!file.present()) return NotObserved{std::string(file.why_not())};
  Observed<Content> read = ReadBelow(root_, *file, limit);
  if (!read.absent()) return read;
  if (const std::string* why = NotObservedBecause(*file)) return NotObserved{*why};
  return NotObserved{"not captured"};
}

Observed<std::unique_ptr<ByteSource>> TreeHost::StreamTool(const ToolQuery& query) const {
  using Source = std::unique_ptr<ByteSource>;
  Observed<std::string> file = ToolFile(query);
  if (!file.present()) return Observed<Source>(NotObserved{std::string(file.why_not())});
  std::string last;
  Observed<Fd> dir = OpenDirOf(root_, *file, &last);
  Observed<Fd> open =
      dir.present() ? OpenRegular(dir->get(), last.c_str()) : Observed<Fd>(Absent{});
  if (open.absent()) {
    const std::string* why = NotObservedBecause(*file);
    return Observed<Source>(NotObserved{why ? *why : "not captured"});
  }
  if (!open.present()) return Observed<Source>(NotObserved{std::string(open.why_not())});
  return StreamOf(std::move(open).value());
}

}  // namespace vgpu::host
