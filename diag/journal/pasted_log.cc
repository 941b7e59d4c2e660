#include "diag/journal/pasted_log.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "diag/journal/journal_entry.h"
#include "diag/logfmt/line_prefix.h"
#include "diag/logfmt/slog.h"
#include "nlohmann/json.hpp"

namespace vgpu::journal {
namespace {

using logfmt::LinePrefix;

constexpr size_t kNone = absl::string_view::npos;
// Lines that wait for a record that tells the zone.
constexpr size_t kMaxWaiting = 1024;

// The text's bytes as UTF-8: UTF-16 with a mark is converted, UTF-8's own mark dropped.
class TextSource {
 public:
  explicit TextSource(host::ByteSource& source) : source_(source) {}

  // Appends some more to `text`; false at the end.
  absl::StatusOr<bool> Append(std::string& text) {
    absl::StatusOr<size_t> got = source_.Read(block_.data(), block_.size());
    if (!got.ok()) return got.status();
    if (*got == 0) return false;
    absl::string_view bytes(block_.data(), *got);
    if (!known_) {
      head_.append(bytes.data(), bytes.size());
      if (head_.size() < 3) return true;
      known_ = true;
      bytes = head_;
      if (absl::ConsumePrefix(&bytes, "\xff\xfe")) form_ = Form::kLittle;
      if (absl::ConsumePrefix(&bytes, "\xfe\xff")) form_ = Form::kBig;
      absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");
    }
    Convert(bytes, text);
    return true;
  }

  // What is left where the text was shorter than a mark.
  absl::string_view Rest() const { return known_ ? absl::string_view() : head_; }

 private:
  enum class Form { kBytes, kLittle, kBig };

  void Convert(absl::string_view bytes, std::string& text) {
    if (form_ == Form::kBytes) {
      text.append(bytes.data(), bytes.size());
      return;
    }
    for (const char byte : bytes) {
      if (!half_) {
        half_ = byte;
        continue;
      }
      const auto first = static_cast<unsigned char>(*half_);
      const auto second = static_cast<unsigned char>(byte);
      half_.reset();
      Unit(form_ == Form::kLittle ? first | second << 8 : first << 8 | second, text);
    }
  }

  // One UTF-16 unit; a pair makes one character, half a pair is kept as it is.
  void Unit(uint32_t unit, std::string& text) {
    if (unit >= 0xdc00 && unit < 0xe000 && high_ != 0) {
      unit = 0x10000 + ((high_ - 0xd800) << 10) + (unit - 0xdc00);
      high_ = 0;
    } else if (unit >= 0xd800 && unit < 0xdc00) {
      high_ = unit;
      return;
    }
    if (unit < 0x80) {
      text.push_back(static_cast<char>(unit));
    } else if (unit < 0x800) {
      text.push_back(static_cast<char>(0xc0 | unit >> 6));
      text.push_back(static_cast<char>(0x80 | (unit & 0x3f)));
    } else if (unit < 0x10000) {
      text.push_back(static_cast<char>(0xe0 | unit >> 12));
      text.push_back(static_cast<char>(0x80 | (unit >> 6 & 0x3f)));
      text.push_back(static_cast<char>(0x80 | (unit & 0x3f)));
    } else {
      text.push_back(static_cast<char>(0xf0 | unit >> 18));
      text.push_back(static_cast<char>(0x80 | (unit >> 12 & 0x3f)));
      text.push_back(static_cast<char>(0x80 | (unit >> 6 & 0x3f)));
      text.push_back(static_cast<char>(0x80 | (unit & 0x3f)));
    }
  }

  host::ByteSource& source_;
  std::array<char, size_t{1} << 16> block_;
  bool known_ = false;
  std::string head_;
  Form form_ = Form::kBytes;
  std::optional<char> half_;
  uint32_t high_ = 0;
};

// "[0m", "[1;31m": a colour whose escape character was lost on the way.
std::string StripLostColours(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') {
      size_t end = i + 1;
      while (end < text.size() && (absl::ascii_isdigit(text[end]) || text[end] == ';')) ++end;
      if (end > i + 1 && end - i <= 12 && end < text.size() && text[end] == 'm') {
        i = end;
        continue;
      }
    }
    plain.push_back(text[i]);
  }
  return plain;
}

