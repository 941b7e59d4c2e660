#include "diag/host/memory_files.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace vgpu::host {
namespace {

using Bytes = std::shared_ptr<const std::string>;

class Stream : public ByteSource {
 public:
  explicit Stream(Bytes bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = std::min(size, bytes_->size() - at_);
    std::memcpy(buffer, bytes_->data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

class Ranges : public RangeSource {
 public:
  explicit Ranges(Bytes bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_->size(); }
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const override {
    if (offset >= bytes_->size()) return std::string();
    return bytes_->substr(static_cast<size_t>(offset), length);
  }

 private:
  Bytes bytes_;
};

}  // namespace

absl::Status MemoryFiles::Add(absl::string_view path, Node node) {
  if (const auto depth = static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
      depth > limits_.depth) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path.substr(0, 256), ": lies ", depth, " directories deep"));
  }
  auto [it, is_new] = nodes_.try_emplace(std::string(path));
  if (!is_new) {
    if (it->second.type == FileType::kDir && node.type == FileType::kDir) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat(path, ": is there twice"));
  }
  name_bytes_ += 2 * path.size() + node.target.size();
  it->second = std::move(node);
  if (nodes_.size() > limits_.entries || name_bytes_ > limits_.name_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("holds more than ", limits_.entries,
                                                     " names, or names of more than ",
                                                     limits_.name_bytes >> 20, " MiB"));
  }
  // At most `depth` steps: what is there already has its parents.
  const absl::string_view parent = Dirname(path);
  if (nodes_.find(parent) == nodes_.end()) {
    if (absl::Status added = Add(parent, Node{}); !added.ok()) return added;
  }
  Node& above = nodes_.find(parent)->second;
  if (above.type != FileType::kDir) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": lies below what is no directory (", FileTypeName(above.type), ")"));
  }
  above.names.insert(std::string(Basename(path)));
  return absl::OkStatus();
}

absl::Status MemoryFiles::AddFile(absl::string_view path, Bytes content) {
  Node node;
  node.type = FileType::kFile;
  node.content = std::move(content);
  return Add(path, std::move(node));
}

absl::Status MemoryFiles::AddLink(absl::string_view path, absl::string_view target) {
  Node node;
  node.type = FileType::kSymlink;
  node.target = std::string(target);
  return Add(path, std::move(node));
}

absl::Status MemoryFiles::AddDir(absl::string_view path) { return Add(path, Node{}); }

const MemoryFiles::Node* MemoryFiles::File(const std::string& path) const {
  const auto it = nodes_.find(path);
  return it == nodes_.end() || it->second.type != FileType::kFile ? nullptr : &it->second;
}

Bytes MemoryFiles::ContentOf(absl::string_view path) const {
  const Node* file = File(std::string(path));
  return file == nullptr ? nullptr : file->content;
}

Observed<FileMeta> MemoryFiles::Stat(const std::string& path) const {
  const auto it = nodes_.find(path);
  if (it == nodes_.end()) return Absent{};
  FileMeta meta;
  meta.type = it->second.type;
  if (meta.type == FileType::kFile) meta.size = it->second.content->size();
  return meta;
}

Observed<std::string> MemoryFiles::ReadLink(const std::string& path) const {
  const auto it = nodes_.find(path);
  if (it == nodes_.end()) return Absent{};
  if (it->second.type != FileType::kSymlink) return NotObserved{"is no symbolic link"};
  return it->second.target;
}

Observed<Content> MemoryFiles::Read(const std::string& path, size_t limit) const {
  const Node* file = File(path);
  if (file == nullptr) return Absent{};
  return Content{path, file->content->substr(0, limit), file->content->size() > limit};
}

Observed<std::unique_ptr<ByteSource>> MemoryFiles::Open(const std::string& path) const {
  const Node* file = File(path);
  if (file == nullptr) return Absent{};
  return std::unique_ptr<ByteSource>(std::make_unique<Stream>(file->content));
}

Observed<std::unique_ptr<RangeSource>> MemoryFiles::OpenRanges(const std::string& path) const {
  const Node* file = File(path);
  if (file == nullptr) return Absent{};
  return std::unique_ptr<RangeSource>(std::make_unique<Ranges>(file->content));
}

Observed<std::vector<std::string>> MemoryFiles::List(const std::string& path) const {
  const auto it = nodes_.find(path);
  if (it == nodes_.end() || it->second.type != FileType::kDir) return Absent{};
  return std::vector<std::string>(it->second.names.begin(), it->second.names.end());
}

}  // namespace vgpu::host
