#include "diag/logfmt/slog.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace vgpu::logfmt {
namespace {

constexpr size_t kNone = absl::string_view::npos;

bool AllDigits(absl::string_view text) {
  for (char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

// Does `text` begin with the shape, in which '0' stands for any digit?
bool HasShape(absl::string_view text, absl::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool same = shape[i] == '0' ? absl::ascii_isdigit(static_cast<unsigned char>(text[i]))
                                      : text[i] == shape[i];
    if (!same) return false;
  }
  return true;
}

// slog.Level.String: a name, and the distance from it where there is one
// ("DEBUG-4"); Ollama names level -8 TRACE (logutil, v0.7.0).
bool IsLevel(absl::string_view text) {
  const size_t name_end = text.find_first_of("+-");
  const absl::string_view name = text.substr(0, name_end);
  if (name != "DEBUG" && name != "INFO" && name != "WARN" && name != "ERROR" && name != "TRACE") {
    return false;
  }
  return name_end == kNone ||
         (text.size() - name_end <= 12 && AllDigits(text.substr(name_end + 1)));
}

absl::string_view FirstWord(absl::string_view text) { return text.substr(0, text.find(' ')); }

constexpr absl::string_view kTimeShape = "time=0000-00-00T00:00:00";
constexpr absl::string_view kWallShape = "0000/00/00 00:00:00";

bool StartsTextRecord(absl::string_view text) {
  if (!HasShape(text, kTimeShape)) return false;
  const size_t level = FirstWord(text).size();
  return absl::StartsWith(text.substr(level), " level=");
}

// "2025/05/03 10:00:00[.000000] [file.go:12: ]INFO": the pieces, or nothing.
struct DefaultHead {
  absl::string_view file_and_line;
  absl::string_view level;
  absl::string_view rest;  // behind the level
};

std::optional<DefaultHead> ParseDefaultHead(absl::string_view text) {
  if (!HasShape(text, kWallShape)) return std::nullopt;
  text.remove_prefix(kWallShape.size());
  if (absl::StartsWith(text, ".")) {  // log.Lmicroseconds
    text.remove_prefix(1);
    while (!text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) {
      text.remove_prefix(1);
    }
  }
  if (!absl::ConsumePrefix(&text, " ")) return std::nullopt;
  DefaultHead head;
  head.level = FirstWord(text);
  if (absl::EndsWith(head.level, ":")) {  // log.Lshortfile
    head.file_and_line = head.level.substr(0, head.level.size() - 1);
    text.remove_prefix(head.level.size());
    if (!absl::ConsumePrefix(&text, " ")) return std::nullopt;
    head.level = FirstWord(text);
  }
  if (!IsLevel(head.level)) return std::nullopt;
  head.rest = text.substr(head.level.size());
  return head;
}

void AppendUtf8(uint32_t rune, std::string* out) {
  if (rune < 0x80) {
    out->push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out->push_back(static_cast<char>(0xc0 | (rune >> 6)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3f)));
  } else if (rune < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | (rune >> 12)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | (rune >> 18)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 12) & 0x3f)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3f)));
  }
}

