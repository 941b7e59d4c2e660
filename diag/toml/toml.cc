#include "diag/toml/toml.h"

#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vgpu::toml {
namespace {

bool IsBare(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; }

void SkipBlanks(absl::string_view* rest) {
  while (!rest->empty() && (rest->front() == ' ' || rest->front() == '\t')) rest->remove_prefix(1);
}

absl::Status Wrong(absl::string_view why) { return absl::InvalidArgumentError(why); }

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | code >> 18));
    out->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// Behind "\u" or "\U": so many hexadecimal digits.
absl::Status TakeCodePoint(size_t digits, absl::string_view* rest, std::string* out) {
  uint32_t code = 0;
  if (rest->size() < digits) return Wrong("an escape is cut short");
  const char* end = rest->data() + digits;
  const auto [stop, error] = std::from_chars(rest->data(), end, code, 16);
  if (error != std::errc() || stop != end) return Wrong("an escape needs hexadecimal digits");
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return Wrong("an escape names no character");
  }
  AppendUtf8(code, out);
  rest->remove_prefix(digits);
  return absl::OkStatus();
}

// A text in quotes; `rest` begins with the quote.
absl::StatusOr<std::string> TakeText(absl::string_view* rest) {
  const char quote = rest->front();
  if (absl::StartsWith(*rest, "\"\"\"") || absl::StartsWith(*rest, "'''")) {
    return Wrong("a text over several lines is not read here");
  }
  rest->remove_prefix(1);
  std::string text;
  while (!rest->empty()) {
    const char c = rest->front();
    rest->remove_prefix(1);
    if (c == quote) return text;
    if (absl::ascii_iscntrl(c) && c != '\t') return Wrong("a control character in a text");
    if (c != '\\' || quote == '\'') {
      text.push_back(c);
      continue;
    }
    if (rest->empty()) break;
    const char escape = rest->front();
    rest->remove_prefix(1);
    switch (escape) {
      case '"':
      case '\\':
        text.push_back(escape);
        break;
      case 'b':
        text.push_back('\b');
        break;
      case 't':
        text.push_back('\t');
        break;
      case 'n':
        text.push_back('\n');
        break;
      case 'f':
        text.push_back('\f');
        break;
      case 'r':
        text.push_back('\r');
        break;
      case 'u':
      case 'U':
        if (absl::Status status = TakeCodePoint(escape == 'u' ? 4 : 8, rest, &text); !status.ok()) {
          return status;
        }
        break;
      default:
        return Wrong("a backslash that begins no escape");
    }
  }
  return Wrong("a quote that is not closed");
}

// A number without blanks in it: decimal with a sign, or 0x, 0o, 0b without one; single
// underscores between digits.
absl::StatusOr<int64_t> ParseWhole(absl::string_view word) {
  const absl::Status wrong = Wrong(absl::StrCat(
      "a text in quotes, a whole number, true or false is wanted, not `", word.substr(0, 40), "`"));
  int base = 10;
  if (absl::ConsumePrefix(&word, "0x")) base = 16;
  if (base == 10 && absl::ConsumePrefix(&word, "0o")) base = 8;
  if (base == 10 && absl::ConsumePrefix(&word, "0b")) base = 2;
  bool negative = false;
  if (base == 10 && !absl::ConsumePrefix(&word, "+")) negative = absl::ConsumePrefix(&word, "-");
  if (word.empty() || word.front() == '_' || word.back() == '_' || absl::StrContains(word, "__") ||
      (base == 10 && word.size() > 1 && word.front() == '0')) {
    return wrong;
  }
  std::string digits = negative ? "-" : "";
  for (char c : word) {
    if (c == '_') continue;
    if (!absl::ascii_isxdigit(c)) return wrong;
    digits.push_back(c);
  }
  int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (error == std::errc::result_out_of_range) return Wrong("a number that is too large");
  if (error != std::errc() || stop != end) return wrong;
  return number;
}