bool IsRecordStart(absl::string_view text) {
  if (absl::StartsWith(text, "time=") || absl::StartsWith(text, "level=") ||
      absl::StartsWith(text, "[GIN]")) {
    return true;
  }
  // "2025/05/03 10:00:00 "
  return text.size() > 19 && text[4] == '/' && text[7] == '/' && text[13] == ':' &&
         absl::ascii_isdigit(text[0]) && absl::ascii_isdigit(text[18]);
}

// A record of slog's begins in the text.
bool HoldsRecord(absl::string_view text) {
  return absl::StrContains(text, "level=") || absl::StrContains(text, "time=");
}

// Whether a quoted value is open behind `text`, where `open` says whether one was before it.
bool OpenBehind(absl::string_view text, bool open) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && open) {
      ++i;
    } else if (text[i] == '"') {
      open = !open;
    }
  }
  return open;
}

// A quoted value of a record begins in the text and does not end in it.
bool QuoteIsOpen(absl::string_view text) {
  const size_t record = text.find("level=");
  return record != kNone && OpenBehind(text.substr(record), false);
}

// "compute=9.0 name=CUDA0 …", or the rest of a value before that: no line begins so.
bool GoesOnWithAttributes(absl::string_view text) {
  const size_t equals = text.find('=');
  if (equals == kNone || equals == 0) return false;
  size_t key = equals;
  while (key > 0 && (absl::ascii_isalnum(text[key - 1]) || text[key - 1] == '_')) --key;
  if (key == equals) return false;
  if (key == 0) return true;
  // One word before it at most, and that ends a value.
  const absl::string_view before = text.substr(0, key - 1);
  return text[key - 1] == ' ' && !absl::StrContains(before, " ") && !absl::EndsWith(before, ":");
}

// Lines of journalctl itself, of its pager, and of -x.
bool IsOfTheTool(absl::string_view text) {
  return absl::StartsWith(text, "\xe2\x96\x91\xe2\x96\x91") ||  // ░░
         absl::StartsWith(text, "-- ") || absl::StartsWith(text, "lines ") ||
         absl::StartsWith(text, "Hint: ");
}

std::optional<int> PidOf(absl::string_view text) {
  int pid = 0;
  if (!absl::SimpleAtoi(text, &pid) || pid <= 0) return std::nullopt;
  return pid;
}

class Reader {
 public:
  explicit Reader(absl::FunctionRef<void(const PastedLine&)> on_line) : on_line_(on_line) {}

  PastedSummary Run(host::ByteSource& source) {
    auto text = std::make_unique<TextSource>(source);
    std::string buffer;
    while (true) {
      absl::StatusOr<bool> more = text->Append(buffer);
      if (!more.ok()) summary_.status = more.status();
      if (!more.ok() || !*more) break;
      size_t begin = 0;
      for (size_t end; (end = buffer.find('\n', begin)) != kNone; begin = end + 1) {
        Physical(absl::string_view(buffer).substr(begin, end - begin));
      }
      buffer.erase(0, begin);
      if (buffer.size() > kMaxRecord) {
        if (!dropping_) Physical(buffer);
        dropping_ = true;
        buffer.clear();
      }
    }
    absl::StrAppend(&buffer, text->Rest());
    if (!buffer.empty()) Physical(buffer);
    EndRecord();
    Flush();
    GiveOut();
    return std::move(summary_);
  }

 private:
  enum class Mode { kLines, kVerbose, kExport, kPretty };

