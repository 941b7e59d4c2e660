// A captured host's files in memory: what a reader of archives fills, bounded.
//
//   MemoryFiles files({.bytes = 256 << 20});
//   absl::Status added = files.AddFile("/etc/hostname", std::move(content));
//
// Parent directories come into being by themselves. An error says which path broke which
// bound or contradicts another path; the files are then not to be used.

#ifndef DIAG_HOST_MEMORY_FILES_H_
#define DIAG_HOST_MEMORY_FILES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "diag/host/tree_files.h"

namespace vgpu::host {

class MemoryFiles : public TreeFiles {
 public:
  struct Limits {
    size_t entries = 200000;               // directories that came by themselves too
    size_t name_bytes = size_t{64} << 20;  // of all paths and targets together
    size_t depth = 64;                     // components of a path
  };

  MemoryFiles() = default;
  explicit MemoryFiles(const Limits& limits) : limits_(limits) {}

  // `path` is absolute and clean. A path that is there already is an error, but for a
  // directory that is one.
  absl::Status AddFile(absl::string_view path, std::shared_ptr<const std::string> content);
  absl::Status AddLink(absl::string_view path, absl::string_view target);
  absl::Status AddDir(absl::string_view path);

  // The content of a file that was added; null where there is none.
  std::shared_ptr<const std::string> ContentOf(absl::string_view path) const;

  Observed<FileMeta> Stat(const std::string& path) const override;
  Observed<std::string> ReadLink(const std::string& path) const override;
  Observed<Content> Read(const std::string& path, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> Open(const std::string& path) const override;
  Observed<std::unique_ptr<RangeSource>> OpenRanges(const std::string& path) const override;
  Observed<std::vector<std::string>> List(const std::string& path) const override;

 private:
  struct Node {
    FileType type = FileType::kDir;
    std::shared_ptr<const std::string> content;  // of a file
    std::string target;                          // of a link
    std::set<std::string> names;                 // of a directory
  };
  absl::Status Add(absl::string_view path, Node node);
  const Node* File(const std::string& path) const;

  Limits limits_;
  size_t name_bytes_ = 0;
  std::map<std::string, Node, std::less<>> nodes_ = {{"/", Node{}}};
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_MEMORY_FILES_H_
