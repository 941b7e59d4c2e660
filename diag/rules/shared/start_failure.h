// How systemd itself failed to start the service: before the program ran a single line.

#ifndef DIAG_RULES_START_FAILURE_H_
#define DIAG_RULES_START_FAILURE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// The last start ended with this status of systemd's own ("203/EXEC", "226/NAMESPACE";
// systemd.exec(5), process exit codes), and no process runs: what says so, the latest words
// last. Empty: it did not, or nothing was seen.
std::vector<Evidence> FailedWith(const facts::Facts& facts, absl::string_view status);

// The last line of systemd's about the unit that holds `part`, as evidence.
std::optional<Evidence> SystemdSays(const facts::Facts& facts, absl::string_view part,
                                    std::string meaning);

// "'/home/a b/x'" for a shell, bare where nothing in it is the shell's.
std::string ShellWord(absl::string_view text);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_START_FAILURE_H_
