// Many hosts at once: what each of them has, and what most of them share.
//
//   FleetCollector collector;
//   for (…) collector.Add("captures/a.tar.zst", diagnosis::Diagnose(facts));
//   collector.AddUnreadable("captures/b.tar.zst", "the archive is cut");
//   const Fleet fleet = std::move(collector).Finish();
//   std::cout << ToText(fleet, style);      // fleet_text.h; likewise fleet_json.h and the others
//
// A report is reduced to its row as it is added, so that a thousand of them take little memory:
// what is kept is the row, and each different piece of evidence once. Every text of a Fleet is
// safe to show (shown.h), so that its views need not think of that.
//
// Values; thread-compatible.

#ifndef DIAG_REPORT_FLEET_H_
#define DIAG_REPORT_FLEET_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"

namespace vgpu::report {

// The schema of fleet_json.h: fleet.schema.json.
inline constexpr char kFleetSchema[] = "vgpu-doctor.fleet/1";

// A row: one host.
struct FleetHost {
  std::string root = {};                // what was named: a directory, an archive
  std::string hostname = {};            // as its capture has it; empty where it has none
  std::optional<Verdict> verdict = {};  // none: it could not be read
  bool fault = false;                   // of vgpu-doctor itself, while it was judged
  std::string headline = {};            // or why it could not be read
  // The same with PID for the process's own number, so that hosts on which the same is so say so.
  std::string alike = {};
  std::vector<std::string> causes = {};  // codes of its root causes, first the one to act on
  std::vector<rules::Confidence> confidence = {};  // of each of them
  std::vector<std::string> latent = {};            // codes, each once
  std::string unit = {};
  std::string ollama_version = {};
  std::string era = "unknown";
};

// How people call it: by its name, and by where it lies where it has none.
absl::string_view NameOf(const FleetHost& host);
// The word of its verdict; "fault" and "unreadable" where it has none.
const char* VerdictOf(const FleetHost& host);

// How many hosts have a code.
struct FleetCause {
  std::string code = {};
  std::string id = {};
  std::string title = {};
  size_t hosts = 0;
  size_t certain = 0;  // hosts on which it is certain
  size_t likely = 0;   // and likely, the others are possible
};

// What more than half of the hosts of a cause have in common, or of all hosts that were read.
struct FleetShared {
  std::string code;  // whose hosts; empty: all
  // "ollama_version", "era", "unit" (then `quote` is its value), or "evidence".
  std::string what;
  // Evidence: as in a report, but that /proc/57290 of each host's own process is /proc/PID.
  std::string source;
  std::string quote;
  std::string meaning;
  size_t hosts = 0;
  size_t of = 0;
};

struct Fleet {
  // Those with the same first cause stand together, the cause of most hosts first; then those
  // that could not be judged, the inconclusive, the healthy. In each group by name.
  std::vector<FleetHost> hosts;
  // By how many hosts have them, then by code.
  std::vector<FleetCause> causes;
  std::vector<FleetCause> latent;
  // All hosts', then each cause's in the order of `causes`; the most frequent first.
  std::vector<FleetShared> shared;

  size_t Count(absl::string_view verdict) const;  // "problem", …, "unreadable", "fault"
};

// The worst of its hosts: 70, 2, 1, 3, 0, in this order.
int ExitCode(const Fleet& fleet);

class FleetCollector {
 public:
  void Add(absl::string_view root, const Report& report);
  void AddUnreadable(absl::string_view root, absl::string_view why);
  // vgpu-doctor itself failed on it.
  void AddFault(absl::string_view root, absl::string_view why);

  size_t size() const { return hosts_.size(); }

  // The order in which they were added says nothing in it.
  Fleet Finish() &&;

 private:
  struct Count {
    size_t hosts = 0;
    size_t certain = 0;
    size_t likely = 0;
  };
  using Counts = std::map<std::string, Count>;
  // Code, what, source, quote.
  using Piece = std::tuple<std::string, std::string, std::string, std::string>;
  struct Seen {
    size_t hosts = 0;
    std::string meaning;  // the least of them
  };

  void CountPieces(const Report& shown);
  std::vector<FleetShared> Shared(const std::vector<FleetCause>& causes) const;

  std::vector<FleetHost> hosts_;
  Counts causes_;
  Counts latent_;
  std::map<Piece, Seen> pieces_;
};

}  // namespace vgpu::report

#endif  // DIAG_REPORT_FLEET_H_
