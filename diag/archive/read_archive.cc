#include "diag/archive/read_archive.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "diag/archive/zstd.h"
#include "diag/host/capture_layout.h"

namespace vgpu::archive {
namespace {

using Files = host::MemoryFiles;

// A source whose first bytes were looked at already.
class Peeked : public host::ByteSource {
 public:
  Peeked(std::string first, host::ByteSource& rest) : first_(std::move(first)), rest_(rest) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (at_ == first_.size()) return rest_.Read(buffer, size);
    const size_t n = std::min(size, first_.size() - at_);
    std::memcpy(buffer, first_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string first_;
  size_t at_ = 0;
  host::ByteSource& rest_;
};

// The first bytes of a source, as many as there are.
absl::StatusOr<std::string> Peek(host::ByteSource& source, size_t length) {
  std::string first(length, '\0');
  size_t have = 0;
  while (have < length) {
    absl::StatusOr<size_t> n = source.Read(first.data() + have, length - have);
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    have += *n;
  }
  first.resize(have);
  return first;
}

// A member's path as a clean, absolute one; "/" is the archive's own directory.
absl::StatusOr<std::string> CleanPath(absl::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("a member has no name");
  if (path.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("a member's name holds a NUL byte");
  }
  if (path.front() == '/') {
    return absl::InvalidArgumentError(absl::StrCat(path.substr(0, 256), ": an absolute path"));
  }
  if (path.size() > 4096) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.substr(0, 256), "...: longer than 4096 bytes"));
  }
  std::string clean;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part == "..") {
      return absl::InvalidArgumentError(
          absl::StrCat(path.substr(0, 256), ": leads out of the archive by `..`"));
    }
    absl::StrAppend(&clean, "/", part);
  }
  return clean.empty() ? "/" : clean;
}

absl::Status Add(TarMember member, Files& files) {
  absl::StatusOr<std::string> path = CleanPath(member.path);
  if (!path.ok()) return path.status();
  switch (member.type) {
    case TarMember::Type::kFile:
      return files.AddFile(*path, std::make_shared<const std::string>(std::move(member.content)));
    case TarMember::Type::kDir:
      return files.AddDir(*path);
    case TarMember::Type::kSymlink:
      return files.AddLink(*path, member.target);
    case TarMember::Type::kHardLink: {
      absl::StatusOr<std::string> target = CleanPath(member.target);
      if (!target.ok()) return target.status();
      std::shared_ptr<const std::string> content = files.ContentOf(*target);
      if (content == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat(member.path, ": a link to ", member.target,
                         ", which is no file of the archive before it"));
      }
      return files.AddFile(*path, std::move(content));
    }
    case TarMember::Type::kCharDevice:
    case TarMember::Type::kBlockDevice:
    case TarMember::Type::kFifo:
      return absl::InvalidArgumentError(
          absl::StrCat(member.path, ": a device or a FIFO, which no capture holds"));
  }
  return absl::InternalError("a member of no kind");
}

// The files below one directory of other files.
class Below : public host::TreeFiles {
 public:
  Below(std::unique_ptr<Files> files, std::string prefix)
      : files_(std::move(files)), prefix_(std::move(prefix)) {}
  host::Observed<host::FileMeta> Stat(const std::string& path) const override {
    return files_->Stat(At(path));
  }
  host::Observed<std::string> ReadLink(const std::string& path) const override {
    return files_->ReadLink(At(path));
  }
  host::Observed<host::Content> Read(const std::string& path, size_t limit) const override {
    return files_->Read(At(path), limit).Map([&](const host::Content& read) {
      return host::Content{path, read.bytes, read.truncated};
    });
  }
  host::Observed<std::unique_ptr<host::ByteSource>> Open(const std::string& path) const override {
    return files_->Open(At(path));
  }
  host::Observed<std::unique_ptr<host::RangeSource>> OpenRanges(
      const std::string& path) const override {
    return files_->OpenRanges(At(path));
  }
  host::Observed<std::vector<std::string>> List(const std::string& path) const override {
    return files_->List(At(path));
  }

 private:
  std::string At(const std::string& path) const {
    return path == "/" ? prefix_ : absl::StrCat(prefix_, path);
  }
  std::unique_ptr<Files> files_;
  std::string prefix_;
};

// The one directory that holds all: a host's root has more than one name.
std::optional<std::string> OnlyDirectory(const Files& files) {
  const std::vector<std::string> names = files.List("/").value_or({});
  if (names.size() != 1 || names[0] == host::kCaptureDir + 1) return std::nullopt;
  std::string path = absl::StrCat("/", names[0]);
  // A system that was packed without its root: etc/ alone is one.
  if (!files.Stat(absl::StrCat(path, host::kCaptureDir)).present()) return std::nullopt;
  return path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<host::TreeFiles>> ReadArchive(host::ByteSource& source,
                                                             const ArchiveLimits& limits) {
  absl::StatusOr<std::string> first = Peek(source, 4);
  if (!first.ok()) return first.status();
  if (first->empty()) return absl::InvalidArgumentError("is empty");
  const bool compressed = LooksLikeZstd(*first);
  Peeked whole(*std::move(first), source);
  const std::unique_ptr<host::ByteSource> plain = compressed ? ReadZstd(whole) : nullptr;

  auto files = std::make_unique<Files>(limits.names);
  TarReader reader(plain ? *plain : whole, limits.tar);
  bool any = false;
  while (true) {
    absl::StatusOr<std::optional<TarMember>> member = reader.Next();
    if (!member.ok()) return member.status();
    if (!member->has_value()) break;
    any = true;
    if (absl::Status added = Add(std::move(**member), *files); !added.ok()) return added;
  }
  if (!any) return absl::InvalidArgumentError("is an archive without members");
  if (std::optional<std::string> directory = OnlyDirectory(*files)) {
    return std::make_unique<Below>(std::move(files), *std::move(directory));
  }
  return files;
}

}  // namespace vgpu::archive
