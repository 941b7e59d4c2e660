#include "diag/report/redact.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/report/secret_forms.h"
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
      "(?i)(?:TOKEN|AUTH|AUTHORIZATION)(?:[^a-z]|$)|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|"
      "(?:^|[_-])PASS$|_PWD$|CREDENTIAL|COOKIE|SESSION[_-]?ID|CONNECTION[_-]?STRING|"
      "(?:^|[_-])(?:SIG|SIGNATURE|JWT|OTP)$|"
      "(?:API|ACCESS|PRIVATE|ACCOUNT|AUTH|ENCRYPTION|SIGNING|MASTER|SESSION|LICENSE|STORAGE|DEPLOY|"
      "SHARED|HMAC|SSH|WEBHOOK)[_-]?KEY",
      Bytes());
  return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), secret);
}

namespace {

bool IsMixed(absl::string_view word) {
  return std::any_of(word.begin(), word.end(), absl::ascii_isdigit) &&
         std::any_of(word.begin(), word.end(), absl::ascii_isalpha);
}

// Of tokens, and a token's own number.
bool IsCount(absl::string_view word) {
  return word.size() <= 6 && std::all_of(word.begin(), word.end(), absl::ascii_isdigit);
}

// Prose has "auth: failed", and no secret behind it; "token: hunter2" is none.
bool IsProse(absl::string_view name, absl::string_view value) {
  constexpr absl::string_view kWords[] = {"auth", "token", "pass", "otp", "signature"};
  for (absl::string_view word : kWords) {
    if (!absl::EndsWithIgnoreCase(name, word)) continue;
    // A header (X-Auth-Token) and a key of YAML (api_token) are written in one word; counts of
    // tokens are numbers.
    const bool compound = name.size() > word.size();
    return compound ? IsCount(value) : !IsMixed(value) || absl::StrContains(value, '=');
  }
  return false;
}

// PWD is the working directory, and a password to others.
bool IsPassword(absl::string_view name, absl::string_view value) {
  return absl::EqualsIgnoreCase(name, "pwd") && !value.empty() &&
         !absl::StrContains("/~.$%{(", value.front()) && !IsGap(value.front());
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

// The next word, without what closes a quotation or a clause.
absl::string_view WordAt(absl::string_view text, size_t begin) {
  while (begin < text.size() && IsBlank(text[begin])) ++begin;
  absl::string_view word = text.substr(begin, EndOfWord(text, begin) - begin);
  while (!word.empty() && absl::StrContains(".,;:)]}\"'", word.back())) word.remove_suffix(1);
  return word;
}

bool IsFlagStart(char before) { return IsGap(before) || IsQuote(before); }

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
    if (name.text.empty()) continue;
    if (!SoundsSecret(name.text) && (flag_ends || !IsPassword(name.text, text.substr(i + 1)))) {
      continue;
    }
    // `--token abc`, and `-password abc` of programs that have long options with one dash.
    const bool flag =
        absl::StartsWith(name.text, "--") ||
        (absl::StartsWith(name.text, "-") && name.text.size() > 4 && IsFlagStart(name.before));
    if (flag_ends && (name.blank_after || !flag)) continue;
    if (c == ':' && i + 1 < text.size() && IsBlank(text[i + 1]) && !name.quoted &&
        IsProse(name.text, WordAt(text, i + 1))) {
      continue;
    }
    // "BOS token        = 151643", of a model.
    if (c == '=' && name.blank_after && absl::EndsWithIgnoreCase(name.text, "token") &&
        IsCount(WordAt(text, i + 1))) {
      continue;
    }
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

// All of secret_forms.h.
class Forms {
 public:
  Forms() {
    std::string words;
    for (const SecretForm& form : TokenForms()) {
      const std::string pattern(form.pattern);
      if (RE2(pattern, Bytes()).NumberOfCapturingGroups() > 0) {
        behind_.push_back(std::make_unique<RE2>(pattern, Bytes()));
      } else {
        absl::StrAppend(&words, words.empty() ? "\\b(?:" : "|", pattern);
      }
    }
    word_ = std::make_unique<RE2>(words + ")", Bytes());
    for (const SecretForm& form : CommandForms()) {
      commands_.push_back(std::make_unique<RE2>(std::string(form.pattern), Bytes()));
    }
  }

  void Redact(std::string* text) const {
    Replace(text, *word_, kRedacted);
    if (absl::StrContains(*text, "hook")) {
      for (const auto& form : behind_) Replace(text, *form, "\\1<redacted>");
    }
    const bool options = absl::StrContains(*text, " -") ||
                         absl::StrContains(*text, absl::string_view("\0-", 2)) ||
                         absl::StrContains(*text, "\t-");
    if (!options) return;
    for (const auto& form : commands_) Replace(text, *form, "\\1<redacted>");
    // `-p hunter2` of whatever program; a port, a property, a path and a number are none.
    static const RE2& p =
        *new RE2(R"(([ \t\x00]-p[ \t\x00]+)([A-Za-z_!@#%^*+][^\s\x00/:=;|&"'<>$()]*))", Bytes());
    re2::StringPiece rest(*text), before, word;
    std::string out;
    const char* copied = text->data();
    while (RE2::FindAndConsume(&rest, p, &before, &word)) {
      if (word.size() < 6 || !IsMixed({word.data(), word.size()})) continue;
      out.append(copied, static_cast<size_t>(word.data() - copied));
      out += kRedacted;
      copied = word.data() + word.size();
    }
    out.append(copied, static_cast<size_t>(text->data() + text->size() - copied));
    *text = std::move(out);
  }

 private:
  std::unique_ptr<RE2> word_;
  std::vector<std::unique_ptr<RE2>> behind_, commands_;
};

// "login me password hunter2" (netrc(5)), "password is hunter2", "IDENTIFIED BY 'x'".
void RedactProse(std::string* text) {
  static const RE2& netrc =
      *new RE2(R"((\blogin[ \t]+[^\s]+[ \t\n]+password[ \t]+)[^\s\x00<][^\s\x00]*)", Bytes());
  static const RE2& sql =
      *new RE2(R"((?i)(\bidentified[ \t]+by[ \t]+(?:password[ \t]+)?\\?["'])[^"'\\<]+)", Bytes());
  static const RE2& quoted = *new RE2(
      R"((?i)(\b(?:password|passwd|passphrase)[ \t]+(?:is|was|to|of)?[ \t]*\\?["'])[^"'\\<]+)",
      Bytes());
  static const RE2& said = *new RE2(
      R"((?i)(\b(?:password|passwd|passphrase)[ \t]+(?:is|was|to|of)[ \t]+)([^\s\x00"'<>]*[0-9][^\s\x00"'<>]*))",
      Bytes());
  if (!absl::StrContains(*text, "ass") && !absl::StrContains(*text, "ASS") &&
      !absl::StrContains(*text, "dentified") && !absl::StrContains(*text, "DENTIFIED")) {
    return;
  }
  Replace(text, netrc, "\\1<redacted>");
  Replace(text, sql, "\\1<redacted>");
  Replace(text, quoted, "\\1<redacted>");
  Replace(text, said, "\\1<redacted>");
}

