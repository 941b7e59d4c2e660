#include "diag/report/redact.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "re2/re2.h"

namespace vgpu::report {
namespace {

constexpr char kRedacted[] = "<redacted>";

// Longer names than this are not looked at beyond it.
constexpr size_t kLongestName = 128;

bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; }
bool IsQuote(char c) { return c == '"' || c == '\''; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }
// What separates words; NUL does in /proc/PID/environ and cmdline.
bool IsGap(char c) { return absl::ascii_isspace(c) || c == '\0'; }

RE2::Options Bytes() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

}  // namespace

bool SoundsSecret(absl::string_view name) {
  // TOKEN and AUTH end a word: "n_tokens", "tokenizer" and "author" hold no secrets.
  static const RE2& secret = *new RE2(
      "(?i)(?:TOKEN|AUTH|AUTHORIZATION)(?:[^a-z]|$)|SECRET|PASSWORD|PASSWD|PASSPHRASE|_PWD$|"
      "API[_-]?KEY|ACCESS[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIAL|COOKIE",
      Bytes());
  return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), secret);
}

namespace {

// Prose has "auth: failed", and no secret behind it.
bool SoundsLikeProse(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, "auth") || absl::EndsWithIgnoreCase(name, "token");
}

// A name, and what stands around it: `"name" =`.
struct Name {
  absl::string_view text;
  char before = '\n';   // the byte before it; '\n' at the beginning
  bool quoted = false;  // in quotes of its own, as in JSON
  bool blank_after = false;
};

// The name that ends at `separator`, not reaching back over `from`.
Name NameBefore(absl::string_view text, size_t from, size_t separator) {
  Name name;
  size_t end = separator;
  while (end > from && separator - end < 8 && IsBlank(text[end - 1])) --end;
  name.blank_after = end != separator;
  if (end > from && IsQuote(text[end - 1])) {
    name.quoted = true;
    --end;
    if (end > from && text[end - 1] == '\\') --end;  // JSON inside a quoted string
  }
  size_t begin = end;
  while (begin > from && end - begin < kLongestName && IsNameByte(text[begin - 1])) --begin;
  name.text = text.substr(begin, end - begin);
  if (begin > 0) name.before = text[begin - 1];
  return name;
}

// Just behind the next `quote` that no backslash escapes, or the end.
size_t EndOfQuoted(absl::string_view text, size_t begin, char quote) {
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i;
    }
  }
  return text.size();
}

// Whether a new NAME= (or NAME:) begins at `i`.
bool BeginsAssignment(absl::string_view text, size_t i, char separator) {
  const size_t begin = i;
  while (i < text.size() && i - begin < kLongestName && IsNameByte(text[i])) ++i;
  return i > begin && i < text.size() && text[i] == separator;
}

// The end of a value that ends where the line does, or the next assignment begins.
size_t EndOfLoose(absl::string_view text, size_t begin, char separator, bool in_map) {
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\0' || (in_map && text[i] == ']')) return i;
    if (IsBlank(text[i]) && BeginsAssignment(text, i + 1, separator)) return i;
  }
  return text.size();
}

size_t EndOfWord(absl::string_view text, size_t begin) {
  size_t i = begin;
  while (i < text.size() && !IsGap(text[i])) i += text[i] == '\\' ? 2 : 1;
  return std::min(i, text.size());
}

bool IsScheme(absl::string_view word) {
  return absl::EqualsIgnoreCase(word, "bearer") || absl::EqualsIgnoreCase(word, "basic") ||
         absl::EqualsIgnoreCase(word, "digest") || absl::EqualsIgnoreCase(word, "token") ||
         absl::EqualsIgnoreCase(word, "negotiate");
}

struct Span {
  size_t begin = 0;
  size_t end = 0;
};

Span ValueAfter(absl::string_view text, const Name& name, size_t separator, bool in_map) {
  const char kind = text[separator];
  Span value = {separator + 1, separator + 1};
  // `name = value` and `name: value`; but NAME= ends there.
  if (kind != '=' || name.blank_after || name.quoted) {
    while (value.begin < text.size() && value.begin - separator <= 8 && IsBlank(text[value.begin]))
      ++value.begin;
  }
  if (value.begin == text.size()) return {text.size(), text.size()};
  const absl::string_view rest = text.substr(value.begin);

  if (absl::StartsWith(rest, "\\\"")) {
    value.begin += 2;
    value.end = std::min(text.find("\\\"", value.begin), text.size());
    return value;
  }
  if (IsQuote(rest[0])) {
    value.begin += 1;
    value.end = EndOfQuoted(text, value.begin, rest[0]);
    return value;
  }
  // "NAME=value with blanks", as systemd and shells quote it.
  if (IsQuote(name.before) && !name.quoted) {
    value.end = EndOfQuoted(text, value.begin, name.before);
    return value;
  }
  // A map as Go prints it, a line of an EnvironmentFile, a header, an environ.
  const bool own_line = name.before == '\n' || name.before == '\0';
  if (kind == ':' ? in_map || own_line : own_line && kind == '=') {
    value.end = kind == ':' && !in_map ? std::min(text.find('\n', value.begin), text.size())
                                       : EndOfLoose(text, value.begin, kind, in_map);
    return value;
  }
  value.end = EndOfWord(text, value.begin);
  if (IsScheme(text.substr(value.begin, value.end - value.begin)) && value.end < text.size())
    value.end = EndOfWord(text, value.end + 1);
  // Brackets and quotes around the assignment are not part of it.
  while (value.end > value.begin && absl::StrContains("])}\"',;", text[value.end - 1])) --value.end;
  return value;
}

