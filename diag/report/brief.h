// What stands together in a report for people, and what a short one leaves to --verbose.
//
// What the verdict rests on is never left out: a root cause has all of its evidence, its repair and
// what will be seen when it worked, and where nothing is known the reasons for that. Left out are
// why each cause was ruled out, quotes that stand above already, and events that no root cause
// names. The JSON form has all of it.
//
// They take a report that is safe to show (shown.h) and point into it.
//
// Pure functions, safe in any thread.

#ifndef DIAG_REPORT_BRIEF_H_
#define DIAG_REPORT_BRIEF_H_

#include <cstddef>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"

namespace vgpu::report {

// Evidence that means the same and comes from one place.
struct EvidenceGroup {
  std::vector<const rules::Evidence*> pieces;  // never empty

  const std::string& meaning() const { return pieces.front()->meaning; }
  // Each once, in their order; without empty ones.
  std::vector<absl::string_view> Quotes() const;
  // "/proc/57290/environ"; "journalctl -u ollama.service -o json, lines 14, 18".
  std::string Place() const;
};

// In the order of the first of each.
std::vector<EvidenceGroup> GroupEvidence(const std::vector<rules::Evidence>& evidence);

// The evidence that stands on the page.
class Quoted {
 public:
  // False: it stands there already, whatever was said of its meaning.
  bool Add(const rules::Evidence& evidence);

 private:
  std::set<std::tuple<std::string, int, std::string>> pieces_;
};

// The causes of a layer that were ruled out.
struct RuledOutLayer {
  absl::string_view title;  // "what the unit says"
  std::string codes;        // "VG201-VG206, VG208": codes that follow each other stand as a range
};

std::vector<RuledOutLayer> RuledOutByLayer(const Report& report);

struct NotSeenGroup {
  std::string what;  // "one; another"
  std::string why;
  std::string how;
};

// What was not seen for one reason, and is seen in one way, stands together. Beside a certain
// cause, which it would only confirm, one way is enough: the reasons then stand together too.
std::vector<NotSeenGroup> GroupNotSeen(const Report& report);

struct NotSeenInBrief {
  std::vector<NotSeenGroup> by_doctor;  // what vgpu-doctor itself can see, by its commands; no why
  std::string others;                   // "one; another"
};

// Without the first `from` items.
NotSeenInBrief BriefNotSeen(const Report& report, size_t from = 0);

// How something is seen: one way, or several.
struct Way {
  absl::string_view lead;  // "", "or by hand", "and beside it"
  absl::string_view text;  // a command (IsCommand), or what to do
};

std::vector<Way> Ways(absl::string_view how);

// Those that a root cause's evidence names, by its place or by a file. The last few where there
// are none of these, and all where there are not more than that.
std::vector<const Event*> EventsNearRootCauses(const Report& report);

// Of several root causes: what a person who repairs the first alone has to know. Empty of one.
std::string OfSeveralCauses(const Report& report);

// Who was judged (phrases.h), in fewer lines.
std::vector<std::pair<std::string, std::string>> InBrief(const Report& report);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_BRIEF_H_
