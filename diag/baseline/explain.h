// From what differs to what a person should look at: the differences in the order of how much each
// can explain, the causes that each may have, and those of them that hold on this host.
//
//   const Diff diff = Explain(baseline, Compare(baseline, now), diagnosis::Diagnose(facts));
//   std::cout << ToText(diff, style);
//
// A cause that the evidence of the present host contradicts is never named. One is likely only
// where the diagnosis of the present host says that it holds. Pure; thread-safe.

#ifndef DIAG_BASELINE_EXPLAIN_H_
#define DIAG_BASELINE_EXPLAIN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "diag/baseline/compare.h"
#include "diag/baseline/snapshot.h"
#include "diag/report/report.h"
#include "diag/report/text.h"

namespace vgpu::baseline {

enum class DiffVerdict {
  kSame,
  kDrift,
  kInconclusive,  // nothing is known to differ, and something was not observed this time
};

// "same", "drift", "inconclusive"; 0, 1, 3.
const char* DiffVerdictName(DiffVerdict verdict);
int ExitCode(DiffVerdict verdict);

struct Explained {
  Change change;
  std::vector<std::string> may_cause;  // codes; the likelier first
};

struct LikelyCause {
  std::string code;
  std::string id;
  std::string title;
  rules::Confidence confidence = rules::Confidence::kPossible;
  bool latent = false;               // it acts after the next start
  std::vector<std::string> because;  // keys
};

// Another baseline that was given, and how far away it is.
struct OtherBaseline {
  std::string name;
  size_t differences = 0;
};

struct Diff {
  std::string name;
  host::Observed<absl::Time> captured_at;
  absl::TimeZone time_zone;
  bool verified = false;
  std::string because;
  report::HostLine host;
  absl::TimeZone host_zone;
  std::string unit;

  DiffVerdict verdict = DiffVerdict::kSame;
  std::string headline;
  std::vector<Explained> changes;  // what was not observed stands last
  std::vector<LikelyCause> likely_causes;
  std::vector<NotCompared> not_compared;
  size_t same = 0;
  std::vector<OtherBaseline> others;

  size_t Differences() const;  // without what was not observed
};

Diff Explain(const Snapshot& baseline, Comparison comparison, const report::Report& report);

// How far a host is from a baseline: of several, the smallest one is the nearest.
int Distance(const Comparison& comparison);

// A value in one line: a list's entries with ":" between them.
std::string ValueText(const Value& value);

// The two views; text is safe to print. JSON is of the form "vgpu-doctor.diff/1".
std::string ToJson(const Diff& diff);
std::string ToText(const Diff& diff, const report::TextStyle& style);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_EXPLAIN_H_
