#include "diag/host/fake_host.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vgpu::host {
namespace {

class Bytes : public ByteSource {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    size_t n = std::min(size, bytes_.size() - at_);
    std::memcpy(buffer, bytes_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

class StringRanges : public RangeSource {
 public:
  explicit StringRanges(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const override {
    return offset < bytes_.size() ? bytes_.substr(offset, length) : std::string();
  }

 private:
  std::string bytes_;
};

}  // namespace

std::unique_ptr<ByteSource> StringSource(std::string bytes) {
  return std::make_unique<Bytes>(std::move(bytes));
}

FakeHost::FakeHost() { AddDir("/"); }

void FakeHost::AddParents(absl::string_view path) {
  absl::string_view dir = Dirname(path);
  while (true) {
    Node& node = nodes_[std::string(dir)];
    node.meta.type = FileType::kDir;
    if (dir == "/") return;
    dir = Dirname(dir);
  }
}

FakeHost& FakeHost::AddFile(absl::string_view path, absl::string_view content) {
  FileMeta meta;
  meta.size = content.size();
  return AddFile(path, content, std::move(meta));
}

FakeHost& FakeHost::AddFile(absl::string_view path, absl::string_view content, FileMeta meta) {
  AddParents(path);
  nodes_[std::string(path)] = Node{std::move(meta), std::string(content)};
  return *this;
}

FakeHost& FakeHost::AddLink(absl::string_view path, absl::string_view target) {
  FileMeta meta;
  meta.type = FileType::kSymlink;
  return AddFile(path, target, std::move(meta));
}

FakeHost& FakeHost::AddDir(absl::string_view path) { return AddNode(path, FileType::kDir); }

FakeHost& FakeHost::AddNode(absl::string_view path, FileType type) {
  AddParents(path);
  nodes_[std::string(path)].meta.type = type;
  return *this;
}

FakeHost& FakeHost::SetMeta(absl::string_view path, FileMeta meta) {
  AddParents(path);
  nodes_[std::string(path)].meta = std::move(meta);
  return *this;
}

FakeHost& FakeHost::Hide(absl::string_view path, absl::string_view why) {
  hidden_[std::string(path)] = std::string(why);
  return *this;
}

FakeHost& FakeHost::AddTool(const ToolQuery& query, absl::string_view output) {
  tools_[ToolSource(query)] = std::string(output);
  return *this;
}

FakeHost& FakeHost::FailTool(const ToolQuery& query, absl::string_view why) {
  tools_[ToolSource(query)] = NotObserved{std::string(why)};
  return *this;
}

FakeHost& FakeHost::AddElf(absl::string_view path, absl::string_view json) {
  elf_[std::string(path)] = std::string(json);
  return *this;
}

FakeHost& FakeHost::SetObservedAt(absl::Time time) {
  observed_at_ = time;
  return *this;
}

FakeHost& FakeHost::SetRunning(bool running) {
  running_ = running;
  return *this;
}

const std::string* FakeHost::HiddenBecause(const std::string& path) const {
  for (absl::string_view at = path;; at = Dirname(at)) {
    auto it = hidden_.find(std::string(at));
    if (it != hidden_.end()) return &it->second;
    if (at == "/") return nullptr;
  }
}

Observed<std::string> FakeHost::RecordedElf(absl::string_view resolved_path) const {
  auto it = elf_.find(std::string(resolved_path));
  if (it == elf_.end()) return Absent{};
  return it->second;
}

Observed<Content> FakeHost::RunTool(const ToolQuery& query, size_t limit) const {
  auto it = tools_.find(ToolSource(query));
  if (it == tools_.end()) return NotObserved{"not captured"};
  return it->second.Map([&](const std::string& output) {
    return Content{it->first, output.substr(0, limit), output.size() > limit};
  });
}

Observed<std::unique_ptr<ByteSource>> FakeHost::StreamTool(const ToolQuery& query) const {
  auto it = tools_.find(ToolSource(query));
  if (it == tools_.end()) return NotObserved{"not captured"};
  return it->second.Map([](const std::string& output) { return StringSource(output); });
}

Observed<FileMeta> FakeHost::RawStat(const std::string& path) const {
  if (const std::string* why = HiddenBecause(path)) return NotObserved{*why};
  auto it = nodes_.find(path);
  if (it == nodes_.end()) return Absent{};
  return it->second.meta;
}

Observed<std::string> FakeHost::RawReadLink(const std::string& path) const {
  return RawStat(path).Map([&](const FileMeta&) { return nodes_.at(path).content; });
}

Observed<Content> FakeHost::RawRead(const std::string& path, size_t limit) const {
  return RawStat(path).Map([&](const FileMeta&) {
    const std::string& content = nodes_.at(path).content;
    return Content{path, content.substr(0, limit), content.size() > limit};
  });
}

Observed<std::unique_ptr<ByteSource>> FakeHost::RawOpen(const std::string& path) const {
  return RawStat(path).Map([&](const FileMeta&) { return StringSource(nodes_.at(path).content); });
}

Observed<std::unique_ptr<RangeSource>> FakeHost::RawOpenRanges(const std::string& path) const {
  using Source = std::unique_ptr<RangeSource>;
  return RawStat(path).Map([&](const FileMeta&) {
    return Source(std::make_unique<StringRanges>(nodes_.at(path).content));
  });
}

Observed<std::vector<std::string>> FakeHost::RawList(const std::string& path) const {
  return RawStat(path).Map([&](const FileMeta&) {
    std::vector<std::string> names;
    for (const auto& [at, node] : nodes_) {
      if (at != "/" && Dirname(at) == path) names.emplace_back(Basename(at));
    }
    return names;
  });
}

}  // namespace vgpu::host
