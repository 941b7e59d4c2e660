// Where bytes go: the counterpart of host::ByteSource.

#ifndef DIAG_ARCHIVE_BYTE_SINK_H_
#define DIAG_ARCHIVE_BYTE_SINK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vgpu::archive {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // All of it, or an error that says why not.
  virtual absl::Status Write(absl::string_view bytes) = 0;
};

}  // namespace vgpu::archive

#endif  // DIAG_ARCHIVE_BYTE_SINK_H_
