#include "shims/device/toml.h"

#include <cstddef>

namespace vgpu::device {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsBare(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

// 16 for what is no hexadecimal digit.
uint32_t HexValue(char c) {
  if (IsDigit(c)) return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return 16;
}

void SkipBlanks(std::string_view* rest) {
  while (!rest->empty() && (rest->front() == ' ' || rest->front() == '\t')) rest->remove_prefix(1);
}

bool Consume(std::string_view prefix, std::string_view* rest) {
  if (!rest->starts_with(prefix)) return false;
  rest->remove_prefix(prefix.size());
  return true;
}

// The reason of what is wrong, in one or two parts.
class Reason {
 public:
  explicit Reason(TomlError* error) : text_(error->reason) {}

  bool Is(std::string_view why) {
    text_.Add(why);
    return false;
  }
  bool Is(std::string_view why, std::string_view quoted) {
    text_.Add(why).AddVisible(quoted.substr(0, 40)).Add("`");
    return false;
  }
  void Begin(const TomlText& name) {
    std::array<char, 128> meant;
    TextWriter writer(meant);
    name.AddTo(writer);
    text_.AddVisible(writer.view());
  }
  void Add(std::string_view text) { text_.Add(text); }

 private:
  TextWriter text_;
};

// Behind "\u" or "\U". `code` may be null.
bool TakeCodePoint(size_t digits, std::string_view* rest, uint32_t* code, Reason* reason) {
  if (rest->size() < digits) return reason->Is("an escape is cut short");
  *code = 0;
  for (size_t i = 0; i < digits; ++i) {
    const uint32_t value = HexValue((*rest)[i]);
    if (value == 16) return reason->Is("an escape needs hexadecimal digits");
    *code = *code << 4 | value;
  }
  if (*code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
    return reason->Is("an escape names no character");
  }
  rest->remove_prefix(digits);
  return true;
}

// A text in quotes, with them; `rest` begins with the quote.
bool TakeText(std::string_view* rest, TomlText* text, Reason* reason) {
  if (rest->starts_with("\"\"\"") || rest->starts_with("'''")) {
    return reason->Is("a text over several lines is not read here");
  }
  const std::string_view all = *rest;
  const char quote = rest->front();
  rest->remove_prefix(1);
  while (!rest->empty()) {
    const char c = rest->front();
    rest->remove_prefix(1);
    if (c == quote) {
      *text = TomlText(all.substr(0, all.size() - rest->size()));
      return true;
    }
    if ((static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f) {
      return reason->Is("a control character in a text");
    }
    if (c != '\\' || quote == '\'') continue;
    if (rest->empty()) break;
    const char escape = rest->front();
    rest->remove_prefix(1);
    if (escape == 'u' || escape == 'U') {
      uint32_t code;
      if (!TakeCodePoint(escape == 'u' ? 4 : 8, rest, &code, reason)) return false;
    } else if (std::string_view("\"\\btnfr").find(escape) == std::string_view::npos) {
      return reason->Is("a backslash that begins no escape");
    }
  }
  return reason->Is("a quote that is not closed");
}

bool TakeName(std::string_view* rest, TomlText* name, Reason* reason) {
  if (!rest->empty() && (rest->front() == '"' || rest->front() == '\'')) {
    return TakeText(rest, name, reason);
  }
  size_t size = 0;
  while (size < rest->size() && IsBare((*rest)[size])) ++size;
  if (size == 0) return reason->Is("neither a key nor a [table]");
  *name = TomlText(rest->substr(0, size));
  rest->remove_prefix(size);
  return true;
}

// A number without blanks in it: decimal with a sign, or 0x, 0o, 0b without one; single
// underscores between digits.
bool ParseWhole(std::string_view word, int64_t* number, Reason* reason) {
  const std::string_view all = word;
  const auto wrong = [&] {
    return reason->Is("a text in quotes, a whole number, true or false is wanted, not `", all);
  };
  uint32_t base = 10;
  if (Consume("0x", &word)) {
    base = 16;
  } else if (Consume("0o", &word)) {
    base = 8;
  } else if (Consume("0b", &word)) {
    base = 2;
  }
  bool negative = false;
  if (base == 10 && !Consume("+", &word)) negative = Consume("-", &word);
  if (word.empty() || word.front() == '_' || word.back() == '_' ||
      word.find("__") != std::string_view::npos ||
      (base == 10 && word.size() > 1 && word.front() == '0')) {
    return wrong();
  }
  for (char c : word) {
    if (c != '_' && HexValue(c) == 16) return wrong();
  }
  const uint64_t most = (uint64_t{1} << 63) - (negative ? 0 : 1);
  uint64_t value = 0;
  for (char c : word) {
    if (c == '_') continue;
    const uint64_t digit = HexValue(c);
    if (digit >= base) return wrong();
    if (value > (most - digit) / base) return reason->Is("a number that is too large");
    value = value * base + digit;
  }
  *number = static_cast<int64_t>(negative ? 0 - value : value);
  return true;
}

bool TakeValue(std::string_view* rest, TomlItem* item, Reason* reason) {
  if (rest->empty() || rest->front() == '#') return reason->Is("a key without a value");
  if (rest->front() == '"' || rest->front() == '\'') {
    item->kind = TomlItem::Kind::kText;
    return TakeText(rest, &item->text, reason);
  }
  if (rest->front() == '[') return reason->Is("an array is not read here");
  if (rest->front() == '{') return reason->Is("an inline table is not read here");
  const std::string_view word = rest->substr(0, rest->find_first_of(" \t#"));
  rest->remove_prefix(word.size());
  if (word == "true" || word == "false") {
    item->kind = TomlItem::Kind::kTruth;
    item->truth = word == "true";
    return true;
  }
  item->kind = TomlItem::Kind::kNumber;
  return ParseWhole(word, &item->number, reason);
}

// What stands behind a header or a value: nothing, or a comment.
bool ExpectEnd(std::string_view rest, Reason* reason) {
  SkipBlanks(&rest);
  if (rest.empty() || rest.front() == '#') return true;
  return reason->Is("something stands behind the end: `", rest);
}

// The names that were given, to see one that comes again.
class Names {
 public:
  struct Name {
    TomlText text;
    bool of_array = false;
  };

  // Null where `text` was not given.
  const Name* Find(const TomlText& text) const {
    for (size_t i = 0; i < size_; ++i) {
      if (names_[i].text == text) return &names_[i];
    }
    return nullptr;
  }
  bool Full() const { return size_ == kMaxTomlNames; }
  void Add(const Name& name) { names_[size_++] = name; }
  void Clear() { size_ = 0; }

 private:
  size_t size_ = 0;
  std::array<Name, kMaxTomlNames> names_;
};

}  // namespace

// The bytes that a text means, one after the other.
class TomlText::Bytes {
 public:
  explicit Bytes(std::string_view written) : rest_(written) {
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return;
    escapes_ = rest_.front() == '"';
    rest_ = rest_.substr(1, rest_.size() - 2);
  }

  // -1 at the end.
  int Next() {
    if (next_ < pending_size_) return static_cast<uint8_t>(pending_[next_++]);
    if (rest_.empty()) return -1;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != '\\' || !escapes_) return static_cast<uint8_t>(c);
    const char escape = rest_.front();
    rest_.remove_prefix(1);
    switch (escape) {
      case 'b':
        return '\b';
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'f':
        return '\f';
      case 'r':
        return '\r';
      case 'u':
      case 'U':
        return CodePoint(escape == 'u' ? 4 : 8);
      default:
        return escape;
    }
  }

 private:
  int CodePoint(size_t digits) {
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i) code = code << 4 | HexValue(rest_[i]);
    rest_.remove_prefix(digits);
    if (code < 0x80) return static_cast<int>(code);
    pending_size_ = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = pending_size_; i-- > 1; code >>= 6) {
      pending_[i] = static_cast<uint8_t>(0x80 | (code & 0x3f));
    }
    pending_[0] = static_cast<uint8_t>((0xf00 >> pending_size_ & 0xff) | code);
    next_ = 1;
    return pending_[0];
  }

  std::string_view rest_;
  bool escapes_ = false;
  std::array<uint8_t, 4> pending_ = {};
  size_t pending_size_ = 0;
  size_t next_ = 0;
};

