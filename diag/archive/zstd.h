// Zstandard streams (RFC 8878), read and written in bounded memory.

#ifndef DIAG_ARCHIVE_ZSTD_H_
#define DIAG_ARCHIVE_ZSTD_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "diag/archive/byte_sink.h"
#include "diag/host/host.h"

namespace vgpu::archive {

// Whether a file that begins so is one.
bool LooksLikeZstd(absl::string_view bytes);

// What `compressed` holds, decompressed as it is read: a small file that grows without end
// is for the caller to stop. `compressed` has to outlive it.
std::unique_ptr<host::ByteSource> ReadZstd(host::ByteSource& compressed);

// Compresses what is written, into a sink that has to outlive it.
class ZstdSink : public ByteSink {
 public:
  explicit ZstdSink(ByteSink& sink);
  ~ZstdSink() override;
  absl::Status Write(absl::string_view bytes) override;
  // The end of the stream: without it, readers call it cut.
  absl::Status Finish();

 private:
  struct State;
  absl::Status Compress(absl::string_view bytes, bool end);
  ByteSink& sink_;
  std::unique_ptr<State> state_;
};

}  // namespace vgpu::archive

#endif  // DIAG_ARCHIVE_ZSTD_H_
