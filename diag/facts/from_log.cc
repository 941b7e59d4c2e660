#include "diag/facts/from_log.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

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
