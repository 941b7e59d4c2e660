#include "shims/base/sha256.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu {
namespace {

std::string Hex(std::string_view bytes) {
  Sha256 hash;
  // In pieces, which must not matter.
  hash.Add(bytes.substr(0, bytes.size() / 3));
  hash.Add(bytes.substr(bytes.size() / 3));
  std::string text;
  for (uint8_t byte : hash.Finish()) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// The examples that NIST publishes with FIPS 180 (and in RFC 6234).
TEST(Sha256Test, PublishedExamples) {
  EXPECT_EQ(Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace vgpu
