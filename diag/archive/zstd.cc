#include "diag/archive/zstd.h"

#include <zstd.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::archive {
namespace {

// The level: 3 takes a tenth of the time that the host takes to be looked at.
constexpr int kLevel = 3;
// The memory that a stream may ask a reader for: 8 MiB, as RFC 8878 recommends (3.1.1.1.2).
constexpr int kWindowLog = 23;

class Source : public host::ByteSource {
 public:
  explicit Source(host::ByteSource& compressed)
      : compressed_(compressed), stream_(ZSTD_createDStream()), buffer_(ZSTD_DStreamInSize()) {
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLog);
  }
  ~Source() override { ZSTD_freeDStream(stream_); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (stream_ == nullptr) return absl::ResourceExhaustedError("no memory to decompress with");
    ZSTD_outBuffer out = {buffer, size, 0};
    while (out.pos == 0 && size > 0) {
      if (input_.pos == input_.size && !ended_) {
        absl::StatusOr<size_t> n = compressed_.Read(buffer_.data(), buffer_.size());
        if (!n.ok()) return n.status();
        ended_ = *n == 0;
        input_ = {buffer_.data(), *n, 0};
      }
      if (ended_ && input_.pos == input_.size && frame_done_) return size_t{0};
      const size_t before = input_.pos;
      const size_t left = ZSTD_decompressStream(stream_, &out, &input_);
      if (ZSTD_isError(left)) {
        return absl::InvalidArgumentError(
            absl::StrCat("cannot be decompressed: ", ZSTD_getErrorName(left)));
      }
      frame_done_ = left == 0;
      if (ended_ && out.pos == 0 && input_.pos == before && !frame_done_) {
        return absl::DataLossError("the compressed file is cut off");
      }
    }
    return out.pos;
  }

 private:
  host::ByteSource& compressed_;
  ZSTD_DStream* stream_;
  std::vector<char> buffer_;
  ZSTD_inBuffer input_ = {nullptr, 0, 0};
  bool ended_ = false;       // of the compressed stream
  bool frame_done_ = false;  // and nothing of the next one was seen
};

}  // namespace

bool LooksLikeZstd(absl::string_view bytes) { return absl::StartsWith(bytes, "\x28\xb5\x2f\xfd"); }

std::unique_ptr<host::ByteSource> ReadZstd(host::ByteSource& compressed) {
  return std::make_unique<Source>(compressed);
}

struct ZstdSink::State {
  State() : stream(ZSTD_createCCtx()), buffer(ZSTD_CStreamOutSize()) {
    if (stream == nullptr) return;
    ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
  }
  ~State() { ZSTD_freeCCtx(stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ZSTD_CCtx* stream;
  std::vector<char> buffer;
};

ZstdSink::ZstdSink(ByteSink& sink) : sink_(sink), state_(std::make_unique<State>()) {}
ZstdSink::~ZstdSink() = default;

absl::Status ZstdSink::Compress(absl::string_view bytes, bool end) {
  if (state_->stream == nullptr) {
    return absl::ResourceExhaustedError("no memory to compress with");
  }
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out = {state_->buffer.data(), state_->buffer.size(), 0};
    const size_t left =
        ZSTD_compressStream2(state_->stream, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      return absl::InternalError(absl::StrCat("compressing: ", ZSTD_getErrorName(left)));
    }
    if (absl::Status status = sink_.Write({state_->buffer.data(), out.pos}); !status.ok()) {
      return status;
    }
    if (end ? left == 0 : in.pos == in.size) return absl::OkStatus();
  }
}

absl::Status ZstdSink::Write(absl::string_view bytes) { return Compress(bytes, false); }
absl::Status ZstdSink::Finish() { return Compress("", true); }

}  // namespace vgpu::archive
