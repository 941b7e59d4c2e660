// Steps of repairs that `vgpu-doctor fix --apply` can carry out: the command that a person
// reads, the one that takes it back, and the action (action.h), from the same values.

#ifndef DIAG_RULES_STEPS_H_
#define DIAG_RULES_STEPS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// "'/opt/a b/x.so'": as a shell wants it; unchanged where it needs no quotes.
std::string ShellQuoted(absl::string_view text);

// A new file; `also_undo` (" && …") is what must follow its removal.
FixStep WriteNewFileStep(absl::string_view path, absl::string_view content, std::string why,
                         std::string risk, absl::string_view also_undo = "");

// A file of lines in the place of another, by renaming.
FixStep WriteLinesStep(absl::string_view path, const std::vector<std::string>& lines,
                       std::string why);

// Takes entries out of /etc/ld.so.preload: a copy, and what to edit.
std::vector<FixStep> RemoveGlobalPreloadSteps(const std::vector<std::string>& entries,
                                              std::string why);

FixStep MoveFileStep(absl::string_view from, absl::string_view to, std::string why,
                     std::string risk);

// A link where nothing is.
FixStep NewLinkStep(absl::string_view path, absl::string_view target, std::string why,
                    std::string risk);

// A link in the place of a file, which is kept under the name `path``suffix`.
FixStep ReplaceByLinkStep(absl::string_view path, absl::string_view target,
                          absl::string_view suffix, std::string why, std::string risk);

// `change` is "o+x", "a+r", "a+rx" or "a+rw"; `undo` is chmod's own argument.
FixStep OpenModeStep(absl::string_view path, absl::string_view change, absl::string_view undo,
                     std::string why, std::string risk);

// The same steps for a person alone: to be tried, and not to be kept without a look at what
// came of it.
std::vector<FixStep> ForAPerson(std::vector<FixStep> steps);

// The same step, as one of two ways: --apply takes what stands behind it.
FixStep OneWay(FixStep step);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_STEPS_H_
