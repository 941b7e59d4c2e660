#include "shims/base/text.h"

#include <array>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace vgpu {
namespace {

TEST(TextTest, WhatDoesNotFitIsLeftOut) {
  std::array<char, 6> buffer;
  buffer.fill('x');
  TextWriter text(std::span<char>(buffer).first(5));
  text.Add("ab").Add("cdef");
  EXPECT_EQ(text.view(), "abcd");
  EXPECT_TRUE(text.cut());
  EXPECT_EQ(buffer[4], '\0');
  EXPECT_EQ(buffer[5], 'x');
}

TEST(TextTest, Numbers) {
  std::array<char, 128> buffer;
  TextWriter text(buffer);
  text.AddNumber(0).AddByte(' ').AddNumber(-70).AddByte(' ');
  text.AddNumber(std::numeric_limits<int64_t>::min()).AddByte(' ');
  text.AddUnsigned(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(text.view(), "0 -70 -9223372036854775808 18446744073709551615");
  EXPECT_FALSE(text.cut());
}

TEST(TextTest, HexadecimalHasAtLeastSoManyDigits) {
  std::array<char, 64> buffer;
  TextWriter text(buffer);
  text.AddHex(5, 4).AddByte(' ').AddHex(0x12345, 4).AddByte(' ').AddHex(~uint64_t{0}, 1);
  EXPECT_EQ(text.view(), "0005 12345 ffffffffffffffff");
}

TEST(TextTest, ControlCharactersAndBytesThatAreNoTextAreVisible) {
  std::array<char, 128> buffer;
  TextWriter text(buffer);
  text.AddVisible("a\x1b[2J\n\x7f \xc3\xa4 \xc2\x9b \xff \xed\xa0\x80 \xc3");
  EXPECT_EQ(text.view(), "a\\x1b[2J\\x0a\\x7f \xc3\xa4 \\xc2\\x9b \\xff \\xed\\xa0\\x80 \\xc3");
}

TEST(TextTest, EveryCharacterOfUnicodeIsPrintableOrAControlCharacter) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    char bytes[4];
    size_t length;
    if (code < 0x80) {
      bytes[0] = static_cast<char>(code);
      length = 1;
    } else {
      length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      uint32_t rest = code;
      for (size_t i = length; i-- > 1; rest >>= 6)
        bytes[i] = static_cast<char>(0x80 | (rest & 0x3f));
      bytes[0] = static_cast<char>((0xf00 >> length & 0xff) | rest);
    }
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    ASSERT_EQ(PrintableLength({bytes, length}), control ? 0 : length) << std::hex << code;
    if (length > 1) {
      ASSERT_EQ(PrintableLength({bytes, length - 1}), 0u) << std::hex << code;
    }
  }
}

TEST(TextTest, OverlongFormsAreNoText) {
  for (std::string_view bytes : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                                 "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80"}) {
    EXPECT_EQ(PrintableLength(bytes), 0u);
  }
}

}  // namespace
}  // namespace vgpu
