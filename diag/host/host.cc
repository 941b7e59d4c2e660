#include "diag/host/host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace vgpu::host {
namespace {

// As many links as Linux follows in one path (MAXSYMLINKS, include/linux/namei.h).
constexpr int kMaxLinks = 40;
// PATH_MAX: longer names reach nothing through the kernel either.
constexpr size_t kMaxPath = 4096;

// The next component of `path` from `at` on, which moves behind it; empty at the end.
absl::string_view NextName(absl::string_view path, size_t& at) {
  at = std::min(path.find_first_not_of('/', at), path.size());
  const size_t begin = at;
  at = std::min(path.find('/', begin), path.size());
  return path.substr(begin, at - begin);
}

bool AtEnd(absl::string_view path, size_t at) {
  return path.find_first_not_of('/', at) == absl::string_view::npos;
}

Observed<Content> WrongType(const Resolved& found) {
  return NotObserved{absl::StrCat("is no regular file (", FileTypeName(found.meta.type), ")")};
}

}  // namespace

absl::string_view FileTypeName(FileType type) {
  switch (type) {
    case FileType::kFile:
      return "file";
    case FileType::kDir:
      return "dir";
    case FileType::kSymlink:
      return "symlink";
    case FileType::kCharDevice:
      return "chr";
    case FileType::kBlockDevice:
      return "blk";
    case FileType::kFifo:
      return "fifo";
    case FileType::kSocket:
      return "socket";
  }
  return "unknown";
}

std::string ToolSource(const ToolQuery& query) {
  switch (query.tool) {
    case Tool::kSystemctlShowUnit:
      return absl::StrCat("systemctl show ", query.unit);
    case Tool::kSystemctlShowManager:
      return "systemctl show";
    case Tool::kSystemctlShowEnvironment:
      return "systemctl show-environment";
    case Tool::kSystemctlListUnits:
      return "systemctl list-units --all --plain --no-legend --type=service";
    case Tool::kJournalUnit:
      return absl::StrCat("journalctl -u ", query.unit, " -o json");
    case Tool::kJournalKernel:
      return "journalctl -k -o json";
    case Tool::kOllamaVersion:
      return "GET /api/version";
    case Tool::kOllamaPs:
      return "GET /api/ps";
  }
  return "unknown tool";
}

std::string JoinPath(absl::string_view dir, absl::string_view name) {
  while (!dir.empty() && dir.back() == '/') dir.remove_suffix(1);
  while (!name.empty() && name.front() == '/') name.remove_prefix(1);
  return absl::StrCat(dir, "/", name);
}

absl::string_view Basename(absl::string_view path) {
  size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

absl::string_view Dirname(absl::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos || slash == 0) return "/";
  return path.substr(0, slash);
}

