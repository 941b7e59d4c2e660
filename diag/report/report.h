// A diagnosis, ready to be shown: one value, of which text and JSON are views.
//
//   Report report = diagnosis::Diagnose(facts);
//   std::cout << ToJson(report);            // diag/report/json.h
//   std::cout << ToText(report, style);     // diag/report/text.h
//
// Text from the host stands here verbatim; the views make it safe to show. A value;
// thread-compatible.

#ifndef DIAG_REPORT_REPORT_H_
#define DIAG_REPORT_REPORT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "diag/host/observed.h"
#include "diag/rules/judgement.h"

namespace vgpu::report {

enum class Verdict { kHealthy, kProblem, kInconclusive };

// "healthy", "problem", "inconclusive".
const char* VerdictName(Verdict verdict);
// 0, 1, 3: the exit codes of report.md.
int ExitCode(Verdict verdict);
// "certain", "likely", "possible".
const char* ConfidenceName(rules::Confidence confidence);

struct HostLine {
  host::Observed<std::string> hostname;
  host::Observed<absl::Time> observed_at;
  std::string source;  // "live", "tree", "log"
};

struct Subject {
  std::string unit;         // empty where none is judged
  host::Observed<int> pid;  // absent: no process runs
  host::Observed<std::string> ollama_version;
  std::string era = "unknown";  // "A", "B", "C", "unknown"
  std::string era_because;
};

// An item of root_causes, consequences, latent and notes.
struct Item {
  std::string code = {};  // "VG302"
  std::string id = {};    // "service-started-before-config"
  std::string title = {};
  rules::Confidence confidence = rules::Confidence::kPossible;
  std::vector<rules::Evidence> evidence = {};
  std::vector<std::string> explains = {};      // codes that are in this report
  std::vector<std::string> explained_by = {};  // of a consequence
  std::vector<rules::FixStep> fix = {};
  std::vector<std::string> expect = {};
  // Of a latent fault: the first repair restarts the service, and that start would meet it.
  bool repair_first = false;
};

struct Working {
  std::string what = {};
  std::vector<rules::Evidence> evidence = {};
};

struct RuledOut {
  std::string code = {};
  std::string id = {};
  std::string because = {};
};

struct NotSeen {
  std::string what = {};
  std::string why = {};
  std::string how = {};
};

struct Event {
  absl::Time time;
  std::string event;
  std::string source;
};

struct Report {
  HostLine host;
  Subject subject;
  Verdict verdict = Verdict::kInconclusive;
  std::string headline;
  std::vector<Item> root_causes;
  std::vector<Item> consequences;
  std::vector<Item> latent;
  std::vector<Item> notes;
  std::vector<Working> working;
  std::vector<RuledOut> ruled_out;
  std::vector<NotSeen> not_observed;
  std::vector<std::string> skipped;  // codes that were not judged, because it was asked for
  std::vector<Event> timeline;       // by time
  absl::TimeZone time_zone;          // in which the host tells its time
};

}  // namespace vgpu::report

#endif  // DIAG_REPORT_REPORT_H_
