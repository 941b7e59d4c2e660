// What several rules ask of the facts, and how they word what they saw.

#ifndef DIAG_RULES_COMMON_H_
#define DIAG_RULES_COMMON_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// A variable that decides discovery and is not the same in two places.
struct Difference {
  std::string name;
  facts::Variable wanted;              // with a present value, or absent: should not be set
  host::Observed<std::string> actual;  // absent: not set; not observed: only its effect is
};

// What the unit gives, and the process does not have (or has otherwise). The unit is
// what systemd has loaded; where that was not seen, and nothing says that it differs,
// what the disk says. Not observed where either side is.
host::Observed<std::vector<Difference>> LostByProcess(const facts::Facts& facts);
// The same, for the unit on disk, whatever systemd has loaded.
host::Observed<std::vector<Difference>> DiskLostByProcess(const facts::Facts& facts);
// What both sides of `lost` say, two pieces of evidence for each.
void AddLost(const facts::Facts& facts, const std::vector<Difference>& lost, Holds& holds);
// The unit, as far as it was seen, gives a variable that decides discovery.
bool UnitDecidesDiscovery(const facts::Facts& facts);
// When the file that gives a variable was written. Not observed where the variable
// comes from no file that is known.
host::Observed<absl::Time> WrittenAt(const facts::Facts& facts, const std::string& name);

// What the unit on disk gives, and the loaded one does not (or gives otherwise).
host::Observed<std::vector<Difference>> NotLoaded(const facts::Facts& facts);

// A loader's variable that only what runs still has: its loss at the next start can hide a
// GPU, and its presence cannot.
bool TakesNothingAway(const Difference& difference);

// "SOURCE: why", where `why` does not begin with its source already.
std::string Because(absl::string_view source, absl::string_view why);

// "LD_PRELOAD=/usr/lib64/…".
std::string Assignment(absl::string_view name, absl::string_view value);
// "LD_PRELOAD is missing, CUDA_VISIBLE_DEVICES differs".
std::string Describe(const std::vector<Difference>& differences);
// "3 entries", "1 entry".
std::string Count(size_t n, absl::string_view one, absl::string_view many);
// Local time of the host, as `systemctl status` would show it: "2026-02-24 09:41:07 -0500".
std::string TimeText(const facts::Facts& facts, absl::Time time);

Evidence FromVariable(const std::string& name, const facts::Variable& variable,
                      std::string meaning);
Evidence FromLog(const ollama::DiscoveryLog& log, const ollama::LogLine& line, std::string meaning);

// The line that says that discovery found no GPU, where the log of this process has it.
// Empty otherwise: then the effect is not known.
std::vector<Evidence> NoGpuEvidence(const facts::Facts& facts);
// The maps of the process show no file that is called like a shim. Not observed where
// the maps are not.
host::Observed<bool> NoShimMapped(const facts::Facts& facts);
// That, as evidence; empty where it is not so.
std::vector<Evidence> NoShimEvidence(const facts::Facts& facts);

// "sudo systemctl restart ollama.service", with its risk.
FixStep RestartStep(const facts::Facts& facts, std::string why);
FixStep ReloadStep(std::string why);
// What a log line will say when discovery finds the device.
std::string ExpectGpuLine(const facts::Facts& facts);

// Steps that give the service another preload list, at the place that wins.
std::vector<FixStep> SetPreloadSteps(const facts::Facts& facts, absl::string_view code,
                                     absl::string_view value, std::string why, std::string risk);

// No preload list was found. Whether there is none, or it could not be seen.
Judgement WithoutPreload(const facts::Facts& facts);

// What was not seen when unit and process could not be compared.
std::string WhatToCompare(const facts::Facts& facts);

// How to see what another user's process has.
std::string HowToSeeProcess(const facts::Facts& facts);

// The judgement of a rule about the unit where there is none to judge: no unit was named
// (cannot tell), or there is no such unit (contradicted). Nothing where there is one.
std::optional<Judgement> WithoutUnit(const facts::Facts& facts);

// Steps that put `lines` into effect for the service: a drop-in that sorts behind all
// others, a reload, a restart. (`systemctl edit` writes override.conf, which a drop-in
// whose name sorts behind it overrides again.)
// The drop-in bears the code of the cause, so that two repairs are two files.
std::vector<FixStep> LastDropInSteps(const facts::Facts& facts, absl::string_view code,
                                     const std::vector<std::string>& lines, std::string why,
                                     std::string risk);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_COMMON_H_
