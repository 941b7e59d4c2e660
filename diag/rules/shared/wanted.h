// What a setting of the unit was meant to give the service, and whether it has it.

#ifndef DIAG_RULES_WANTED_H_
#define DIAG_RULES_WANTED_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/host/observed.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// The service loses what finds its GPU if `value` of `name` has no effect, as the unit on
// disk is: a shim that discovery needs and that no other list brings, or a setting of the
// shims that nothing else sets. A list of device numbers matters where another hides them.
bool LosesByIt(const facts::Facts& facts, absl::string_view name, absl::string_view value);

// The shims that `value` lists, that this era's discovery needs, and that no list of the
// next start brings.
std::vector<std::string> NeededAndNotListed(const facts::Facts& facts, absl::string_view value);

// Whether the running process has `name` as `value` gives it (of LD_PRELOAD: every shim in
// it that is needed, by its environment or its maps).
host::Observed<bool> ProcessHas(const facts::Facts& facts, absl::string_view name,
                                absl::string_view value);

// Fills confidence, acts and explains of a cause that takes `name` away from the service,
// and adds what the process shows.
void AddEffect(const facts::Facts& facts, absl::string_view name, absl::string_view value,
               Holds& holds);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_WANTED_H_
