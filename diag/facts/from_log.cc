#include "diag/facts/from_log.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vgpu::facts {
namespace {

using host::NotObserved;

constexpr char kUsualUnit[] = "ollama.service";

// What the version, or else a line that only one era prints, says of the era.
void FindEra(Facts& facts) {
  OllamaFacts& ollama = facts.ollama;
  const ollama::DiscoveryLog& log = *facts.log.journal;
  for (const ollama::ServerStart& start : log.starts) {
    if (start.version.empty()) continue;
    ollama.version = {absl::StrCat(log.source, ", line ", start.listening->number), start.version};
  }
  if (std::optional<ollama::Version> version = ollama::ParseVersion(ollama.version.value_or(""))) {
    ollama.era = ollama::EraOf(*version);
    ollama.era_because =
        absl::StrCat("version ", *ollama.version, " (", ollama.version.source, ")");
    return;
  }
  for (const ollama::ServerStart& start : log.starts) {
    if (start.era == ollama::Era::kUnknown || !start.era_line) continue;
    ollama.era = start.era;
    ollama.era_because =
        absl::StrCat("only this era prints line ", start.era_line->number, " of ", log.source);
  }
  if (ollama.era == ollama::Era::kUnknown) {
    ollama.era_because = "the log has neither a version nor a line that only one era prints";
  }
}

// Of a record's own time: "time=2026-02-26T06:13:22.353-05:00 level=…".
std::optional<absl::TimeZone> ZoneOf(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "time=")) return std::nullopt;
  text = text.substr(0, text.find(' '));
  if (absl::EndsWith(text, "Z")) return absl::UTCTimeZone();
  int hours = 0, minutes = 0;
  if (text.size() < 6) return std::nullopt;
  text = text.substr(text.size() - 6);
  if ((text[0] != '+' && text[0] != '-') || text[3] != ':' ||
      !absl::SimpleAtoi(text.substr(1, 2), &hours) || !absl::SimpleAtoi(text.substr(4), &minutes)) {
    return std::nullopt;
  }
  const int seconds = (hours * 60 + minutes) * 60;
  return absl::FixedTimeZone(text[0] == '-' ? -seconds : seconds);
}

// In which the server told its time last.
std::optional<absl::TimeZone> ZoneOf(const ollama::DiscoveryLog& log) {
  std::optional<absl::TimeZone> zone;
  const auto take = [&](const ollama::LogLine& line) {
    if (auto of_line = ZoneOf(line.text)) zone = of_line;
  };
  for (const ollama::ServerStart& start : log.starts) {
    for (const auto* line : {&start.server_config, &start.listening, &start.began}) {
      if (*line) take(**line);
    }
    for (const ollama::Compute& result : start.results) take(result.line);
  }
  return zone;
}

}  // namespace

Facts FromLog(host::ByteSource& source, const FromLogOptions& options) {
  Facts facts;
  facts.only_a_log = true;
  facts.running_host = true;  // the log is of one
  const NotObserved unseen{kOnlyALog};
  facts.hostname = unseen;
  facts.observed_at = unseen;
  facts.time_zone = options.time_zone;
  facts.observer_uid = unseen;
  facts.log.journal = {
      options.name, ollama::ReadPastedLog(source, options.name, options.time_zone, options.since)};
  facts.log.standard_error = {options.name, unseen};
  facts.log.redirected = {options.name, host::Absent{}};

  const ollama::DiscoveryLog& log = *facts.log.journal;
  facts.time_zone = ZoneOf(log).value_or(options.time_zone);
  facts.unit_judged = log.is_journal;
  facts.unit.name = log.unit.empty() ? kUsualUnit : log.unit;
  facts.unit.loaded = {"", unseen};
  facts.unit.manager = {"", unseen};
  facts.unit.loaded_environment = {"", unseen};
  facts.unit.load_state = facts.unit.active_state = facts.unit.sub_state = unseen;
  facts.unit.result = facts.unit.invocation = unseen;
  facts.unit.main_pid = unseen;
  facts.process = unseen;
  facts.listener = {"", unseen};
  facts.ollama.exe = {"", unseen};
  facts.ollama.version = {"", unseen};
  facts.ollama.library_dir = {"", unseen};
  FindEra(facts);
  return facts;
}

}  // namespace vgpu::facts
