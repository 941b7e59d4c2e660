#include "shims/cudart/format.h"

#include "gtest/gtest.h"

namespace vgpu::cudart {
namespace {

cudaChannelFormatDesc Channels(int count, int bits, int kind) {
  return {bits, count > 1 ? bits : 0, count > 2 ? bits : 0, count > 3 ? bits : 0,
          static_cast<cudaChannelFormatKind>(kind)};
}

void ExpectRoundTrip(const cudaChannelFormatDesc& channels) {
  ArrayFormat array;
  ASSERT_TRUE(ToArrayFormat(channels, &array)) << channels.f << " of " << channels.x;
  cudaChannelFormatDesc back;
  ASSERT_TRUE(ToChannels(array, &back));
  EXPECT_EQ(back.f, channels.f);
  EXPECT_EQ(back.x, channels.x);
  EXPECT_EQ(back.y, channels.y);
  EXPECT_EQ(back.z, channels.z);
  EXPECT_EQ(back.w, channels.w);
  EXPECT_EQ(ElementBytes(array),
            static_cast<size_t>(channels.x + channels.y + channels.z + channels.w) / 8);
}

TEST(Format, WholeNumbersAndFloatsThereAndBack) {
  for (int count : {1, 2, 4}) {
    for (int bits : {8, 16, 32}) {
      ExpectRoundTrip(Channels(count, bits, cudaChannelFormatKindSigned));
      ExpectRoundTrip(Channels(count, bits, cudaChannelFormatKindUnsigned));
      if (bits > 8) ExpectRoundTrip(Channels(count, bits, cudaChannelFormatKindFloat));
    }
  }
}

// cudaChannelFormatKindUnsignedNormalized8X1 (5) to SignedNormalized16X4 (16).
TEST(Format, NormalizedOnesThereAndBack) {
  for (int sign = 0; sign < 2; ++sign) {
    for (int size = 0; size < 2; ++size) {
      for (int power = 0; power < 3; ++power) {
        ExpectRoundTrip(Channels(1 << power, 8 << size, 5 + sign * 6 + size * 3 + power));
      }
    }
  }
}

TEST(Format, RefusesWhatNoArrayHas) {
  ArrayFormat array;
  EXPECT_FALSE(ToArrayFormat(Channels(0, 0, cudaChannelFormatKindFloat), &array));
  EXPECT_FALSE(ToArrayFormat(Channels(3, 8, cudaChannelFormatKindUnsigned), &array));
  EXPECT_FALSE(ToArrayFormat(Channels(1, 8, cudaChannelFormatKindFloat), &array));
  EXPECT_FALSE(ToArrayFormat(Channels(1, 64, cudaChannelFormatKindSigned), &array));
  EXPECT_FALSE(ToArrayFormat(Channels(1, -8, cudaChannelFormatKindSigned), &array));
  EXPECT_FALSE(ToArrayFormat({8, 16, 0, 0, cudaChannelFormatKindSigned}, &array));
  EXPECT_FALSE(ToArrayFormat({8, 0, 8, 0, cudaChannelFormatKindSigned}, &array));
  EXPECT_FALSE(ToArrayFormat(Channels(1, 8, 99), &array));
}

}  // namespace
}  // namespace vgpu::cudart