absl::StatusOr<Value> TakeValue(absl::string_view* rest) {
  if (rest->empty() || rest->front() == '#') return Wrong("a key without a value");
  if (rest->front() == '"' || rest->front() == '\'') {
    absl::StatusOr<std::string> text = TakeText(rest);
    if (!text.ok()) return text.status();
    return Value(*std::move(text));
  }
  if (rest->front() == '[') return Wrong("an array is not read here");
  if (rest->front() == '{') return Wrong("an inline table is not read here");
  const absl::string_view word = rest->substr(0, rest->find_first_of(" \t#"));
  rest->remove_prefix(word.size());
  if (word == "true" || word == "false") return Value(word == "true");
  absl::StatusOr<int64_t> number = ParseWhole(word);
  if (!number.ok()) return number.status();
  return Value(*number);
}

absl::StatusOr<std::string> TakeName(absl::string_view* rest) {
  if (!rest->empty() && (rest->front() == '"' || rest->front() == '\'')) return TakeText(rest);
  size_t size = 0;
  while (size < rest->size() && IsBare((*rest)[size])) ++size;
  if (size == 0) return Wrong("neither a key nor a [table]");
  std::string name(rest->substr(0, size));
  rest->remove_prefix(size);
  return name;
}

// What stands behind a header or a value: nothing, or a comment.
absl::Status ExpectEnd(absl::string_view rest) {
  SkipBlanks(&rest);
  if (rest.empty() || rest.front() == '#') return absl::OkStatus();
  return Wrong(absl::StrCat("something stands behind the end: `", rest.substr(0, 40), "`"));
}

class Parser {
 public:
  // One line without its end.
  absl::Status Line(absl::string_view line, int number) {
    SkipBlanks(&line);
    if (line.empty() || line.front() == '#') return absl::OkStatus();
    return line.front() == '[' ? Header(line, number) : Assignment(line, number);
  }

  std::vector<Table> Take() && { return std::move(tables_); }

 private:
  absl::Status Header(absl::string_view line, int number) {
    Table table;
    table.line = number;
    table.of_array = absl::StartsWith(line, "[[");
    line.remove_prefix(table.of_array ? 2 : 1);
    SkipBlanks(&line);
    absl::StatusOr<std::string> name = TakeName(&line);
    if (!name.ok()) return name.status();
    SkipBlanks(&line);
    if (absl::StartsWith(line, ".")) return Wrong("a dotted name is not read here");
    if (!absl::ConsumePrefix(&line, table.of_array ? "]]" : "]")) {
      return Wrong("a header that is not closed");
    }
    if (absl::Status status = ExpectEnd(line); !status.ok()) return status;
    table.name = *std::move(name);
    if (single_.contains(table.name) || (!table.of_array && arrays_.contains(table.name))) {
      return Wrong(absl::StrCat("the table ", table.name, " a second time"));
    }
    (table.of_array ? arrays_ : single_).insert(table.name);
    names_.clear();
    tables_.push_back(std::move(table));
    return absl::OkStatus();
  }

  absl::Status Assignment(absl::string_view line, int number) {
    absl::StatusOr<std::string> name = TakeName(&line);
    if (!name.ok()) return name.status();
    SkipBlanks(&line);
    if (absl::StartsWith(line, ".")) return Wrong("a dotted key is not read here");
    if (!absl::ConsumePrefix(&line, "=")) return Wrong("a key without `=`");
    SkipBlanks(&line);
    absl::StatusOr<Value> value = TakeValue(&line);
    if (!value.ok()) return Wrong(absl::StrCat(*name, ": ", value.status().message()));
    if (absl::Status status = ExpectEnd(line); !status.ok()) return status;
    if (!names_.insert(*name).second) return Wrong(absl::StrCat(*name, " a second time"));
    if (tables_.empty()) tables_.emplace_back();
    tables_.back().keys.push_back({*std::move(name), *std::move(value), number});
    return absl::OkStatus();
  }

  std::vector<Table> tables_;
  std::set<std::string> single_, arrays_;
  std::set<std::string> names_;  // of the last table
};

}  // namespace

absl::StatusOr<std::vector<Table>> ParseToml(absl::string_view text) {
  Parser parser;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    absl::string_view line = text.substr(0, end);
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    if (absl::Status status = parser.Line(line, number); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", status.message()));
    }
  }
  return std::move(parser).Take();
}

}  // namespace vgpu::toml
