// For tests: a file of this very process, /proc/self/..., whole.

#ifndef DIAG_PROCFS_OWN_FILE_H_
#define DIAG_PROCFS_OWN_FILE_H_

#include <fstream>
#include <iterator>
#include <string>

namespace vgpu::procfs {

// Empty where it cannot be read.
inline std::string ReadOwnFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_OWN_FILE_H_
