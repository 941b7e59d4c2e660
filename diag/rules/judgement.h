// What a rule says about a host: a Judgement, one of three.
//
//   Holds          the cause is there: with evidence, and what it would explain
//   Contradicted   it was looked for, and evidence stands against it
//   CannotTell     an input that it needs was not observed
//
// A rule whose inputs are missing never passes and never fails. Values;
// thread-compatible.

#ifndef DIAG_RULES_JUDGEMENT_H_
#define DIAG_RULES_JUDGEMENT_H_

#include <string>
#include <variant>
#include <vector>

#include "diag/rules/action.h"

namespace vgpu::rules {

// One thing that was seen. `source` is a path or a command as a person would look at
// it; `line` is 1-based, 0 where the source has no lines. `quote` is verbatim from the
// host: whoever shows it makes control characters visible.
struct Evidence {
  std::string source = {};
  int line = 0;
  std::string quote = {};
  std::string meaning = {};
};

struct FixStep {
  std::string command = {};
  std::string why = {};
  std::string risk = {};
  std::string undo = {};
  Action action = ByHand{};  // what `vgpu-doctor fix --apply` does in the command's place
};

// kCertain needs cause and effect to have been observed directly.
enum class Confidence { kCertain, kLikely, kPossible };

// Whether it acts on what runs (or fails to run) now, or only after the next start.
enum class Acts { kNow, kNextStart };

struct Holds {
  Confidence confidence = Confidence::kPossible;
  Acts acts = Acts::kNow;
  // Of a code that is a risk or a note as a rule: on this host it is a cause.
  bool is_cause = false;
  // Part of what was seen can follow from no other code: no finding explains this one.
  bool independent = false;
  // Of a code that is a cause as a rule: on this host it is only worth knowing.
  bool is_note = false;
  // One sentence that a person can act on, should this be the first root cause.
  std::string headline = {};
  std::vector<Evidence> evidence = {};
  std::vector<std::string> explains = {};  // codes of what would follow from it
  std::vector<FixStep> fix = {};
  std::vector<std::string> expect = {};  // what will be seen when the fix worked
};

struct Contradicted {
  std::string because = {};
};

// What was missing, why, and how a person can see it.
struct CannotTell {
  std::string what = {};
  std::string why = {};
  std::string how = {};
};

using Judgement = std::variant<Holds, Contradicted, CannotTell>;

}  // namespace vgpu::rules

#endif  // DIAG_RULES_JUDGEMENT_H_
