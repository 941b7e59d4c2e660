#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "diag/elf/elf_json.h"
#include "diag/facts/gather_parts.h"
#include "diag/loader/preload_list.h"

namespace vgpu::facts {
namespace {

using host::NotObserved;
using host::Observed;

// As much of a library as holds what the loader reads of it. Shims are far smaller.
constexpr size_t kElfLimit = size_t{32} << 20;

// `found` is where `path` leads below `root`. The file is read by way of the two: a
// process's root is a link that leads elsewhere as a text ("/").
Observed<elf::ElfInfo> ElfOf(const host::Host& host, const host::Resolved& found,
                             absl::string_view path, absl::string_view root) {
  Observed<std::string> recorded = host.RecordedElf(found.path);
  if (recorded.present()) {
    absl::StatusOr<elf::ElfInfo> info = elf::ParseElfJson(*recorded);
    if (info.ok()) return *std::move(info);
    return NotObserved{std::string(info.status().message())};
  }
  Observed<host::Content> content = host.Read(path, kElfLimit, root);
  return content.Map([&](const host::Content& read) {
    uint64_t size =
        read.truncated ? found.meta.size.value_or(read.bytes.size() + 1) : read.bytes.size();
    return elf::ParseElf(read.bytes, size);
  });
}

// Directories that the loader searches without being told, for an entry without a slash
// (glibc's SYSTEM_DIRS on x86-64, multiarch and lib64).
constexpr absl::string_view kSystemDirs[] = {"/lib/x86_64-linux-gnu",
                                             "/usr/lib/x86_64-linux-gnu",
                                             "/lib64",
                                             "/usr/lib64",
                                             "/lib",
                                             "/usr/lib"};

// A list of any length is looked at up to here; each name, in each directory.
constexpr size_t kMaxEntries = 256;
constexpr size_t kMaxDirs = 64;

}  // namespace

FileFacts LookAtFile(const host::Host& host, absl::string_view path, absl::string_view root) {
  FileFacts file;
  file.path = std::string(path);
  file.found = host.Resolve(path, root, &file.trace);
  if (file.found.present()) file.way = WayTo(host, *file.found, root);
  if (file.found.absent()) {
    file.elf = host::Absent{};
  } else if (!file.found.present()) {
    file.elf = NotObserved{std::string(file.found.why_not())};
  } else if (file.found->meta.type != host::FileType::kFile) {
    file.elf = NotObserved{
        absl::StrCat("is no regular file (", host::FileTypeName(file.found->meta.type), ")")};
  } else {
    file.elf = ElfOf(host, *file.found, path, root);
  }
  return file;
}

PreloadList LookAtPreload(const host::Host& host, absl::string_view value, std::string source,
                          int line, absl::string_view library_path, absl::string_view exe,
                          absl::string_view root) {
  PreloadList list;
  list.value = std::string(value);
  list.source = std::move(source);
  list.line = line;
  std::vector<std::string> dirs =
      absl::StrSplit(library_path, absl::ByAnyChar(":;"), absl::SkipEmpty());
  const bool all_dirs = dirs.size() <= kMaxDirs;
  if (!all_dirs) dirs.resize(kMaxDirs);
  for (absl::string_view dir : kSystemDirs) dirs.emplace_back(dir);

  const auto texts = loader::SplitPreload(value);
  for (absl::string_view text : texts) {
    PreloadEntry entry;
    if (list.entries.size() == kMaxEntries) {
      entry.text = absl::StrCat("(", texts.size() - kMaxEntries, " more)");
      entry.file.path = entry.text;
      entry.file.found =
          NotObserved{absl::StrCat("only the first ", kMaxEntries, " entries were looked at")};
      list.entries.push_back(std::move(entry));
      break;
    }
    entry.text = std::string(text);
    entry.shim = [&]() -> std::optional<Shim> {
      std::optional<ShimName> name = ShimOf(text);
      if (!name) return std::nullopt;
      return name->shim;
    }();
    // $ORIGIN is the directory of the program, not of the library (measured, glibc 2.36).
    std::string path = absl::StrReplaceAll(
        text, {{"${ORIGIN}", host::Dirname(exe)}, {"$ORIGIN", host::Dirname(exe)}});
    if (absl::StrContains(path, "$")) {
      entry.file.path = path;
      entry.file.found = NotObserved{"the loader's $LIB and $PLATFORM are not expanded here"};
    } else if (absl::StrContains(path, "/")) {
      if (path.front() == '/') {
        entry.file = LookAtFile(host, path, root);
      } else {
        entry.file.path = path;
        entry.file.found = NotObserved{"a relative name, of the directory the program starts in"};
      }
    } else {
      entry.file.path = path;
      entry.file.found = NotObserved{
          "a name without a slash that is in no default directory; /etc/ld.so.cache was not read"};
      for (size_t i = 0; i < dirs.size(); ++i) {
        const std::string& dir = dirs[i];
        // One that was left out comes before these.
        if (!all_dirs && i == kMaxDirs) {
          entry.file.found = NotObserved{
              absl::StrCat("only the first ", kMaxDirs, " of LD_LIBRARY_PATH were looked at")};
          break;
        }
        FileFacts candidate = LookAtFile(host, host::JoinPath(dir, path), root);
        if (!candidate.found.present()) continue;
        entry.file = std::move(candidate);
        break;
      }
    }
    list.entries.push_back(std::move(entry));
  }
  return list;
}

}  // namespace vgpu::facts
