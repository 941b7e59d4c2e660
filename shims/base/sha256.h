// SHA-256 (FIPS 180-4), for identities that are derived from others and shall not give those
// away.
//
//   Sha256 hash;
//   hash.Add(machine_id);
//   std::array<uint8_t, 32> digest = hash.Finish();
//
// Nothing allocates. An object belongs to one thread, and is spent after Finish.

#ifndef SHIMS_BASE_SHA256_H_
#define SHIMS_BASE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vgpu {

class Sha256 {
 public:
  Sha256() = default;

  void Add(std::string_view bytes);
  std::array<uint8_t, 32> Finish();

 private:
  void AddByte(uint8_t byte);
  void Block();

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_ = {};
  size_t filled_ = 0;    // of block_
  uint64_t length_ = 0;  // of all, in bytes
};

}  // namespace vgpu

#endif  // SHIMS_BASE_SHA256_H_