void TomlText::AddTo(TextWriter& out) const {
  Bytes bytes(written_);
  for (int byte = bytes.Next(); byte >= 0; byte = bytes.Next()) {
    out.AddByte(static_cast<char>(byte));
  }
}

bool TomlText::operator==(std::string_view meant) const {
  Bytes bytes(written_);
  for (char c : meant) {
    if (bytes.Next() != static_cast<uint8_t>(c)) return false;
  }
  return bytes.Next() == -1;
}

bool TomlText::operator==(const TomlText& other) const {
  Bytes ours(written_), theirs(other.written_);
  while (true) {
    const int byte = ours.Next();
    if (byte != theirs.Next()) return false;
    if (byte == -1) return true;
  }
}

bool TomlReader::Next(TomlItem* item, TomlError* error) {
  while (!rest_.empty()) {
    const size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    SkipBlanks(&line);
    if (line.empty() || line.front() == '#') continue;
    *item = TomlItem();
    item->line = line_;
    if (ReadLine(line, item, error)) return true;
    error->line = line_;
    rest_ = {};
    return false;
  }
  return false;
}

bool TomlReader::ReadLine(std::string_view line, TomlItem* item, TomlError* error) {
  Reason reason(error);
  if (line.front() == '[') {
    const bool of_array = line.starts_with("[[");
    item->kind = of_array ? TomlItem::Kind::kArrayTable : TomlItem::Kind::kTable;
    line.remove_prefix(of_array ? 2 : 1);
    SkipBlanks(&line);
    if (!TakeName(&line, &item->name, &reason)) return false;
    SkipBlanks(&line);
    if (line.starts_with(".")) return reason.Is("a dotted name is not read here");
    if (!Consume(of_array ? "]]" : "]", &line)) return reason.Is("a header that is not closed");
    return ExpectEnd(line, &reason);
  }
  if (!TakeName(&line, &item->name, &reason)) return false;
  SkipBlanks(&line);
  if (line.starts_with(".")) return reason.Is("a dotted key is not read here");
  if (!Consume("=", &line)) return reason.Is("a key without `=`");
  SkipBlanks(&line);
  // What is wrong with a value is said with the name of its key before it.
  TomlError of_value;
  Reason value_reason(&of_value);
  if (!TakeValue(&line, item, &value_reason)) {
    reason.Begin(item->name);
    reason.Add(": ");
    return reason.Is(of_value.reason.data());
  }
  return ExpectEnd(line, &reason);
}

bool CheckToml(std::string_view text, TomlError* error) {
  *error = TomlError();
  Names tables, keys;
  TomlReader reader(text);
  TomlItem item;
  while (reader.Next(&item, error)) {
    Names& names = item.IsHeader() ? tables : keys;
    if (item.IsHeader()) keys.Clear();
    const bool of_array = item.kind == TomlItem::Kind::kArrayTable;
    const Names::Name* before = names.Find(item.name);
    if (before != nullptr && before->of_array && of_array) continue;
    error->line = item.line;
    Reason reason(error);
    if (before != nullptr) {
      if (item.IsHeader()) reason.Add("the table ");
      reason.Begin(item.name);
      return reason.Is(" a second time");
    }
    if (names.Full()) {
      return reason.Is(item.IsHeader() ? "too many tables" : "too many keys in one table");
    }
    error->line = 0;
    names.Add({item.name, of_array});
  }
  return error->line == 0;
}

}  // namespace vgpu::device