  void Physical(absl::string_view line) {
    if (std::exchange(dropping_, false)) return;  // the rest of an overlong line
    ++summary_.lines;
    if (line.size() > kMaxRecord) {
      ++summary_.cut;
      line = line.substr(0, kMaxRecord);
    }
    if (binary_left_ > 0) {
      Binary(line);
      return;
    }
    absl::ConsumeSuffix(&line, "\r");
    std::string cleaned;
    if (absl::StrContains(line, '\x1b')) line = cleaned = logfmt::StripColours(line);
    if (const size_t bracket = line.find('['); bracket != kNone && bracket + 2 < line.size() &&
                                               absl::ascii_isdigit(line[bracket + 1]) &&
                                               line.find('m', bracket) != kNone) {
      line = cleaned = StripLostColours(line);
    }
    if (line.find('&') != kNone && line.find(';') != kNone) {
      line = cleaned = absl::StrReplaceAll(line, {{"&quot;", "\""},
                                                  {"&#34;", "\""},
                                                  {"&#39;", "'"},
                                                  {"&lt;", "<"},
                                                  {"&gt;", ">"},
                                                  {"&amp;", "&"}});
    }
    while (absl::ConsumePrefix(&line, "> ")) continue;
    absl::ConsumePrefix(&line, "\x1e");    // json-seq
    absl::ConsumePrefix(&line, "data: ");  // json-sse
    const absl::string_view bare = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(bare, "```") || absl::StartsWith(bare, "~~~")) {
      absl::string_view inside = bare.substr(3);
      absl::ConsumeSuffix(&inside, "```");
      // ```time=… on one line; else the word behind it names a language.
      if (!absl::StrContains(inside, "=")) return;
      line = inside;
    } else if (absl::EndsWith(bare, "```")) {
      line = bare.substr(0, bare.size() - 3);
    }
    Line(line);
  }

  void Line(absl::string_view line) {
    switch (mode_) {
      case Mode::kVerbose:
        if (absl::StartsWith(line, "    ") && absl::StrContains(line, "=")) {
          const absl::string_view field = absl::StripLeadingAsciiWhitespace(line);
          const size_t equals = field.find('=');
          Field(field.substr(0, equals), field.substr(equals + 1));
          return;
        }
        if (line.empty()) return;
        EndRecord();
        break;
      case Mode::kExport:
        if (line.empty()) {
          EndRecord();
          return;
        }
        if (const size_t equals = line.find('='); equals != kNone) {
          Field(line.substr(0, equals), line.substr(equals + 1));
          return;
        }
        // A name alone: its value follows in binary, behind its length (64 bits,
        // little-endian).
        binary_name_ = std::string(line);
        binary_.clear();
        binary_left_ = kMaxRecord;
        return;
      case Mode::kPretty:
        absl::StrAppend(&pretty_, line, "\n");
        if (line == "}") EndRecord();
        if (pretty_.size() > kMaxRecord) EndRecord();
        return;
      case Mode::kLines:
        break;
    }
    const absl::string_view bare = absl::StripAsciiWhitespace(line);
    if (bare.empty() || IsOfTheTool(bare)) return;
    if (bare.front() == '{' && TakeJson(bare)) return;
    if (absl::StartsWith(bare, "__CURSOR=")) {
      Begin(Mode::kExport);
      return;
    }
    if (absl::StrContains(bare, " [s=") && absl::EndsWith(bare, "]") &&
        absl::StrContains(bare, ";i=")) {
      Begin(Mode::kVerbose);
      return;
    }
    Plain(line);
  }

  // A line whose message stands on it.
  void Plain(absl::string_view line) {
    const size_t width = line.size();
    LinePrefix prefix = logfmt::ParsePrefix(line);
    if (prefix.length == 0) {
      if (pending_ && Continues(line)) {
        ++summary_.joined;
        quote_is_open_ = OpenBehind(line, quote_is_open_);
        pieces_.push_back(std::string(line));
        widths_.push_back(width);
        size_ += width;
        if (size_ > kMaxRecord) Flush();
        return;
      }
      PastedLine raw;
      raw.number = summary_.lines;
      // Further lines of one message stand below its first, moved to the right.
      const bool of_last = prefixed_ && absl::StartsWith(line, "        ");
      if (of_last) raw = Head(last_);
      raw.number = summary_.lines;
      Flush();
      Hold(std::move(raw), line, width);
      return;
    }
    Flush();
    PastedLine entry;
    entry.number = summary_.lines;
    entry.identifier = prefix.identifier;
    entry.unit = prefix.unit;
    entry.pid = prefix.pid;
    const absl::string_view text = line.substr(prefix.length);
    if (prefix.time) entry.time = *prefix.time;
    if (prefix.wall_time) entry.time = Resolve(*prefix.wall_time, text);
    pending_wall_ = entry.time.present() ? std::nullopt : prefix.wall_time;
    prefixed_ = prefixed_ || !prefix.identifier.empty();
    summary_.journal = summary_.journal || !prefix.identifier.empty();
    Hold(std::move(entry), text, width);
  }

  bool Continues(absl::string_view line) const {
    const absl::string_view bare = absl::StripLeadingAsciiWhitespace(line);
    if (IsRecordStart(bare)) return false;
    return quote_is_open_ || (HoldsRecord(pieces_.front()) && GoesOnWithAttributes(bare));
  }

  // A local time without a zone, or without its year too: the first record that tells its
  // own whole time beside one says how far the two are apart.
  host::Observed<absl::Time> Resolve(absl::CivilSecond wall, absl::string_view text) {
    const absl::Time as_utc = absl::FromCivil(wall, absl::UTCTimeZone());
    if (!zone_learned_ || (wall.year() == logfmt::kUnknownYear) != zone_of_unknown_year_) {
      std::optional<logfmt::SlogLine> slog;
      if (absl::StrContains(text, "time=")) slog = logfmt::ParseSlog(text);
      if (slog && slog->time.present()) {
        zone_ = *slog->time - as_utc;
        zone_learned_ = true;
        zone_of_unknown_year_ = wall.year() == logfmt::kUnknownYear;
      }
    }
    if (!zone_learned_) return host::NotObserved{"the line has neither a year nor a zone"};
    return as_utc + zone_;
  }

  void Hold(PastedLine head, absl::string_view text, size_t width) {
    pending_ = std::move(head);
    pieces_.assign(1, std::string(text));
    widths_.assign(1, width);
    size_ = text.size();
    quote_is_open_ = QuoteIsOpen(text);
  }

  static PastedLine Head(const PastedLine& line) {
    PastedLine head = line;
    head.text.clear();
    return head;
  }

  void Flush() {
    if (!pending_) return;
    PastedLine line = *std::move(pending_);
    pending_.reset();
    const std::optional<absl::CivilSecond> wall = std::exchange(pending_wall_, std::nullopt);
    // A terminal breaks every line at one column and loses nothing; a mail program breaks
    // at a space, which is lost.
    bool hard = pieces_.size() > 2 || (pieces_.size() == 2 && widths_[0] == wrapped_at_);
    for (size_t i = 0; i + 1 < widths_.size(); ++i) hard = hard && widths_[i] == widths_[0];
    if (hard && pieces_.size() > 2) wrapped_at_ = widths_[0];
    line.text = std::move(pieces_.front());
    for (size_t i = 1; i < pieces_.size(); ++i) {
      absl::string_view next = pieces_[i];
      if (!hard) {
        next = absl::StripLeadingAsciiWhitespace(next);
        line.text = std::string(absl::StripTrailingAsciiWhitespace(line.text));
      }
      absl::StrAppend(&line.text, hard ? "" : " ", next);
    }
    Emit(line, wall);
    last_ = std::move(line);
  }

  // In their order: a line whose local time nobody has told the zone of holds back what stands
  // behind it, as far as memory allows. What systemd says of a unit comes before the first record.
  void Emit(const PastedLine& line, std::optional<absl::CivilSecond> wall = std::nullopt) {
    if (waiting_.empty() && (!wall || gave_up_)) return on_line_(line);
    waiting_.push_back({line, wall});
    waiting_size_ += line.text.size();
    gave_up_ = waiting_.size() >= kMaxWaiting || waiting_size_ > kMaxRecord;
    if (zone_learned_ || gave_up_) GiveOut();
  }

  void GiveOut() {
    for (auto& [line, wall] : waiting_) {
      if (wall && zone_learned_ && (wall->year() == logfmt::kUnknownYear) == zone_of_unknown_year_)
        line.time = absl::FromCivil(*wall, absl::UTCTimeZone()) + zone_;
      on_line_(line);
    }
    waiting_.clear();
    waiting_size_ = 0;
  }

  // Records of several fields.

  void Begin(Mode mode) {
    EndRecord();
    Flush();
    mode_ = mode;
    summary_.journal = true;
    record_ = PastedLine();
    record_.number = summary_.lines;
    has_message_ = false;
  }

  void Field(absl::string_view name, absl::string_view value) {
    int64_t number = 0;
    if (name == "MESSAGE") {
      record_.text = std::string(value);
      has_message_ = true;
    } else if (name == "_PID") {
      record_.pid = PidOf(value);
    } else if (name == "SYSLOG_IDENTIFIER") {
      record_.identifier = std::string(value);
    } else if (name == "_SYSTEMD_UNIT") {
      record_.unit = std::string(value);
    } else if (name == "_SYSTEMD_INVOCATION_ID" || name == "INVOCATION_ID") {
      record_.invocation = std::string(value);
    } else if (name == "__REALTIME_TIMESTAMP" ||
               (name == "_SOURCE_REALTIME_TIMESTAMP" && !record_.time.present())) {
      if (absl::SimpleAtoi(value, &number)) record_.time = absl::FromUnixMicros(number);
    }
  }

  void EndRecord() {
    const Mode mode = std::exchange(mode_, Mode::kLines);
    if (mode == Mode::kLines) return;
    if (mode == Mode::kPretty) {
      std::string text = std::exchange(pretty_, "");
      std::string flat = absl::StrReplaceAll(text, {{"\n", " "}});
      if (!TakeEntry(absl::StripAsciiWhitespace(flat), record_.number)) {
        record_.text = std::move(flat);  // no entry: a text that begins with a brace
        Emit(record_);
      }
      return;
    }
    if (has_message_) Emit(record_);
    has_message_ = false;
  }

  void Binary(absl::string_view line) {
    absl::StrAppend(&binary_, line);
    if (binary_.size() >= 8 && binary_left_ == kMaxRecord) {
      uint64_t length = 0;
      for (int i = 7; i >= 0; --i) {
        length = length << 8 | static_cast<unsigned char>(binary_[static_cast<size_t>(i)]);
      }
      binary_left_ = std::min<uint64_t>(length, kMaxRecord) + 8;
    }
    if (binary_left_ != kMaxRecord && binary_.size() >= binary_left_) {
      Field(binary_name_, absl::string_view(binary_).substr(8, binary_left_ - 8));
      binary_left_ = 0;
      return;
    }
    absl::StrAppend(&binary_, "\n");
    if (binary_.size() > 2 * kMaxRecord) binary_left_ = 0;
  }

  bool TakeJson(absl::string_view bare) {
    if (bare == "{") {
      Begin(Mode::kPretty);
      pretty_ = "{\n";
      return true;
    }
    if (bare.back() != '}') return false;
    return TakeEntry(bare, summary_.lines);
  }

  // A journal's entry, or a record of Docker's json-file.
  bool TakeEntry(absl::string_view json_text, uint64_t number) {
    PastedLine line;
    line.number = number;
    if (absl::StrContains(json_text, "\"log\"") && absl::StrContains(json_text, "\"stream\"")) {
      nlohmann::json record = nlohmann::json::parse(json_text, nullptr, false);
      if (!record.is_object()) return false;
      auto log = record.find("log");
      if (log == record.end() || !log->is_string()) return false;
      Flush();
      const std::string text = log->get<std::string>();
      auto time = record.find("time");
      absl::Time when;
      if (time != record.end() && time->is_string() &&
          absl::ParseTime(absl::RFC3339_full, time->get<std::string>(), &when, nullptr)) {
        line.time = when;
      }
      line.text = logfmt::StripColours(absl::StripTrailingAsciiWhitespace(text));
      Emit(line);
      return true;
    }
    if (!absl::StrContains(json_text, "\"MESSAGE\"")) return false;
    absl::StatusOr<JournalEntry> entry = ParseJournalEntry(json_text);
    if (!entry.ok() || !entry->message.present()) return false;
    Flush();
    summary_.journal = true;
    line.identifier = entry->identifier.empty() ? entry->comm : entry->identifier;
    line.unit = entry->systemd_unit;
    line.invocation = entry->invocation.empty() ? entry->systemd_invocation : entry->invocation;
    if (entry->pid) line.pid = static_cast<int>(*entry->pid);
    if (entry->realtime.present()) line.time = *entry->realtime;
    line.text = logfmt::StripColours(*entry->message);
    Emit(line);
    return true;
  }

  const absl::FunctionRef<void(const PastedLine&)> on_line_;
  PastedSummary summary_;
  bool dropping_ = false;

  // The record that may still go on, as the physical lines that it stands on.
  std::optional<PastedLine> pending_;
  std::optional<absl::CivilSecond> pending_wall_;  // where its time waits for a zone
  std::vector<std::string> pieces_;
  std::vector<size_t> widths_;
  size_t size_ = 0;
  bool quote_is_open_ = false;
  size_t wrapped_at_ = 0;
  PastedLine last_;
  bool prefixed_ = false;

  std::vector<std::pair<PastedLine, std::optional<absl::CivilSecond>>> waiting_;
  size_t waiting_size_ = 0;
  bool gave_up_ = false;

  bool zone_learned_ = false;
  bool zone_of_unknown_year_ = false;
  absl::Duration zone_;

  Mode mode_ = Mode::kLines;
  PastedLine record_;
  bool has_message_ = false;
  std::string pretty_;
  std::string binary_name_;
  std::string binary_;
  uint64_t binary_left_ = 0;
};

}  // namespace

PastedSummary ReadPastedLog(host::ByteSource& source,
                            absl::FunctionRef<void(const PastedLine&)> on_line) {
  return Reader(on_line).Run(source);
}

}  // namespace vgpu::journal
