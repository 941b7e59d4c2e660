#include "diag/baseline/sha256.h"

#include <nettle/hmac.h>

#include <cstdint>

namespace vgpu::baseline {
namespace {

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

uint8_t* Bytes(std::string& text) { return reinterpret_cast<uint8_t*>(text.data()); }

}  // namespace

Sha256::Sha256() { sha256_init(&context_); }

void Sha256::Add(absl::string_view bytes) { sha256_update(&context_, bytes.size(), Bytes(bytes)); }

std::string Sha256::Finish() {
  std::string digest(SHA256_DIGEST_SIZE, '\0');
  sha256_digest(&context_, digest.size(), Bytes(digest));
  return digest;
}

std::string HmacSha256(absl::string_view key, absl::string_view text) {
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, key.size(), Bytes(key));
  hmac_sha256_update(&context, text.size(), Bytes(text));
  std::string digest(SHA256_DIGEST_SIZE, '\0');
  hmac_sha256_digest(&context, digest.size(), Bytes(digest));
  return digest;
}

}  // namespace vgpu::baseline