std::string Redact(absl::string_view text, bool keep_hashes) {
  // The second: an unescaped '/' in the password, which is no URL and yet is written.
  static const RE2& user = *new RE2(R"((://)[^\s\x00/?#"'<>]*@)", Bytes());
  static const RE2& user_slash = *new RE2(R"((://)[^\s\x00/:@"'<>]+:[^\s\x00"'<>]*@)", Bytes());
  static const RE2& bearer = *new RE2(R"((?i)(\bbearer[ \t]+)[a-z0-9._~+/=-]{8,})", Bytes());
  static const Forms& forms = *new Forms();
  static const RE2& pem = *new RE2(R"((?s)(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----).*?)"
                                   R"((-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$))",
                                   Bytes());
  // crypt(5): a password's hash can be tried at leisure.
  static const RE2& crypted = *new RE2(
      R"(\$(?:[1567]|y|gy|2[abxy]|argon2[id]{1,2}|scrypt)\$[A-Za-z0-9./$=,+-]{20,})", Bytes());
  // user:password@tcp(host:3306)/name, as drivers of databases have it.
  static const RE2& dsn =
      *new RE2(R"(((?:^|[\s\x00"'=])[\w.-]+:)[^\s\x00:@/"']+(@(?:tcp|unix|udp)\())", Bytes());
  // PuTTY's private keys: base64, in lines behind their number.
  static const RE2& putty =
      *new RE2(R"((?s)(Private-Lines: [0-9]+)\r?\n.*?(\r?\nPrivate-MAC|$))", Bytes());

  std::string out = RedactAssignments(text, keep_hashes);
  Replace(&out, user, "\\1<redacted>@");
  Replace(&out, user_slash, "\\1<redacted>@");
  Replace(&out, bearer, "\\1<redacted>");
  forms.Redact(&out);
  Replace(&out, crypted, "<redacted>");
  if (absl::StrContains(out, '@')) Replace(&out, dsn, "\\1<redacted>\\2");
  if (absl::StrContains(out, "PRIVATE KEY")) Replace(&out, pem, "\\1<redacted>\\2");
  if (absl::StrContains(out, "Private-Lines")) Replace(&out, putty, "\\1<redacted>\\2");
  RedactProse(&out);
  return out;
}

}  // namespace

std::string RedactSecrets(absl::string_view text) { return Redact(text, false); }
std::string RedactSecretsAroundHashes(absl::string_view text) { return Redact(text, true); }

}  // namespace vgpu::report
