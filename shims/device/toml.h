// devices.toml's part of TOML 1.0, read without allocating: tables, arrays of tables, and keys
// with a text, a whole number or a truth value on one line.
//
//   # two devices                        a comment, to the end of the line
//   [[device]]                           one of several tables of a name
//   profile = "l40s"                     a text with escapes: \" \\ \b \t \n \f \r \uXXXX
//   \UXXXXXXXX name = 'C:\raw'                      a text without memory_mib = 46_068 whole
//   numbers: decimal with a sign, 0x, 0o, 0b; to 64 bits [driver]                             a
//   table
//
// Strict: what it does not read (an array, an inline table, a fraction, a date, a text over several
// lines, a dotted key) is an error, and so is a key or a table that is given twice. Lines end in LF
// or CRLF.
//
//   TomlReader reader(text);
//   TomlItem item;
//   while (reader.Next(&item, &error)) ...       // false: the end, or error.line is not 0
//
// Items point into the text. Pure; thread-safe; the time is linear in the text.

#ifndef SHIMS_DEVICE_TOML_H_
#define SHIMS_DEVICE_TOML_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shims/base/text.h"

namespace vgpu::device {

struct TomlError {
  int line = 0;
  std::array<char, 192> reason = {};  // with its NUL
};

// A name or a text as it is written: bare, or in quotes with its escapes. Always well-formed.
class TomlText {
 public:
  TomlText() = default;
  explicit TomlText(std::string_view written) : written_(written) {}

  // What it means, made into UTF-8. The text may hold anything, NUL and control characters too,
  // and what was no UTF-8 when it was written is none now.
  void AddTo(TextWriter& out) const;
  bool operator==(std::string_view meant) const;
  bool operator==(const TomlText& other) const;

 private:
  class Bytes;

  std::string_view written_;
};

struct TomlItem {
  enum class Kind { kTable, kArrayTable, kText, kNumber, kTruth };

  Kind kind = Kind::kTable;
  int line = 0;
  TomlText name;  // of the table or the key
  // Of a key, by its kind.
  TomlText text;
  int64_t number = 0;
  bool truth = false;

  bool IsHeader() const { return kind == Kind::kTable || kind == Kind::kArrayTable; }
};

// Reads one item after the other. Copies are cheap, to look ahead with. It does not see what was
// given twice: CheckToml does.
class TomlReader {
 public:
  explicit TomlReader(std::string_view text) : rest_(text) {}

  bool Next(TomlItem* item, TomlError* error);

 private:
  bool ReadLine(std::string_view line, TomlItem* item, TomlError* error);

  std::string_view rest_;
  int line_ = 0;
};

// No more headers in a file, and keys below one, than this: what is given twice is looked for
// among all.
inline constexpr size_t kMaxTomlNames = 64;

// Whether all of `text` can be read, and nothing is given twice.
bool CheckToml(std::string_view text, TomlError* error);

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_TOML_H_
