#include "diag/systemd/environment_file.h"

#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

bool IsNewline(char c) { return c == '\n' || c == '\r'; }
bool IsSpace(char c) { return kWhitespace.find(c) != absl::string_view::npos; }

// A cursor that counts lines. CR LF is one line ending to people.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  int line() const { return line_; }

  char Take() {
    const char c = text_[at_++];
    const bool crlf = c == '\n' && at_ >= 2 && text_[at_ - 2] == '\r';
    if (IsNewline(c) && !crlf) ++line_;
    return c;
  }

 private:
  absl::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

// To the end of the line. A backslash takes the byte behind it into the comment, the
// line's end too: before systemd 254 the next line is then comment as well.
void SkipComment(Cursor* cursor) {
  while (!cursor->done()) {
    const char c = cursor->Take();
    if (IsNewline(c)) return;
    if (c == '\\' && !cursor->done()) cursor->Take();
  }
}

void TakeSingleQuoted(Cursor* cursor, std::string* value) {
  while (!cursor->done()) {
    const char c = cursor->Take();
    if (c == '\'') return;
    value->push_back(c);
  }
}

void TakeDoubleQuoted(Cursor* cursor, std::string* value) {
  while (!cursor->done()) {
    char c = cursor->Take();
    if (c == '"') return;
    if (c != '\\') {
      value->push_back(c);
      continue;
    }
    if (cursor->done()) return;
    c = cursor->Take();
    if (c == '\n') continue;
    const bool escapable = c == '"' || c == '\\' || c == '`' || c == '$';
    if (!escapable) value->push_back('\\');
    value->push_back(c);
  }
}

// The value, from behind the equals sign to the end of its line. Quotes open only
// before the first bare character: a"b" keeps its quotes, "a""b" is ab, and white
// space behind a closing quote is dropped.
std::string TakeValue(Cursor* cursor) {
  std::string value;
  bool bare = false;  // a bare character was seen: quotes mean nothing any more
  size_t kept = 0;    // trailing white space beyond this length is dropped
  while (!cursor->done()) {
    const char c = cursor->Take();
    if (IsNewline(c)) break;
    if (c == '\\') {
      bare = true;
      if (cursor->done()) break;
      const char next = cursor->Take();
      if (!IsNewline(next)) value.push_back(next);
      kept = value.size();
    } else if (!bare && c == '\'') {
      TakeSingleQuoted(cursor, &value);
      kept = value.size();
    } else if (!bare && c == '"') {
      TakeDoubleQuoted(cursor, &value);
      kept = value.size();
    } else if (!IsSpace(c)) {
      bare = true;
      value.push_back(c);
      kept = value.size();
    } else if (bare) {
      value.push_back(c);
    }
  }
  value.resize(kept);
  return value;
}

}  // namespace

EnvironmentFile ParseEnvironmentFile(absl::string_view text) {
  EnvironmentFile file;
  const auto refuse = [&file](int line, std::string message) {
    file.variables.clear();
    file.problems.push_back({.line = line, .message = std::move(message)});
    file.refused = true;
  };
  if (text.find('\0') != absl::string_view::npos) {
    refuse(1, "holds a NUL byte");  // fileio.c, read_full_stream_full
    return file;
  }
  Cursor cursor(text);
  while (!cursor.done()) {
    if (cursor.peek() == '#' || cursor.peek() == ';') {
      SkipComment(&cursor);
      continue;
    }
    if (IsSpace(cursor.peek())) {
      cursor.Take();
      continue;
    }
    const int line = cursor.line();
    std::string key;
    bool assigned = false;
    while (!cursor.done()) {
      const char c = cursor.Take();
      assigned = c == '=';
      if (assigned || IsNewline(c)) break;
      key.push_back(c);
    }
    key = std::string(StripWhitespace(key));
    if (!assigned) {
      file.problems.push_back({line, absl::StrCat("no '=', ignored: ", key)});
      continue;
    }
    std::string value = TakeValue(&cursor);
    if (!IsValidUtf8(key) || !IsValidUtf8(value)) {
      refuse(line, absl::StrCat("invalid UTF-8 in ", key));
      return file;
    }
    if (!IsEnvironmentName(key)) {
      file.problems.push_back(
          {line, absl::StrCat("Ignoring invalid environment assignment '", key, "=", value, "'")});
      continue;
    }
    file.variables.push_back({std::move(key), std::move(value), line});
  }
  return file;
}

bool IsEnvironmentName(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name[0])) return false;
  for (char c : name) {
    if (!absl::ascii_isalnum(c) && c != '_') return false;
  }
  return true;
}

}  // namespace vgpu::systemd
