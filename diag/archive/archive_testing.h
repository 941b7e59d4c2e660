// Archives for tests: those that the writers make, and those that only an enemy does.

#ifndef DIAG_ARCHIVE_ARCHIVE_TESTING_H_
#define DIAG_ARCHIVE_ARCHIVE_TESTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "diag/archive/byte_sink.h"
#include "diag/archive/tar.h"

namespace vgpu::archive {

// Keeps what is written.
class StringSink : public ByteSink {
 public:
  absl::Status Write(absl::string_view bytes) override {
    text.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  std::string text;
};

// A whole archive.
std::string Tar(const std::vector<TarMember>& members);
std::string Zstd(absl::string_view bytes);

}  // namespace vgpu::archive

#endif  // DIAG_ARCHIVE_ARCHIVE_TESTING_H_
