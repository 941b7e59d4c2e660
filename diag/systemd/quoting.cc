#include "diag/systemd/quoting.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

bool IsSpace(char c) { return kWhitespace.find(c) != absl::string_view::npos; }

// The value of `count` digits at the front of `text`; -1 where there are fewer.
int64_t Number(absl::string_view text, size_t count, int bits, int (*digit)(char)) {
  if (text.size() < count) return -1;
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    const int d = digit(text[i]);
    if (d < 0) return -1;
    value = (value << bits) | d;
  }
  return value;
}

// Appends what the escape at the front of `text`, behind its backslash, stands for.
// Returns its length, or 0 where it is none (escape.c, cunescape_one): NUL cannot be
// written, nor a byte above 255, nor with \U what is no character.
size_t Unescape(absl::string_view text, std::string* out) {
  if (text.empty()) return 0;
  static constexpr absl::string_view kLetters = "abfnrtv\\\"'s";
  static constexpr absl::string_view kMeanings = "\a\b\f\n\r\t\v\\\"' ";
  if (const size_t at = kLetters.find(text[0]); at != absl::string_view::npos) {
    out->push_back(kMeanings[at]);
    return 1;
  }
  if (text[0] == 'x') {
    const int64_t byte = Number(text.substr(1), 2, 4, HexDigit);
    if (byte <= 0) return 0;
    out->push_back(static_cast<char>(byte));
    return 3;
  }
  if (OctalDigit(text[0]) >= 0) {
    const int64_t byte = Number(text, 3, 3, OctalDigit);
    if (byte <= 0 || byte > 255) return 0;
    out->push_back(static_cast<char>(byte));
    return 3;
  }
  if (text[0] == 'u' || text[0] == 'U') {
    const size_t digits = text[0] == 'u' ? 4 : 8;
    const int64_t code_point = Number(text.substr(1), digits, 4, HexDigit);
    if (code_point <= 0) return 0;
    if (digits == 8 && !IsValidCodePoint(static_cast<uint32_t>(code_point))) return 0;
    AppendUtf8(static_cast<uint32_t>(code_point), out);
    return digits + 1;
  }
  return 0;
}

absl::Status UnknownEscape(absl::string_view at) {
  return absl::InvalidArgumentError(absl::StrCat("unknown escape: \\", at.substr(0, 1)));
}

// As systemctl prints within quotes: a backslash before what the shell would take
// as its own, and C escapes for control characters and bytes that are not UTF-8.
// Appends one character of `text` to `out` and takes it off.
absl::Status TakeShownCharacter(absl::string_view* text, std::string* out) {
  if ((*text)[0] != '\\') {
    out->push_back((*text)[0]);
    text->remove_prefix(1);
    return absl::OkStatus();
  }
  const absl::string_view escape = text->substr(1);
  size_t length = 1;
  if (!escape.empty() && (escape[0] == '$' || escape[0] == '`' || escape[0] == '!')) {
    out->push_back(escape[0]);
  } else {
    length = Unescape(escape, out);
  }
  if (length == 0) return UnknownEscape(escape);
  text->remove_prefix(1 + length);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<std::string>> TakeWord(absl::string_view* rest, Escapes escapes) {
  absl::string_view text = *rest;
  while (!text.empty() && IsSpace(text[0])) text.remove_prefix(1);
  if (text.empty()) {
    *rest = text;
    return std::nullopt;
  }
  std::string word;
  char quote = 0;
  while (!text.empty()) {
    const char c = text[0];
    if (c == '\\' && escapes != Escapes::kKeep) {
      const absl::string_view escape = text.substr(1);
      if (escape.empty()) {
        // systemd 252: a relaxed reader keeps it, but within a quote nothing saves it.
        if (escapes != Escapes::kCRelaxed || quote != 0) {
          return absl::InvalidArgumentError("backslash at the end");
        }
        word.push_back('\\');
        text.remove_prefix(1);
      } else if (escapes == Escapes::kPlain) {
        word.push_back(escape[0]);
        text.remove_prefix(2);
      } else if (const size_t length = Unescape(escape, &word); length > 0) {
        text.remove_prefix(1 + length);
      } else if (escapes == Escapes::kCRelaxed) {
        word.push_back('\\');
        word.push_back(escape[0]);
        text.remove_prefix(2);
      } else {
        return UnknownEscape(escape);
      }
      continue;
    }
    if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
      quote = quote != 0 ? 0 : c;
    } else if (quote == 0 && IsSpace(c)) {
      break;
    } else {
      word.push_back(c);
    }
    text.remove_prefix(1);
  }
  if (quote != 0) return absl::InvalidArgumentError("unbalanced quote");
  while (!text.empty() && IsSpace(text[0])) text.remove_prefix(1);
  *rest = text;
  return std::optional<std::string>(std::move(word));
}

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text, Escapes escapes) {
  std::vector<std::string> words;
  while (true) {
    absl::StatusOr<std::optional<std::string>> word = TakeWord(&text, escapes);
    if (!word.ok()) return word.status();
    if (!word->has_value()) return words;
    words.push_back(std::move(**word));
  }
}

absl::StatusOr<std::vector<std::string>> SplitShown(absl::string_view text) {
  std::vector<std::string> words;
  while (true) {
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    if (text.empty()) return words;
    std::string word;
    if (text[0] != '"') {
      const absl::string_view bare = text.substr(0, text.find(' '));
      words.emplace_back(bare);
      text.remove_prefix(bare.size());
      continue;
    }
    text.remove_prefix(1);
    while (!text.empty() && text[0] != '"') {
      if (absl::Status status = TakeShownCharacter(&text, &word); !status.ok()) return status;
    }
    if (text.empty()) return absl::InvalidArgumentError("unbalanced quote");
    text.remove_prefix(1);
    words.push_back(std::move(word));
  }
}

absl::StatusOr<std::string> UnquotePosix(absl::string_view text) {
  if (text.substr(0, 2) != "$'") return std::string(text);
  text.remove_prefix(2);
  std::string value;
  while (!text.empty() && text[0] != '\'') {
    if (absl::Status status = TakeShownCharacter(&text, &value); !status.ok()) return status;
  }
  if (text != "'") return absl::InvalidArgumentError("unbalanced quote");
  return value;
}

}  // namespace vgpu::systemd
