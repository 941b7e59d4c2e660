#include "diag/logfmt/line_prefix.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vgpu::logfmt {
namespace {

// `abmon` of glibc 2.36's locales, without points, in lower case where that is ASCII.
// journalctl prints %b of the locale that it runs in.
struct MonthNames {
  const char* names[12];
};
constexpr MonthNames kMonths[] = {
    {{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
    {{"jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"}},
    {{"janv", "févr", "mars", "avril", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"}},
    {{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}},
    {{"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"}},
    {{"jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"}},
    {{"jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"}},
    {{"sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"}},
    {{"led", "úno", "bře", "dub", "kvě", "čen", "čec", "srp", "zář", "říj", "lis", "pro"}},
    {{"янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"}},
    {{"січ", "лют", "бер", "кві", "тра", "чер", "лип", "сер", "вер", "жов", "лис", "гру"}},
    {{"jan", "feb", "mars", "april", "mai", "juni", "juli", "aug", "sep", "okt", "nov", "des"}},
    {{"tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka",
      "marras", "joulu"}},
    {{"jan", "febr", "márc", "ápr", "máj", "jún", "júl", "aug", "szept", "okt", "nov", "dec"}},
    {{"Oca", "Şub", "Mar", "Nis", "May", "Haz", "Tem", "Ağu", "Eyl", "Eki", "Kas", "Ara"}},
    {{"ian", "feb", "mar", "apr", "mai", "iun", "iul", "aug", "sep", "oct", "nov", "dec"}},
    {{"gen", "febr", "març", "abr", "maig", "juny", "jul", "ag", "set", "oct", "nov", "des"}},
    {{"Ιαν", "Φεβ", "Μάρ", "Απρ", "Μάι", "Ιούν", "Ιούλ", "Αύγ", "Σεπ", "Οκτ", "Νοέ", "Δεκ"}},
    {{"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
    {{"1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월", "11월", "12월"}},
};

// Takes what it reads off the front of the text; every Take… leaves it as it was where
// the front is something else.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : rest_(text), end_(text.data() + text.size()) {}

  const char* position() const { return end_ - rest_.size(); }
  absl::string_view rest() const { return rest_; }

  bool Take(absl::string_view token) { return absl::ConsumePrefix(&rest_, token); }
  void Skip(size_t n) { rest_.remove_prefix(n); }
  bool TakeSpaces() {
    const size_t n = rest_.find_first_not_of(' ');
    if (n == 0 || n == absl::string_view::npos) return false;
    rest_.remove_prefix(n);
    return true;
  }
  // Exactly `digits` digits, or one to that many where `fewer`.
  std::optional<int> TakeNumber(size_t digits, bool fewer = false) {
    size_t n = 0;
    int value = 0;
    while (n < digits && n < rest_.size() && absl::ascii_isdigit(rest_[n])) {
      value = value * 10 + (rest_[n++] - '0');
    }
    if (n == 0 || (n < digits && !fewer)) return std::nullopt;
    if (n < rest_.size() && absl::ascii_isdigit(rest_[n])) return std::nullopt;
    rest_.remove_prefix(n);
    return value;
  }
  // Up to the next space, which stays.
  absl::string_view TakeWord() {
    const absl::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
  }
  // ".123456", as microseconds and less.
  void SkipFraction() {
    if (rest_.empty() || rest_.front() != '.') return;
    size_t n = 1;
    while (n < rest_.size() && absl::ascii_isdigit(rest_[n])) ++n;
    rest_.remove_prefix(n);
  }

 private:
  absl::string_view rest_;
  const char* end_;
};

struct Clock {
  int hour = 0, minute = 0, second = 0;
};

// "05:54:39", with a fraction or without.
std::optional<Clock> TakeClock(Cursor& at) {
  Cursor trial = at;
  std::optional<int> hour = trial.TakeNumber(2);
  if (!hour || !trial.Take(":")) return std::nullopt;
  std::optional<int> minute = trial.TakeNumber(2);
  if (!minute || !trial.Take(":")) return std::nullopt;
  std::optional<int> second = trial.TakeNumber(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  trial.SkipFraction();
  at = trial;
  return Clock{*hour, *minute, *second};
}

// "2026-02-26".
std::optional<absl::CivilDay> TakeDate(Cursor& at) {
  Cursor trial = at;
  std::optional<int> year = trial.TakeNumber(4);
  if (!year || !trial.Take("-")) return std::nullopt;
  std::optional<int> month = trial.TakeNumber(2);
  if (!month || !trial.Take("-")) return std::nullopt;
  std::optional<int> day = trial.TakeNumber(2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  at = trial;
  return absl::CivilDay(*year, *month, *day);
}

absl::CivilSecond Join(absl::CivilDay day, Clock clock) {
  return absl::CivilSecond(day.year(), day.month(), day.day(), clock.hour, clock.minute,
                           clock.second);
}

// "test10 ollama[57290]: ", of which the host's name is thrown away. With-unit writes
// "ollama.service/ollama[57290]".
bool TakeWriter(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  absl::string_view host = trial.TakeWord();
  if (host.empty() || absl::EndsWith(host, ":") || absl::StrContains(host, "=")) return false;
  if (!trial.TakeSpaces()) return false;
  // "ident[pid]:" or "ident:"; an identifier may hold spaces, but not a colon and a space.
  const size_t colon = trial.rest().find(": ");
  const bool at_end = colon == absl::string_view::npos && absl::EndsWith(trial.rest(), ":");
  if (colon == absl::string_view::npos && !at_end) return false;
  absl::string_view who = trial.rest().substr(0, at_end ? trial.rest().size() - 1 : colon);
  if (who.empty() || who.size() > 128 || absl::StrContains(who, "=") ||
      absl::StrContains(who, "\"")) {
    return false;
  }
  const size_t whole = who.size() + (at_end ? 1 : 2);
  absl::string_view ident = who;
  if (absl::EndsWith(who, "]")) {
    const size_t open = who.rfind('[');
    int pid = 0;
    if (open == absl::string_view::npos ||
        !absl::SimpleAtoi(who.substr(open + 1, who.size() - open - 2), &pid)) {
      return false;
    }
    prefix.pid = pid;
    ident = who.substr(0, open);
  } else if (absl::StrContains(who, " ")) {
    return false;  // words of a sentence
  }
  if (const size_t slash = ident.find('/'); slash != absl::string_view::npos && slash > 0) {
    prefix.unit = std::string(ident.substr(0, slash));
    ident.remove_prefix(slash + 1);
  }
  prefix.identifier = std::string(ident);
  trial.Skip(whole);
  at = trial;
  return true;
}

// "Feb 26 05:54:39 host ident[pid]: ".
bool TakeShort(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  absl::string_view month_name = trial.TakeWord();
  if (month_name.empty() || month_name.size() > 16 || !trial.TakeSpaces()) return false;
  std::optional<int> day = trial.TakeNumber(2, /*fewer=*/true);
  if (!day || *day < 1 || *day > 31) return false;
  trial.Take(".");
  if (!trial.TakeSpaces()) return false;
  std::optional<Clock> clock = TakeClock(trial);
  if (!clock || !trial.TakeSpaces()) return false;
  if (!TakeWriter(trial, prefix)) return false;
  if (int month = MonthOf(month_name); month != 0) {
    prefix.wall_time = Join(absl::CivilDay(kUnknownYear, month, *day), *clock);
  }
  at = trial;
  return true;
}

// "2026-02-26T05:54:39.123456-0500 " or with Z. Docker and CRI write nanoseconds.
bool TakeIso(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  std::optional<absl::CivilDay> day = TakeDate(trial);
  if (!day || !trial.Take("T")) return false;
  std::optional<Clock> clock = TakeClock(trial);
  if (!clock) return false;
  int offset = 0;
  if (!trial.Take("Z")) {
    const bool minus = trial.Take("-");
    if (!minus && !trial.Take("+")) return false;
    std::optional<int> hours, minutes;
    Cursor four = trial;
    if (std::optional<int> both = four.TakeNumber(4)) {
      trial = four;
      hours = *both / 100;
      minutes = *both % 100;
    } else {
      hours = trial.TakeNumber(2);
      if (hours && trial.Take(":")) minutes = trial.TakeNumber(2);
    }
    if (!hours) return false;
    offset = (*hours * 60 + minutes.value_or(0)) * (minus ? -1 : 1);
  }
  if (!trial.TakeSpaces()) return false;
  prefix.time = absl::FromCivil(Join(*day, *clock), absl::UTCTimeZone()) - absl::Minutes(offset);
  at = trial;
  return true;
}

// "Thu 2026-02-26 05:54:39 EST host ident[pid]: ".
bool TakeFull(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  absl::string_view weekday = trial.TakeWord();
  if (weekday.empty() || weekday.size() > 16 || !trial.TakeSpaces()) return false;
  std::optional<absl::CivilDay> day = TakeDate(trial);
  if (!day || !trial.TakeSpaces()) return false;
  std::optional<Clock> clock = TakeClock(trial);
  if (!clock || !trial.TakeSpaces()) return false;
  const absl::string_view zone = trial.TakeWord();
  if (zone.empty() || !trial.TakeSpaces() || !TakeWriter(trial, prefix)) return false;
  if (zone == "UTC") {
    prefix.time = absl::FromCivil(Join(*day, *clock), absl::UTCTimeZone());
  } else {
    prefix.wall_time = Join(*day, *clock);
  }
  at = trial;
  return true;
}

// "[ 1234.567890] host ident[pid]: ", or "[ 1234.567890 <    0.012345 >] …".
bool TakeMonotonic(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  if (!trial.Take("[")) return false;
  trial.TakeSpaces();
  const size_t close = trial.rest().find(']');
  if (close == absl::string_view::npos || close > 40) return false;
  absl::string_view inside = trial.rest().substr(0, close);
  if (inside.find_first_not_of("0123456789. <>") != absl::string_view::npos ||
      !absl::StrContains(inside, ".")) {
    return false;
  }
  trial.Skip(close + 1);
  if (!trial.TakeSpaces() || !TakeWriter(trial, prefix)) return false;
  at = trial;
  return true;
}

// "1772103279.123456 host ident[pid]: ".
bool TakeUnix(Cursor& at, LinePrefix& prefix) {
  Cursor trial = at;
  const absl::string_view number = trial.TakeWord();
  double seconds = 0;
  if (number.size() < 12 || number.find_first_not_of("0123456789.") != absl::string_view::npos ||
      !absl::SimpleAtod(number, &seconds) || seconds < 1e9 || seconds > 1e11) {
    return false;
  }
  if (!trial.TakeSpaces() || !TakeWriter(trial, prefix)) return false;
  prefix.time = absl::FromUnixMicros(static_cast<int64_t>(seconds * 1e6));
  at = trial;
  return true;
}

// "ollama-1  | ": a name of docker compose, and a bar.
bool TakeCompose(Cursor& at) {
  Cursor trial = at;
  const absl::string_view name = trial.TakeWord();
  if (name.empty() || name.size() > 80 ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
          absl::string_view::npos) {
    return false;
  }
  if (!trial.TakeSpaces() || !trial.Take("|")) return false;
  trial.Take(" ");
  at = trial;
  return true;
}

}  // namespace

int MonthOf(absl::string_view name) {
  absl::ConsumeSuffix(&name, ".");
  for (const MonthNames& language : kMonths) {
    for (int i = 0; i < 12; ++i) {
      if (absl::EqualsIgnoreCase(name, language.names[i])) return i + 1;
    }
  }
  return 0;
}

LinePrefix ParsePrefix(absl::string_view line) {
  LinePrefix prefix;
  Cursor at(line);
  TakeCompose(at);
  LinePrefix trial;
  if (TakeIso(at, trial)) {
    // journalctl goes on with the host's name and the writer, CRI with the stream's name,
    // docker with the message.
    if (at.Take("stdout ") || at.Take("stderr ")) {
      if (!at.Take("F ")) at.Take("P ");
    } else if (LinePrefix writer = trial; TakeWriter(at, writer)) {
      trial = writer;
    }
    prefix = trial;
  } else if (LinePrefix full; TakeFull(at, full)) {
    prefix = full;
  } else if (LinePrefix monotonic; TakeMonotonic(at, monotonic)) {
    prefix = monotonic;
  } else if (LinePrefix unix_time; TakeUnix(at, unix_time)) {
    prefix = unix_time;
  } else if (LinePrefix short_form; TakeShort(at, short_form)) {
    prefix = short_form;
  }
  prefix.length = static_cast<size_t>(at.position() - line.data());
  return prefix;
}

}  // namespace vgpu::logfmt
