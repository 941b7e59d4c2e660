// A whole small file, into memory of the caller's.
//
//   std::array<char, 4096> buffer;
//   std::string_view text;
//   if (int error = ReadSmallFile("/etc/machine-id", buffer, &text); error != 0) ...
//
// Never waits: a FIFO, a device, a directory or a socket at the path is EINVAL and is not
// opened for reading. Thread-safe; errno is kept.

#ifndef SHIMS_BASE_FILE_H_
#define SHIMS_BASE_FILE_H_

#include <span>
#include <string_view>

namespace vgpu {

// 0, and `*text` is the content, in `buffer`; or an error's number, EFBIG where `buffer` is too
// small. Files of procfs, whose size is said to be 0, are read too.
int ReadSmallFile(const char* path, std::span<char> buffer, std::string_view* text);

}  // namespace vgpu

#endif  // SHIMS_BASE_FILE_H_
