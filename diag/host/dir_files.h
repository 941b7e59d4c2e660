// A captured host's files in a directory.
//
// Nothing outside the directory is ever opened: each path is looked up from the directory's
// descriptor, and no link is followed by the kernel.

#ifndef DIAG_HOST_DIR_FILES_H_
#define DIAG_HOST_DIR_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/file_io.h"
#include "diag/host/tree_files.h"

namespace vgpu::host {

class DirFiles : public TreeFiles {
 public:
  // Errors: `dir` is no directory or cannot be read.
  static absl::StatusOr<std::unique_ptr<DirFiles>> At(const std::string& dir);

  Observed<FileMeta> Stat(const std::string& path) const override;
  Observed<std::string> ReadLink(const std::string& path) const override;
  Observed<Content> Read(const std::string& path, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> Open(const std::string& path) const override;
  Observed<std::unique_ptr<RangeSource>> OpenRanges(const std::string& path) const override;
  Observed<std::vector<std::string>> List(const std::string& path) const override;

 private:
  explicit DirFiles(Fd root) : root_(std::move(root)) {}
  struct Place;
  Observed<Place> Find(absl::string_view path) const;
  Observed<Fd> OpenFile(const std::string& path) const;

  Fd root_;
  mutable bool at_once_ = true;  // whether the kernel has openat2(2), as far as is known
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_DIR_FILES_H_