Observed<Resolved> Host::Walk(absl::string_view path, absl::string_view root, bool follow_last,
                              Trace* trace) const {
  Trace unused;
  if (trace == nullptr) trace = &unused;
  *trace = Trace{};
  if (path.find('\0') != absl::string_view::npos) return NotObserved{"the name holds a NUL byte"};
  if (path.empty() || path.front() != '/') return NotObserved{"not an absolute path"};
  if (path.size() > kMaxPath) return NotObserved{"the name is longer than 4096 bytes"};

  // A tree has another root's files only where they were captured as a folder.
  if (!root.empty() && kind() == Kind::kTree) {
    const Observed<FileMeta> own = RawStat(std::string(root));
    if (!own.present() || own->type != FileType::kDir) {
      return NotObserved{absl::StrCat(root, ": what the process sees there was not captured")};
    }
  }
  std::string pending(path);  // from `at` on: what is still to be walked
  size_t at = 0;
  std::string current(root);
  current.reserve(root.size() + path.size());
  FileMeta meta;
  meta.type = FileType::kDir;
  bool at_root = true;
  for (absl::string_view name = NextName(pending, at); !name.empty();
       name = NextName(pending, at)) {
    if (name == ".") continue;
    if (name == "..") {
      if (current.size() > root.size()) current.resize(current.rfind('/'));
      at_root = current.size() == root.size();
      meta.type = FileType::kDir;
      if (AtEnd(pending, at) && !at_root) {
        Observed<FileMeta> look = RawStat(current);
        if (!look.present()) return look.Map([](const FileMeta&) { return Resolved{}; });
        meta = *look;
      }
      continue;
    }
    std::string next = absl::StrCat(current, "/", name);
    if (next.size() > kMaxPath + root.size()) {
      return NotObserved{"the name is longer than 4096 bytes"};
    }
    Observed<FileMeta> look = RawStat(next);
    if (!look.present()) {
      trace->stopped_at = next;
      if (look.absent()) return Absent{};
      return NotObserved{absl::StrCat(next, ": ", look.why_not())};
    }
    meta = std::move(look).value();
    if (meta.type == FileType::kSymlink && (follow_last || !AtEnd(pending, at))) {
      Observed<std::string> target = RawReadLink(next);
      if (!target.present()) {
        trace->stopped_at = next;
        if (target.absent()) return Absent{};
        return NotObserved{absl::StrCat(next, ": ", target.why_not())};
      }
      trace->links.emplace_back(next, *target);
      if (trace->links.size() > kMaxLinks || target->empty()) {
        trace->stopped_at = next;
        trace->loop = !target->empty();
        return Absent{};
      }
      if (target->front() == '/') current = std::string(root);
      pending = absl::StrCat(*target, "/", absl::string_view(pending).substr(at));
      at = 0;
      continue;
    }
    if (meta.type != FileType::kDir && !AtEnd(pending, at)) {
      trace->stopped_at = next;  // ENOTDIR: there is nothing below a file
      return Absent{};
    }
    current = std::move(next);
    at_root = false;
  }
  if (at_root) {
    Observed<FileMeta> look = RawStat(current.empty() ? "/" : current);
    if (look.present()) meta = *look;
  }
  Resolved found;
  found.path = current.empty() ? "/" : current;
  found.meta = std::move(meta);
  found.links = trace->links;
  return found;
}

Observed<Resolved> Host::Resolve(absl::string_view path, absl::string_view root,
                                 Trace* trace) const {
  return Walk(path, root, /*follow_last=*/true, trace);
}

Observed<Resolved> Host::ResolveNoFollow(absl::string_view path, absl::string_view root) const {
  return Walk(path, root, /*follow_last=*/false, nullptr);
}

Observed<Content> Host::Read(absl::string_view path, size_t limit, absl::string_view root) const {
  return Resolve(path, root).Map([&](const Resolved& found) -> Observed<Content> {
    if (found.meta.type != FileType::kFile) return WrongType(found);
    return RawRead(found.path, limit);
  });
}

Observed<std::unique_ptr<ByteSource>> Host::Open(absl::string_view path,
                                                 absl::string_view root) const {
  using Source = std::unique_ptr<ByteSource>;
  Observed<Resolved> found = Resolve(path, root);
  if (found.absent()) return Absent{};
  if (!found.present()) return NotObserved{std::string(found.why_not())};
  if (found->meta.type != FileType::kFile) {
    return Observed<Source>(NotObserved{std::string(WrongType(*found).why_not())});
  }
  return RawOpen(found->path);
}

Observed<std::unique_ptr<RangeSource>> Host::OpenRanges(absl::string_view path,
                                                        absl::string_view root) const {
  using Source = std::unique_ptr<RangeSource>;
  Observed<Resolved> found = Resolve(path, root);
  if (found.absent()) return Absent{};
  if (!found.present()) return Observed<Source>(NotObserved{std::string(found.why_not())});
  if (found->meta.type != FileType::kFile) {
    return Observed<Source>(NotObserved{std::string(WrongType(*found).why_not())});
  }
  return RawOpenRanges(found->path);
}

Observed<std::vector<std::string>> Host::List(absl::string_view path,
                                              absl::string_view root) const {
  using Names = std::vector<std::string>;
  return Resolve(path, root).Map([&](const Resolved& found) -> Observed<Names> {
    if (found.meta.type != FileType::kDir) {
      return NotObserved{absl::StrCat("is no directory (", FileTypeName(found.meta.type), ")")};
    }
    return RawList(found.path);
  });
}

Observed<std::string> Host::ReadLink(absl::string_view path) const {
  return ResolveNoFollow(path).Map([&](const Resolved& found) -> Observed<std::string> {
    if (found.meta.type != FileType::kSymlink) {
      return NotObserved{absl::StrCat("is no symbolic link (", FileTypeName(found.meta.type), ")")};
    }
    return RawReadLink(found.path);
  });
}

}  // namespace vgpu::host
