#include "shims/base/text.h"

namespace vgpu {

size_t PrintableLength(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  // The second byte has limits of its own: no overlong forms, no surrogates, nothing above
  // U+10FFFF. Behind 0xC2, below 0xA0 stand the C1 control characters.
  size_t length;
  uint8_t low = 0x80, high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
    if (lead == 0xc2) low = 0xa0;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

TextWriter& TextWriter::AddVisible(std::string_view text) {
  while (!text.empty()) {
    size_t length = PrintableLength(text);
    if (length > 0) {
      Add(text.substr(0, length));
    } else {
      length = 1;
      Add("\\x").AddHex(static_cast<uint8_t>(text[0]), 2);
    }
    text.remove_prefix(length);
  }
  return *this;
}

}  // namespace vgpu
