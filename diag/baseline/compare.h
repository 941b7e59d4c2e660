// What differs between two snapshots, three-valued: a thing changed, or it is missing, or it was
// not observed this time. What is not known of either side is never a difference.
//
//   const Comparison comparison = Compare(baseline, now);
//   for (const Change& change : comparison.changes) ...        // by key
//
// `now` has to be sealed with the salt of `before` (seal.h). A difference that follows from another
// one (kinds.h: parent, echo_of) is left out. Pure; thread-safe.

#ifndef DIAG_BASELINE_COMPARE_H_
#define DIAG_BASELINE_COMPARE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "diag/baseline/kinds.h"
#include "diag/baseline/snapshot.h"

namespace vgpu::baseline {

struct Change {
  enum class How {
    kChanged,
    kMissing,    // the baseline has it, and it is not there
    kAdded,      // it is there, and the baseline knows that it was not
    kReordered,  // the same entries in another order
    kNotObserved,
  };
  std::string key;  // of several that were not observed for one reason: the pattern of their kind
  How how = How::kChanged;
  const Kind* kind = nullptr;
  host::Observed<Value> before;
  host::Observed<Value> now;
  // Where it is now; what is missing, where it was.
  std::string source = {};
  int line = 0;
  // Of a list.
  std::vector<std::string> items_added = {};
  std::vector<std::string> items_missing = {};

  // What it is, for people.
  std::string What() const;
};

// "changed", "missing", "added", "reordered", "not_observed".
absl::string_view HowName(Change::How how);

// What cannot be compared, and why.
struct NotCompared {
  std::string what = {};
  std::string why = {};
};

struct Comparison {
  std::vector<Change> changes;
  std::vector<NotCompared> not_compared;
  size_t same = 0;
};

Comparison Compare(const Snapshot& before, const Snapshot& now);

// Entries of `now` that are in no longest common subsequence of both, in their order; and of
// `before` likewise.
struct ListDifference {
  std::vector<std::string> added;
  std::vector<std::string> missing;
  bool moved = false;  // an entry is in both, and stands elsewhere
};
ListDifference Differ(const std::vector<std::string>& before, const std::vector<std::string>& now);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_COMPARE_H_