bool IsSetting(absl::string_view value) {
  value = absl::StripAsciiWhitespace(value);
  return value.empty() || absl::EqualsIgnoreCase(value, "true") ||
         absl::EqualsIgnoreCase(value, "false") || value == "null";
}

// Of a text that begins with a keyed hash, how long that is; else 0.
size_t HashLength(absl::string_view text) {
  static const RE2& hash = *new RE2(R"(<redacted:[0-9a-f]{16}>)", Bytes());
  constexpr size_t kLength = 27;
  return RE2::FullMatch(re2::StringPiece(text.data(), std::min(text.size(), kLength)), hash)
             ? kLength
             : 0;
}

std::string RedactAssignments(absl::string_view text, bool keep_hashes) {
  std::string out;
  size_t copied = 0;  // of `text` into `out`
  bool in_map = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[') in_map = absl::EndsWith(text.substr(0, i), "map");
    if (c == ']') in_map = false;
    const bool flag_ends = c == ' ' || c == '\0';  // --token abc
    if (c != '=' && c != ':' && !flag_ends) continue;

    const Name name = NameBefore(text, copied, i);
    if (name.text.empty() || !SoundsSecret(name.text)) continue;
    if (flag_ends && (name.blank_after || !absl::StartsWith(name.text, "--"))) continue;
    if (c == ':' && i + 1 < text.size() && IsBlank(text[i + 1]) && SoundsLikeProse(name.text) &&
        !name.quoted)
      continue;
    const Span value = ValueAfter(text, name, i, in_map);
    const absl::string_view secret = text.substr(value.begin, value.end - value.begin);
    if (IsSetting(secret)) continue;
    if (const size_t hash = keep_hashes ? HashLength(text.substr(value.begin)) : 0; hash > 0) {
      i = value.begin + hash - 1;
      continue;
    }
    absl::StrAppend(&out, text.substr(copied, value.begin - copied), kRedacted);
    // What follows keeps its line number.
    if (keep_hashes) out.append(std::count(secret.begin(), secret.end(), '\n'), '\n');
    copied = value.end;
    i = value.end - 1;
  }
  absl::StrAppend(&out, text.substr(copied));
  return out;
}

void Replace(std::string* text, const RE2& form, absl::string_view by) {
  RE2::GlobalReplace(text, form, re2::StringPiece(by.data(), by.size()));
}

std::string Redact(absl::string_view text, bool keep_hashes) {
  // The second: an unescaped '/' in the password, which is no URL and yet is written.
  static const RE2& user = *new RE2(R"((://)[^\s\x00/?#"'<>]*@)", Bytes());
  static const RE2& user_slash = *new RE2(R"((://)[^\s\x00/:@"'<>]+:[^\s\x00"'<>]*@)", Bytes());
  static const RE2& bearer = *new RE2(R"((?i)(\bbearer[ \t]+)[a-z0-9._~+/=-]{8,})", Bytes());
  // Prefixes as their issuers document them: GitHub, Hugging Face, NVIDIA, OpenAI and
  // its like, GitLab, Slack, AWS; then a JSON Web Token (RFC 7519).
  static const RE2& token =
      *new RE2(R"(\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|hf_[A-Za-z0-9]{16,}|)"
               R"(nvapi-[\w-]{16,}|sk-[\w-]{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|)"
               R"((?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?))",
               Bytes());
  static const RE2& pem =
      *new RE2(R"((?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|$))",
               Bytes());

  std::string out = RedactAssignments(text, keep_hashes);
  Replace(&out, user, "\\1<redacted>@");
  Replace(&out, user_slash, "\\1<redacted>@");
  Replace(&out, bearer, "\\1<redacted>");
  Replace(&out, token, "<redacted>");
  Replace(&out, pem, "\\1<redacted>\\2");
  return out;
}

}  // namespace

std::string RedactSecrets(absl::string_view text) { return Redact(text, false); }
std::string RedactSecretsAroundHashes(absl::string_view text) { return Redact(text, true); }

}  // namespace vgpu::report
