// The kinds of keys that a snapshot has, as data: how a value of the kind is compared, how much a
// difference in it can explain, and which causes it may have.
//
//   const Kind* kind = FindKind("unit.environment.LD_PRELOAD");
//   kind->pattern      // "unit.environment.LD_PRELOAD"
//   kind->Causes()     // {"VG401", "VG402", …}
//
// A pattern has at most one star, which stands for any text. Of the kinds that a key fits, the one
// with the longest pattern is its kind. Pure; thread-safe.

#ifndef DIAG_BASELINE_KINDS_H_
#define DIAG_BASELINE_KINDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::baseline {

enum class Class {
  kIdentity,  // it is the same text, or it changed
  kOrdered,   // a list: what was added, what is missing, what stands elsewhere
  kBounded,   // a number, within a range
};

// "identity", "ordered", "bounded".
absl::string_view ClassName(Class kind_class);

enum Flag : unsigned {
  kPerMachine = 1,  // says nothing about another machine
  kPerProfile = 2,  // or about another kind of device
  kPerVersion = 4,  // or about another version of Ollama
  kPerEra = 8,      // or about another era of Ollama
  kPerUnit = 128,   // or about a unit of another name
  // Whether it is seen depends on who looks and how much is logged, and another key says the same
  // more roughly: that it is not observed this time is not worth a word.
  kQuiet = 16,
  // That it was absent is worth as much as a value: not observed this time is said then too.
  kAbsenceCounts = 32,
  // What comes into view only because something else changed: it is never `added`.
  kNeverAdded = 64,
};

struct Kind {
  absl::string_view pattern;  // "unit.environment.*"
  Class value_class = Class::kIdentity;
  // How much a difference of it can explain, 0 to 100. Of two, the larger one is named first.
  int weight = 0;
  absl::string_view what;    // for people; the star is that of the pattern
  absl::string_view causes;  // codes, blanks between them; the likelier first
  // Where the key of this pattern (with the same text for its star) differs, this one does because
  // of that, and is not named. Empty: there is none.
  absl::string_view parent = "";
  // The same, where both changed in the same way: what the unit says, the process has too.
  absl::string_view echo_of = "";
  unsigned flags = 0;
  // Beginnings of keys, blanks between them: where one of those differs (by a kind that follows
  // from nothing), this follows from it.
  absl::string_view derived_from = "";
  // Of a bounded value: as far as it may go away from the baseline's, the larger of both.
  double relative = 0;
  double absolute = 0;
  // Where it was added: another file of a name does other harm than a missing one. Empty: `causes`.
  absl::string_view causes_if_added = "";

  std::vector<absl::string_view> Causes(bool added = false) const;
  bool HasStar() const { return pattern.find('*') != absl::string_view::npos; }
  bool Is(Flag flag) const { return (flags & flag) != 0; }
  // What the star stands for in `key`, which is of this kind.
  absl::string_view Star(absl::string_view key) const;
  // `pattern` or `what` of any kind, with `key`'s text for its star.
  std::string Fill(absl::string_view text, absl::string_view key) const;
};

absl::Span<const Kind> Kinds();

// Null: no kind has such a key.
const Kind* FindKind(absl::string_view key);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_KINDS_H_