std::optional<uint32_t> ParseDigits(absl::string_view text, uint32_t base) {
  uint32_t value = 0;
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    uint32_t digit = 16;
    if (absl::ascii_isdigit(u)) digit = u - '0';
    if (absl::ascii_isxdigit(u) && !absl::ascii_isdigit(u))
      digit = absl::ascii_tolower(u) - 'a' + 10;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

// Reads one escape (behind its backslash) as strconv.Quote writes them; returns how
// many bytes it took, 0 where Go would not have written it.
size_t Unescape(absl::string_view text, std::string* out) {
  if (text.empty()) return 0;
  constexpr absl::string_view kNames = "abfnrtv\\\"'";
  constexpr absl::string_view kValues = "\a\b\f\n\r\t\v\\\"'";
  if (const size_t i = kNames.find(text[0]); i != kNone) {
    out->push_back(kValues[i]);
    return 1;
  }
  size_t digits = 0;
  size_t skip = 1;
  uint32_t base = 16;
  switch (text[0]) {
    case 'x':
      digits = 2;
      break;
    case 'u':
      digits = 4;
      break;
    case 'U':
      digits = 8;
      break;
    default:
      digits = 3;
      skip = 0;
      base = 8;
  }
  if (text.size() < skip + digits) return 0;
  const std::optional<uint32_t> value = ParseDigits(text.substr(skip, digits), base);
  if (!value.has_value()) return 0;
  if (digits <= 3) {  // a byte
    if (*value > 0xff) return 0;
    out->push_back(static_cast<char>(*value));
  } else {  // a character
    if (*value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) return 0;
    AppendUtf8(*value, out);
  }
  return skip + digits;
}

// Takes a word from the front of `text`: quoted, or up to a space or one of `stops`.
// False where the word is not one that slog writes whole.
bool TakeWord(absl::string_view stops, absl::string_view* text, std::string* word) {
  word->clear();
  if (!absl::ConsumePrefix(text, "\"")) {
    size_t end = 0;
    while (end < text->size() && (*text)[end] != ' ' && stops.find((*text)[end]) == kNone) ++end;
    word->assign(text->data(), end);
    text->remove_prefix(end);
    return true;
  }
  bool good = true;
  while (true) {
    const size_t end = text->find_first_of("\"\\");
    if (end == kNone) {  // cut
      word->append(text->data(), text->size());
      text->remove_prefix(text->size());
      return false;
    }
    word->append(text->data(), end);
    const char c = (*text)[end];
    text->remove_prefix(end + 1);
    if (c == '"') return good;
    const size_t used = Unescape(*text, word);
    if (used == 0) {
      word->push_back('\\');
      good = false;
    }
    text->remove_prefix(used);
  }
}

void SetSource(absl::string_view text, SlogLine* line) {
  const size_t colon = text.rfind(':');
  int number = 0;
  if (colon != kNone && absl::SimpleAtoi(text.substr(colon + 1), &number) && number >= 0) {
    line->source_file = std::string(text.substr(0, colon));
    line->source_line = number;
  } else {
    line->source_file = std::string(text);
  }
}

// key=value pairs up to the end, or to the next record.
void ParseAttrs(absl::string_view text, bool builtin, SlogLine* line) {
  bool has_level = !builtin;
  bool has_source = !builtin;
  bool has_msg = !builtin;
  bool has_time = !builtin;
  bool first = true;
  std::string key;
  std::string value;
  while (true) {
    while (absl::ConsumePrefix(&text, " ")) {
    }
    if (text.empty()) break;
    if (!first && StartsTextRecord(text)) {
      line->after = std::string(text);
      break;
    }
    first = false;
    bool good = TakeWord("=", &text, &key);
    if (!absl::ConsumePrefix(&text, "=")) {  // somebody else's text
      line->complete = false;
      // A quote that stands alone ends the word: no byte is read twice.
      continue;
    }
    const bool quoted = absl::StartsWith(text, "\"");
    good &= TakeWord("", &text, &value);
    // slog quotes a value with '=' or '"' in it, and puts a space behind a value.
    if (!quoted && value.find_first_of("=\"") != kNone) good = false;
    if (!text.empty() && text[0] != ' ') good = false;
    if (!good) line->complete = false;

    if (key == "time" && !has_time) {
      has_time = true;
      std::string error;
      absl::Time time;
      if (value.size() <= 64 && absl::ParseTime(absl::RFC3339_full, value, &time, &error)) {
        line->time = time;
      } else {
        line->time = host::NotObserved{absl::StrCat("time: not RFC 3339: ", value.substr(0, 64))};
      }
    } else if (key == "level" && !has_level) {
      has_level = true;
      line->level = value;
    } else if (key == "source" && !has_source) {
      has_source = true;
      SetSource(value, line);
    } else if (key == "msg" && !has_msg) {
      has_msg = true;
      has_level = has_source = has_time = true;  // what follows is the caller's
      line->msg = value;
    } else {
      line->attrs.push_back({key, value});
    }
  }
  if (!has_msg) line->complete = false;
}

// Where a default record's message ends: before the first " key=".
size_t MessageEnd(absl::string_view text) {
  size_t word = 0;  // the start of the current word
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') word = i + 1;
    if (text[i] == '=' && i > word) return word;
    if (text[i] == '"' && i == word) {  // a quoted key: "total vram"=…
      const size_t end = text.find('"', i + 1);
      if (end == kNone) return text.size();
      if (end + 1 < text.size() && text[end + 1] == '=' && end > i + 1) return word;
      i = end;
    }
  }
  return text.size();
}

SlogLine ParseDefault(absl::string_view text, const DefaultHead& head) {
  SlogLine line;
  absl::CivilSecond second;
  std::string stamp(text.substr(0, kWallShape.size()));
  stamp[4] = stamp[7] = '-';
  stamp[10] = 'T';
  if (absl::ParseCivilTime(stamp, &second)) {
    line.wall_time = second;
  } else {
    line.complete = false;
  }
  line.level = std::string(head.level);
  if (!head.file_and_line.empty()) SetSource(head.file_and_line, &line);
  const absl::string_view rest = absl::StripPrefix(head.rest, " ");
  const size_t end = MessageEnd(rest);
  line.msg = std::string(absl::StripTrailingAsciiWhitespace(rest.substr(0, end)));
  ParseAttrs(rest.substr(end), /*builtin=*/false, &line);
  return line;
}

}  // namespace

const std::string* SlogLine::Find(absl::string_view key) const {
  for (const SlogAttr& attr : attrs) {
    if (attr.key == key) return &attr.value;
  }
  return nullptr;
}

std::string StripColours(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b' || i + 1 == text.size() || text[i + 1] != '[') {
      out.push_back(text[i]);
      continue;
    }
    // ECMA-48: parameters and intermediates, then one final byte.
    for (i += 2; i < text.size() && text[i] >= 0x20 && text[i] < 0x40; ++i) {
    }
  }
  return out;
}

