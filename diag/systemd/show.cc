#include "diag/systemd/show.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/systemd/environment_file.h"
#include "diag/systemd/quoting.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

using ::vgpu::host::Absent;
using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;

// Zones by the abbreviations that strftime(3) prints, where tzdata gives a name one
// offset. Not here, on purpose: IST (India, Israel, Ireland), CST and CDT (America,
// China, Cuba), BST (Britain, Bangladesh), PST (America, since 2024b the Philippines
// too), SST, AST.
struct Zone {
  absl::string_view name;
  int minutes;
};
constexpr Zone kZones[] = {
    {"UTC", 0},    {"GMT", 0},    {"Z", 0},      {"WET", 0},     {"WEST", 60},   {"CET", 60},
    {"CEST", 120}, {"EET", 120},  {"EEST", 180}, {"MSK", 180},   {"EST", -300},  {"EDT", -240},
    {"MST", -420}, {"MDT", -360}, {"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600},
    {"NST", -210}, {"NDT", -150}, {"JST", 540},  {"KST", 540},   {"HKT", 480},   {"AEST", 600},
    {"AEDT", 660}, {"ACST", 570}, {"ACDT", 630}, {"AWST", 480},  {"NZST", 720},  {"NZDT", 780},
    {"SAST", 120}, {"CAT", 120},  {"EAT", 180},  {"WAT", 60},    {"WIB", 420},   {"PKT", 300},
};

// tzdata prints "+03" or "-0330" where a zone has no letters.
bool ParseNumericZone(absl::string_view text, int* minutes) {
  if (text.size() != 3 && text.size() != 5) return false;
  if (text[0] != '+' && text[0] != '-') return false;
  int hours = 0, rest = 0;
  for (char c : text.substr(1)) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  if (!absl::SimpleAtoi(text.substr(1, 2), &hours)) return false;
  if (text.size() == 5 && !absl::SimpleAtoi(text.substr(3, 2), &rest)) return false;
  *minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + rest);
  return true;
}

// "path=/bin/ollama ; argv[]=... ; ...": the text of one field. The fields stand in
// a fixed order, and argv[] may hold anything: it ends at the last " ; ignore_errors="
// (or " ; flags=" of the Ex variants).
absl::string_view Between(absl::string_view text, absl::string_view from, absl::string_view to) {
  const size_t begin = text.find(from);
  if (begin == absl::string_view::npos) return "";
  const absl::string_view rest = text.substr(begin + from.size());
  return rest.substr(0, rest.find(to));
}

ShownExec ParseExec(absl::string_view text) {
  ShownExec exec;
  exec.path = std::string(Between(text, "{ path=", " ; argv[]="));
  const absl::string_view kArgv = " ; argv[]=";
  const size_t argv = text.find(kArgv);
  size_t end = text.rfind(" ; ignore_errors=");
  if (end == absl::string_view::npos) end = text.rfind(" ; flags=");
  if (argv == absl::string_view::npos || end == absl::string_view::npos ||
      end < argv + kArgv.size()) {
    return exec;
  }
  exec.argv_text = std::string(text.substr(argv + kArgv.size(), end - argv - kArgv.size()));
  const absl::string_view tail = text.substr(end);
  exec.ignores_errors = absl::StartsWith(tail, " ; ignore_errors=yes") ||
                        absl::StrContains(Between(tail, " ; flags=", " ; "), "ignore-failure");
  int pid = 0;
  if (!absl::SimpleAtoi(Between(tail, " ; pid=", " ; "), &pid)) {
    exec.pid = NotObserved{"not readable"};
  } else if (pid == 0) {
    exec.pid = Absent{};
  } else {
    exec.pid = pid;
  }
  return exec;
}

std::string WithoutCarriageReturn(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  return std::string(line);
}

// "MainPID", "ExecStartEx".
bool IsPropertyName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), absl::ascii_isalnum);
}

// The error of a text in which no line is what the tool prints.
absl::Status NothingIn(absl::string_view text, absl::string_view what) {
  constexpr size_t kShown = 60;
  return absl::InvalidArgumentError(absl::StrCat(
      "no line of it is a ", what, "; it begins with: ", absl::CHexEscape(text.substr(0, kShown))));
}

NotObserved NotReadable(absl::string_view key, absl::string_view value) {
  return NotObserved{absl::StrCat(key, "=", value, ": not readable")};
}

}  // namespace

Observed<std::string> ShowProperties::Get(absl::string_view key) const {
  const auto it = values_.find(std::string(key));
  if (it == values_.end()) return NotObserved{absl::StrCat(key, ": not in the output")};
  return it->second.front();
}

