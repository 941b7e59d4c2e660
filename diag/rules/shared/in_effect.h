// A variable as the server has it now, and as its next start would have it.

#ifndef DIAG_RULES_IN_EFFECT_H_
#define DIAG_RULES_IN_EFFECT_H_

#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

struct InEffect {
  std::string name;
  host::Observed<std::string> value;  // absent: not set
  Acts acts = Acts::kNow;
  // Read from the process itself; false: what the unit gives, and so the process should have.
  bool of_process = false;
  std::vector<Evidence> evidence;  // where it is set; two places where two were seen
};

// What counts for the server that runs: of its environment, or, where that was not seen, of
// the unit. Not observed also where nothing runs.
InEffect ValueNow(const facts::Facts& facts, const std::string& name);
// What the next start would get: of what systemd has loaded, else of the disk.
InEffect ValueAtNextStart(const facts::Facts& facts, const std::string& name);

// Both, in this order: what a rule about a variable judges, one after the other.
std::vector<InEffect> ValuesInEffect(const facts::Facts& facts, const std::string& name);

// Steps that take the variable away from the service, wherever it comes from.
std::vector<FixStep> UnsetSteps(const facts::Facts& facts, absl::string_view code,
                                const InEffect& variable);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_IN_EFFECT_H_