std::optional<SlogLine> ParseSlog(absl::string_view line) {
  std::string plain;
  if (line.find('\x1b') != kNone) {
    plain = StripColours(line);
    line = plain;
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);

  // The first place where a record starts. `level=` alone: a record whose time was
  // left out by whoever quoted it.
  for (size_t i = line.find_first_of("tl0123456789"); i != kNone;
       i = line.find_first_of("tl0123456789", i + 1)) {
    const absl::string_view here = line.substr(i);
    const bool word_starts = i == 0 || line[i - 1] == ' ';
    std::optional<SlogLine> record;
    if (here[0] == 't') {
      // Glued to a raw write, it must show more of itself.
      if (word_starts ? HasShape(here, kTimeShape) : StartsTextRecord(here)) {
        ParseAttrs(here, true, &record.emplace());
      }
    } else if (here[0] == 'l') {
      if (word_starts && absl::StartsWith(here, "level=") && IsLevel(FirstWord(here.substr(6)))) {
        ParseAttrs(here, true, &record.emplace());
      }
    } else if (word_starts) {
      const std::optional<DefaultHead> head = ParseDefaultHead(here);
      if (head.has_value()) record = ParseDefault(here, *head);
    }
    if (!record.has_value()) continue;
    record->before = std::string(absl::StripSuffix(line.substr(0, i), " "));
    return record;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseGoMap(
    absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "map[") || !absl::ConsumeSuffix(&text, "]")) {
    return absl::InvalidArgumentError("Go map: not of the form map[…]");
  }
  std::vector<std::pair<std::string, std::string>> entries;
  // The length of a name with a colon behind it at `from`, or 0.
  const auto name_at = [text](size_t from) -> size_t {
    size_t i = from;
    while (i < text.size()) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (!(absl::ascii_isalpha(c) || c == '_' || (i > from && absl::ascii_isdigit(c)))) break;
      ++i;
    }
    return i > from && i < text.size() && text[i] == ':' ? i - from : 0;
  };
  if (text.empty()) return entries;
  size_t name = name_at(0);
  if (name == 0) return absl::InvalidArgumentError("Go map: does not start with a name");
  size_t start = 0;
  while (true) {
    const size_t value = start + name + 1;
    size_t depth = 0;
    size_t next = kNone;
    for (size_t i = value; i < text.size(); ++i) {
      if (text[i] == '[') ++depth;
      if (text[i] == ']' && depth > 0) --depth;
      if (text[i] == ' ' && depth == 0) {
        name = name_at(i + 1);
        if (name > 0) {
          next = i;
          break;
        }
      }
    }
    const size_t end = next == kNone ? text.size() : next;
    entries.emplace_back(std::string(text.substr(start, value - 1 - start)),
                         std::string(text.substr(value, end - value)));
    if (next == kNone) return entries;
    start = next + 1;
  }
}

absl::StatusOr<std::vector<std::string>> ParseGoSlice(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "[") || !absl::ConsumeSuffix(&text, "]")) {
    return absl::InvalidArgumentError("Go slice: not of the form […]");
  }
  std::vector<std::string> elements;
  if (text.empty()) return elements;
  for (absl::string_view element : absl::StrSplit(text, ' ')) elements.emplace_back(element);
  return elements;
}

absl::StatusOr<absl::Duration> ParseGoDuration(absl::string_view text) {
  // Abseil reads Go's form, but for the sign µ (U+00B5, or U+03BC as typed by people),
  // and knows an infinity that Go does not.
  absl::Duration duration;
  if (text.empty() || text.size() > 64 || text.find("inf") != kNone ||
      !absl::ParseDuration(absl::StrReplaceAll(text, {{"\u00b5s", "us"}, {"\u03bcs", "us"}}),
                           &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Go duration: not understood: ", text.substr(0, 64)));
  }
  return duration;
}

absl::StatusOr<uint64_t> ParseBytes(absl::string_view text) {
  struct Unit {
    absl::string_view name;
    double bytes;
  };
  // format.HumanBytes and HumanBytes2 of Ollama.
  static constexpr std::array<Unit, 9> kUnits = {{{"B", 1},
                                                  {"KB", 1e3},
                                                  {"MB", 1e6},
                                                  {"GB", 1e9},
                                                  {"TB", 1e12},
                                                  {"KiB", 1024.0},
                                                  {"MiB", 1048576.0},
                                                  {"GiB", 1073741824.0},
                                                  {"TiB", 1099511627776.0}}};
  const auto error = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("size: not a number and a unit: ", text.substr(0, 64)));
  };
  const size_t number_end = text.find_first_not_of("0123456789.");
  if (text.size() > 64 || number_end == kNone || number_end == 0) return error();
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, number_end), &number)) return error();
  const absl::string_view name = absl::StripPrefix(text.substr(number_end), " ");
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    const double bytes = std::round(number * unit.bytes);
    if (!(bytes < 18446744073709551616.0)) return error();
    return static_cast<uint64_t>(bytes);
  }
  return error();
}

}  // namespace vgpu::logfmt