std::vector<std::string> ShowProperties::All(absl::string_view key) const {
  const auto it = values_.find(std::string(key));
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

Observed<std::vector<std::string>> ShowProperties::Words(absl::string_view key) const {
  return Get(key).Map([&](const std::string& value) -> Observed<std::vector<std::string>> {
    absl::StatusOr<std::vector<std::string>> words = SplitShown(value);
    if (!words.ok()) return NotReadable(key, value);
    return *std::move(words);
  });
}

Observed<std::map<std::string, std::string>> ShowProperties::Environment() const {
  return Words("Environment").Map([](const std::vector<std::string>& words) {
    std::map<std::string, std::string> environment;
    for (const std::string& word : words) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) continue;
      environment[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return environment;
  });
}

Observed<std::vector<ShownEnvironmentFile>> ShowProperties::EnvironmentFiles() const {
  if (values_.count("EnvironmentFiles") == 0) {
    return NotObserved{"EnvironmentFiles: not in the output"};
  }
  std::vector<ShownEnvironmentFile> files;
  for (absl::string_view text : values_.at("EnvironmentFiles")) {
    if (text.empty()) continue;
    const bool optional = absl::ConsumeSuffix(&text, " (ignore_errors=yes)");
    if (!optional) absl::ConsumeSuffix(&text, " (ignore_errors=no)");
    files.push_back({std::string(text), optional});
  }
  return files;
}

Observed<std::vector<std::string>> ShowProperties::DropInPaths() const {
  return Words("DropInPaths");
}

Observed<std::vector<std::string>> ShowProperties::UnitPath() const { return Words("UnitPath"); }

Observed<std::vector<ShownExec>> ShowProperties::Exec(absl::string_view key) const {
  const auto it = values_.find(std::string(key));
  if (it == values_.end()) return NotObserved{absl::StrCat(key, ": not in the output")};
  std::vector<ShownExec> commands;
  for (const std::string& text : it->second) {
    if (text.empty()) continue;
    ShownExec exec = ParseExec(text);
    if (exec.path.empty()) return NotReadable(key, text);
    commands.push_back(std::move(exec));
  }
  return commands;
}

Observed<uint64_t> ShowProperties::MonotonicUsec(absl::string_view key) const {
  return Get(key).Map([&](const std::string& value) -> Observed<uint64_t> {
    uint64_t usec = 0;
    if (!absl::SimpleAtoi(value, &usec)) return NotReadable(key, value);
    if (usec == 0) return Absent{};
    return usec;
  });
}

Observed<absl::Time> ShowProperties::WallTime(absl::string_view key) const {
  return Get(key).Map([](const std::string& value) -> Observed<absl::Time> {
    if (value.empty() || value == "n/a" || value == "0") return Absent{};
    return ParseWallTime(value);
  });
}

Observed<bool> ShowProperties::Boolean(absl::string_view key) const {
  return Get(key).Map([&](const std::string& value) -> Observed<bool> {
    const int word = ParseBoolean(value);
    if (word < 0) return NotReadable(key, value);
    return word == 1;
  });
}

absl::StatusOr<ShowProperties> ParseShow(absl::string_view text) {
  ShowProperties show;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos || !IsPropertyName(line.substr(0, equals))) continue;
    show.values_[std::string(line.substr(0, equals))].push_back(
        WithoutCarriageReturn(line.substr(equals + 1)));
  }
  if (show.values_.empty() && !text.empty()) return NothingIn(text, "property");
  return show;
}

Observed<absl::Time> ParseWallTime(absl::string_view text) {
  const auto not_read = [&](absl::string_view why) {
    return NotObserved{absl::StrCat("\"", text, "\": ", why)};
  };
  // "Tue 2026-02-24 09:58:02 EST"; with --timestamp=us there is a fraction.
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
  absl::Time time;
  std::string error;
  if (parts.size() < 3 || parts.size() > 4 ||
      !absl::ParseTime("%Y-%m-%d %H:%M:%E*S", absl::StrCat(parts[1], " ", parts[2]),
                       absl::UTCTimeZone(), &time, &error)) {
    return not_read("not a time");
  }
  if (parts.size() == 3) return not_read("no time zone");
  int minutes = 0;
  bool known = ParseNumericZone(parts[3], &minutes);
  for (const Zone& zone : kZones) {
    if (zone.name != parts[3]) continue;
    minutes = zone.minutes;
    known = true;
  }
  if (!known) return not_read("the zone's name does not tell its offset");
  return time - absl::Minutes(minutes);
}

absl::StatusOr<std::map<std::string, std::string>> ParseShowEnvironment(absl::string_view text) {
  std::map<std::string, std::string> environment;
  bool any = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos || !IsEnvironmentName(line.substr(0, equals))) continue;
    any = true;
    absl::StatusOr<std::string> value = UnquotePosix(line.substr(equals + 1));
    if (value.ok()) environment[std::string(line.substr(0, equals))] = *std::move(value);
  }
  if (!any && !text.empty()) return NothingIn(text, "variable");
  return environment;
}

absl::StatusOr<std::vector<ListedUnit>> ParseListUnits(absl::string_view text) {
  std::vector<ListedUnit> units;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = StripWhitespace(line);
    for (absl::string_view mark : {"\xe2\x97\x8f", "*"}) {  // "●", and "*" without UTF-8
      if (absl::ConsumePrefix(&line, mark)) line = StripWhitespace(line);
    }
    std::string column[4];
    size_t columns = 0;
    for (; columns < 4 && !line.empty(); ++columns) {
      const size_t end = line.find_first_of(kWhitespace);
      column[columns] = std::string(line.substr(0, end));
      line = end == absl::string_view::npos ? "" : StripWhitespace(line.substr(end));
    }
    // The unit's name has a type; the footer's and header's words have not.
    if (columns < 4 || !absl::StrContains(column[0], '.')) continue;
    units.push_back({.name = column[0],
                     .load = column[1],
                     .active = column[2],
                     .sub = column[3],
                     .description = std::string(line)});
  }
  if (units.empty() && !StripWhitespace(text).empty()) return NothingIn(text, "unit");
  return units;
}

}  // namespace vgpu::systemd
