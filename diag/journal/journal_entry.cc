#include "diag/journal/journal_entry.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace vgpu::journal {
namespace {

constexpr size_t kNone = absl::string_view::npos;

// What a field's value says, whatever its form.
struct Value {
  bool any = false;       // there was one that is not null
  bool null = false;      // there was a null
  bool as_bytes = false;  // an array of byte values
  std::string text;

  void Add(absl::string_view more) {
    if (any) text.push_back('\n');
    any = true;
    text.append(more.data(), more.size());
  }
};

// A reader of JSON that goes over the text once. Each Take… and Skip… returns false at
// the first error, which stays.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  absl::StatusOr<JournalEntry> Entry() {
    JournalEntry entry;
    if (!Object(&entry)) {
      return absl::InvalidArgumentError(
          absl::StrCat("journal entry: byte ", at_ + 1, ": ", error_));
    }
    return entry;
  }

 private:
  bool Fail(absl::string_view reason) {
    error_ = reason;
    return false;
  }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  // The next character behind white space; NUL at the end.
  char Peek() {
    SkipSpace();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  bool Object(JournalEntry* entry) {
    if (!Take('{')) return Fail("not a JSON object");
    if (!Take('}')) {
      do {
        absl::string_view key;
        if (!Name(&key) || !Field(key, entry)) return false;
      } while (Take(','));
      if (!Take('}')) return Fail("neither a comma nor the object's end");
    }
    SkipSpace();
    return at_ == text_.size() || Fail("text behind the object");
  }

  bool Field(absl::string_view key, JournalEntry* entry) {
    std::string* text = TextField(key, entry);
    const bool number = key == "__REALTIME_TIMESTAMP" || key == "__MONOTONIC_TIMESTAMP" ||
                        key == "_PID" || key == "PRIORITY";
    if (text == nullptr && !number && key != "MESSAGE") return SkipValue();
    Value value;
    if (!TakeValue(&value)) return false;
    if (text != nullptr) {
      *text = std::move(value.text);
    } else if (number) {
      SetNumber(key, value, entry);
    } else {
      entry->message_as_bytes = value.as_bytes;
      if (value.any) {
        entry->message = std::move(value.text);
      } else if (value.null) {
        entry->message = host::NotObserved{"too long for journalctl without --all"};
      } else {
        entry->message = host::Absent{};
      }
    }
    return true;
  }

  static std::string* TextField(absl::string_view key, JournalEntry* entry) {
    switch (key.empty() ? '\0' : key[0]) {
      case '_':
        if (key == "_BOOT_ID") return &entry->boot_id;
        if (key == "_COMM") return &entry->comm;
        if (key == "_SYSTEMD_UNIT") return &entry->systemd_unit;
        if (key == "_SYSTEMD_INVOCATION_ID") return &entry->systemd_invocation;
        if (key == "_TRANSPORT") return &entry->transport;
        return nullptr;
      case 'C':
        return key == "CODE_FUNC" ? &entry->code_func : nullptr;
      case 'E':
        if (key == "EXIT_CODE") return &entry->exit_code;
        return key == "EXIT_STATUS" ? &entry->exit_status : nullptr;
      case 'I':
        return key == "INVOCATION_ID" ? &entry->invocation : nullptr;
      case 'J':
        return key == "JOB_RESULT" ? &entry->job_result : nullptr;
      case 'M':
        return key == "MESSAGE_ID" ? &entry->message_id : nullptr;
      case 'S':
        return key == "SYSLOG_IDENTIFIER" ? &entry->identifier : nullptr;
      case 'U':
        return key == "UNIT" ? &entry->unit : nullptr;
      default:
        return nullptr;
    }
  }

  static void SetNumber(absl::string_view key, const Value& value, JournalEntry* entry) {
    int64_t number = 0;
    const bool good = absl::SimpleAtoi(value.text, &number) && number >= 0;
    if (key == "_PID") {
      entry->pid = good ? std::optional<int64_t>(number) : std::nullopt;
    } else if (key == "PRIORITY") {
      entry->priority = good && number <= 7 ? std::optional<int64_t>(number) : std::nullopt;
    } else if (key == "__REALTIME_TIMESTAMP") {
      if (good) {
        entry->realtime = absl::FromUnixMicros(number);
      } else {
        entry->realtime = host::NotObserved{"__REALTIME_TIMESTAMP: not a number"};
      }
    } else if (good) {
      entry->monotonic = absl::Microseconds(number);
    } else {
      entry->monotonic = host::NotObserved{"__MONOTONIC_TIMESTAMP: not a number"};
    }
  }

  // The text between the quotes, escapes untouched.
  bool RawString(absl::string_view* out) {
    if (!Take('"')) return Fail("not a string");
    const size_t start = at_;
    while (true) {
      const size_t quote = text_.find('"', at_);
      if (quote == kNone) return Fail("a string does not end");
      size_t slashes = 0;
      while (quote - slashes > start && text_[quote - slashes - 1] == '\\') ++slashes;
      at_ = quote + 1;
      if (slashes % 2 == 0) {
        *out = text_.substr(start, quote - start);
        return true;
      }
    }
  }

  static int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  // Four hexadecimal digits at `from`, or -1.
  static int32_t Hex4(absl::string_view text, size_t from) {
    if (from > text.size() || text.size() - from < 4) return -1;
    int32_t value = 0;
    for (size_t i = from; i < from + 4; ++i) {
      const int digit = HexDigit(text[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  static void AppendUtf8(uint32_t rune, std::string* out) {
    if (rune < 0x80) {
      out->push_back(static_cast<char>(rune));
      return;
    }
    if (rune < 0x800) {
      out->push_back(static_cast<char>(0xc0 | (rune >> 6)));
    } else if (rune < 0x10000) {
      out->push_back(static_cast<char>(0xe0 | (rune >> 12)));
      out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3f)));
    } else {
      out->push_back(static_cast<char>(0xf0 | (rune >> 18)));
      out->push_back(static_cast<char>(0x80 | ((rune >> 12) & 0x3f)));
      out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3f)));
    }
    out->push_back(static_cast<char>(0x80 | (rune & 0x3f)));
  }

  bool Unescape(absl::string_view raw, std::string* out) {
    out->clear();
    out->reserve(raw.size());
    size_t i = 0;
    while (i < raw.size()) {
      const size_t slash = raw.find('\\', i);
      const size_t end = slash == kNone ? raw.size() : slash;
      out->append(raw.data() + i, end - i);
      if (slash == kNone) return true;
      // RawString leaves no lone backslash at the end.
      const char c = raw[slash + 1];
      i = slash + 2;
      switch (c) {
        case '"':
        case '\\':
        case '/':
          out->push_back(c);
          break;
        case 'b':
          out->push_back('\b');
          break;
        case 'f':
          out->push_back('\f');
          break;
        case 'n':
          out->push_back('\n');
          break;
        case 'r':
          out->push_back('\r');
          break;
        case 't':
          out->push_back('\t');
          break;
        case 'u': {
          int32_t unit = Hex4(raw, i);
          if (unit < 0) return Fail("\\u without four hexadecimal digits");
          i += 4;
          if (unit >= 0xd800 && unit < 0xdc00 && raw.substr(i, 2) == "\\u") {
            const int32_t second = Hex4(raw, i + 2);
            if (second >= 0xdc00 && second < 0xe000) {
              unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
              i += 6;
            }
          }
          if (unit >= 0xd800 && unit < 0xe000) unit = 0xfffd;  // half a pair
          AppendUtf8(static_cast<uint32_t>(unit), out);
          break;
        }
        default:
          return Fail("an escape that JSON does not know");
      }
    }
    return true;
  }

  // A number, true, false or null, as it stands.
  bool Word(absl::string_view* out) {
    SkipSpace();
    const size_t start = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    *out = text_.substr(start, at_ - start);
    if (*out == "null" || *out == "true" || *out == "false") return true;
    double number = 0;
    const char first = out->empty() ? '\0' : (*out)[0];
    const bool numeric = first == '-' || (first >= '0' && first <= '9');
    if (numeric && out->size() <= 400 && absl::SimpleAtod(*out, &number)) return true;
    at_ = start;
    return Fail("not a value");
  }

  static bool IsWordByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '+' || c == '.';
  }

  // One value that is not an array.
  bool Scalar(Value* value) {
    if (Peek() == '"') {
      absl::string_view raw;
      if (!RawString(&raw)) return false;
      std::string text;
      if (!Unescape(raw, &text)) return false;
      value->Add(text);
      return true;
    }
    absl::string_view word;
    if (!Word(&word)) return false;
    if (word == "null") {
      value->null = true;
    } else {
      value->Add(word);
    }
    return true;
  }

  // Byte values up to the closing bracket; the opening one is taken, and the array is
  // not empty.
  bool Bytes(Value* value) {
    std::string bytes;
    do {
      SkipSpace();
      unsigned number = 0;
      const size_t start = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && number <= 255) {
        number = number * 10 + static_cast<unsigned>(text_[at_++] - '0');
      }
      if (at_ == start || number > 255) return Fail("not a byte value");
      bytes.push_back(static_cast<char>(number));
    } while (Take(','));
    if (!Take(']')) return Fail("an array of byte values does not end");
    value->as_bytes = true;
    value->Add(bytes);
    return true;
  }

  bool TakeValue(Value* value) {
    if (Peek() == '{') return SkipValue();
    if (!Take('[')) return Scalar(value);
    if (Take(']')) {
      value->Add("");  // no byte
      return true;
    }
    if (Peek() >= '0' && Peek() <= '9') return Bytes(value);
    do {  // the field's values, one after the other
      if (Take('[')) {
        if (Take(']')) {
          value->Add("");
        } else if (!Bytes(value)) {
          return false;
        }
      } else if (!Scalar(value)) {
        return false;
      }
    } while (Take(','));
    return Take(']') || Fail("an array does not end");
  }

  // The name of a member, and its colon.
  bool Name(absl::string_view* key) {
    if (!RawString(key)) return false;
    return Take(':') || Fail("no colon behind a name");
  }

  // Any value, without recursion.
  bool SkipValue() {
    constexpr int kMaxDepth = 64;
    uint64_t objects = 0;  // one bit per open container, the innermost lowest: an object?
    int depth = 0;
    absl::string_view ignored;
    while (true) {
      // A value begins here.
      const char c = Peek();
      if (c == '{' || c == '[') {
        ++at_;
        if (depth == kMaxDepth) return Fail("nested too deeply");
        if (!Take(c == '{' ? '}' : ']')) {
          ++depth;
          objects = objects << 1 | (c == '{' ? 1 : 0);
          if (c == '{' && !Name(&ignored)) return false;
          continue;
        }
      } else if (c == '"' ? !RawString(&ignored) : !Word(&ignored)) {
        return false;
      }
      // It ended here, and so may what holds it.
      while (depth > 0 && !Take(',')) {
        if (!Take((objects & 1) != 0 ? '}' : ']')) {
          return Fail("neither a comma nor the container's end");
        }
        objects >>= 1;
        --depth;
      }
      if (depth == 0) return true;
      if ((objects & 1) != 0 && !Name(&ignored)) return false;
    }
  }

  const absl::string_view text_;
  size_t at_ = 0;
  absl::string_view error_;
};

}  // namespace

absl::StatusOr<JournalEntry> ParseJournalEntry(absl::string_view line) {
  return Reader(line).Entry();
}

}  // namespace vgpu::journal
