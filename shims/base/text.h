// Text written into memory of a fixed size: what does not fit is left out, never written
// beyond the end, and there is always a NUL.
//
//   std::array<char, 64> reason;
//   TextWriter text(reason);
//   text.Add("out of range: ").AddNumber(number);
//
// Nothing allocates or throws. A writer belongs to one thread.

#ifndef SHIMS_BASE_TEXT_H_
#define SHIMS_BASE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vgpu {

class TextWriter {
 public:
  // Into `buffer`, which holds at least one byte, for the NUL, and outlives the writer.
  explicit TextWriter(std::span<char> buffer) : buffer_(buffer) { buffer_[0] = '\0'; }

  TextWriter& Add(std::string_view text) {
    for (char c : text) AddByte(c);
    return *this;
  }

  TextWriter& AddByte(char c) {
    if (size_ + 1 < buffer_.size()) {
      buffer_[size_++] = c;
      buffer_[size_] = '\0';
    } else {
      cut_ = true;
    }
    return *this;
  }

  TextWriter& AddUnsigned(uint64_t number) {
    char digits[20];  // of 2^64 - 1
    size_t first = sizeof digits;
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return Add({digits + first, sizeof digits - first});
  }

  TextWriter& AddNumber(int64_t number) {
    if (number < 0) AddByte('-');
    const uint64_t bits = static_cast<uint64_t>(number);
    return AddUnsigned(number < 0 ? 0 - bits : bits);
  }

  // In lower case, with at least so many digits.
  TextWriter& AddHex(uint64_t number, int digits) {
    while (digits < 16 && number >> (4 * digits) != 0) ++digits;
    while (digits-- > 0) AddByte("0123456789abcdef"[number >> (4 * digits) & 0xf]);
    return *this;
  }

  // With control characters, the bytes of C1 control characters and what is no UTF-8 written
  // as \xNN: what comes from outside can then move no terminal's cursor.
  TextWriter& AddVisible(std::string_view text);

  size_t size() const { return size_; }
  bool cut() const { return cut_; }
  std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  std::span<char> buffer_;
  size_t size_ = 0;
  bool cut_ = false;
};

// How many bytes the first character of `text` has, where it is UTF-8 (Unicode 15, table 3-7)
// and no control character (C0, DEL or C1); 0 where it is none or is to be shown as bytes.
// `text` is not empty.
size_t PrintableLength(std::string_view text);

// `text` behind its first `count` bytes, of which it has so many. (substr throws where it has not,
// and so needs the C++ runtime, wherever the compiler cannot see that it has.)
constexpr std::string_view Behind(size_t count, std::string_view text) {
  text.remove_prefix(count);
  return text;
}

}  // namespace vgpu

#endif  // SHIMS_BASE_TEXT_H_
