// SipHash-2-4: a keyed hash (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input
// PRF", 2012). Who does not have the key can neither turn it back nor try values.

#ifndef DIAG_CAPTURE_SIP_HASH_H_
#define DIAG_CAPTURE_SIP_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace vgpu::capture {

struct SipKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

uint64_t SipHash(const SipKey& key, absl::string_view bytes);

}  // namespace vgpu::capture

#endif  // DIAG_CAPTURE_SIP_HASH_H_
