// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), by Nettle, for what must be told apart and
// not read.
//
//   Sha256 hash;
//   hash.Add(bytes);
//   std::string digest = hash.Finish();     // 32 bytes; absl::BytesToHexString makes it text
//
// Nothing but the digest allocates. An object belongs to one thread; after Finish it is as new.

#ifndef DIAG_BASELINE_SHA256_H_
#define DIAG_BASELINE_SHA256_H_

#include <nettle/sha2.h>

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::baseline {

class Sha256 {
 public:
  Sha256();

  void Add(absl::string_view bytes);
  std::string Finish();

 private:
  sha256_ctx context_;
};

std::string HmacSha256(absl::string_view key, absl::string_view text);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_SHA256_H_
