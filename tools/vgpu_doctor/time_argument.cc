#include "tools/vgpu_doctor/time_argument.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace vgpu::doctor {
namespace {

struct Unit {
  absl::string_view name;
  absl::Duration length;
};

}  // namespace

absl::StatusOr<absl::Time> ParseTimeArgument(absl::string_view text, absl::Time now,
                                             absl::TimeZone zone) {
  const absl::string_view whole = text = absl::StripAsciiWhitespace(text);
  const absl::CivilDay today(absl::ToCivilSecond(now, zone));
  if (text == "now") return now;
  if (text == "today") return absl::FromCivil(today, zone);
  if (text == "yesterday") return absl::FromCivil(today - 1, zone);

  absl::Time time;
  for (const char* form :
       {"%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M:%E*S",
        "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(form, text, zone, &time, nullptr)) return time;
  }
  for (const char* form : {"%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"}) {
    const std::string of_today = absl::StrCat(absl::FormatCivilTime(today), " ", text);
    if (absl::ParseTime(form, of_today, zone, &time, nullptr)) return time;
  }
  int64_t seconds = 0;
  if (absl::ConsumePrefix(&text, "@")) {
    if (absl::SimpleAtoi(text, &seconds)) return absl::FromUnixSeconds(seconds);
  } else if (absl::ConsumePrefix(&text, "-") || absl::ConsumeSuffix(&text, " ago")) {
    const Unit units[] = {
        {"s", absl::Seconds(1)},       {"sec", absl::Seconds(1)},     {"m", absl::Minutes(1)},
        {"min", absl::Minutes(1)},     {"h", absl::Hours(1)},         {"d", absl::Hours(24)},
        {"w", absl::Hours(24 * 7)},    {"hour", absl::Hours(1)},      {"hours", absl::Hours(1)},
        {"day", absl::Hours(24)},      {"days", absl::Hours(24)},     {"minutes", absl::Minutes(1)},
        {"week", absl::Hours(24 * 7)}, {"weeks", absl::Hours(24 * 7)}};
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    int count = 0;
    if (absl::SimpleAtoi(text.substr(0, digits), &count)) {
      const absl::string_view name = absl::StripAsciiWhitespace(text.substr(digits));
      for (const Unit& unit : units) {
        if (name == unit.name) return now - count * unit.length;
      }
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      whole, ": is no time; write \"2026-02-24 10:06\", \"10:06\", \"today\" or \"2h ago\""));
}

}  // namespace vgpu::doctor
