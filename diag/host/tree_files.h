// The files of a captured host, wherever they lie: in a directory, or in memory as an
// archive left them there.
//
// Paths are absolute and clean: no "//", no "." or "..", no slash at the end but that of
// the root itself. No link is followed, in any component: what lies behind one is absent.

#ifndef DIAG_HOST_TREE_FILES_H_
#define DIAG_HOST_TREE_FILES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::host {

class TreeFiles {
 public:
  virtual ~TreeFiles() = default;

  virtual Observed<FileMeta> Stat(const std::string& path) const = 0;
  virtual Observed<std::string> ReadLink(const std::string& path) const = 0;
  // Of regular files.
  virtual Observed<Content> Read(const std::string& path, size_t limit) const = 0;
  virtual Observed<std::unique_ptr<ByteSource>> Open(const std::string& path) const = 0;
  virtual Observed<std::unique_ptr<RangeSource>> OpenRanges(const std::string& path) const = 0;
  // Names, sorted. Absent also where the path is no directory.
  virtual Observed<std::vector<std::string>> List(const std::string& path) const = 0;
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_TREE_FILES_H_
