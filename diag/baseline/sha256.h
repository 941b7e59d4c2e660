// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), for what must be told apart and not read.
//
//   Sha256 hash;
//   hash.Add(bytes);
//   std::string digest = hash.Finish();     // 32 bytes; absl::BytesToHexString makes it text
//
// Nothing but the digest allocates. An object belongs to one thread, and is spent after Finish.

#ifndef DIAG_BASELINE_SHA256_H_
#define DIAG_BASELINE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::baseline {

class Sha256 {
 public:
  void Add(absl::string_view bytes);
  std::string Finish();

 private:
  void Block(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> partial_ = {};
  size_t filled_ = 0;    // of partial_
  uint64_t length_ = 0;  // of all, in bytes
};

std::string HmacSha256(absl::string_view key, absl::string_view text);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_SHA256_H_
