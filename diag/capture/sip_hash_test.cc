#include "diag/capture/sip_hash.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::capture {
namespace {

// The key and the messages of the paper's appendix A and of its reference implementation's
// vectors.h: bytes 0, 1, 2, ...
constexpr SipKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string Message(size_t length) {
  std::string message;
  for (size_t i = 0; i < length; ++i) message.push_back(static_cast<char>(i));
  return message;
}

TEST(SipHash, ThePublishedVectors) {
  EXPECT_EQ(SipHash(kKey, Message(15)), 0xa129ca6149be45e5u);
  EXPECT_EQ(SipHash(kKey, Message(0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(SipHash(kKey, Message(1)), 0x74f839c593dc67fdu);
}

TEST(SipHash, AnotherKeyIsAnotherHash) {
  EXPECT_NE(SipHash({1, 2}, "hunter2"), SipHash({1, 3}, "hunter2"));
  EXPECT_NE(SipHash({1, 2}, "hunter2"), SipHash({1, 2}, "hunter3"));
}

}  // namespace
}  // namespace vgpu::capture
