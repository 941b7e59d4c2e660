// VG705 discovery-not-in-log: the log at hand cannot show discovery. Absence of a line
// is not observed; it never means that discovery did not run.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

Judgement DiscoveryNotInLog(const facts::Facts& facts) {
  if (!facts.process.present()) return Contradicted{"no process runs whose discovery could show"};
  const ollama::ServerStart* start = facts.ThisStart();
  if (start != nullptr && start->Result() != nullptr) {
    return Contradicted{"the log has the `inference compute` line of this process"};
  }
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  Holds holds;
  holds.confidence = Confidence::kCertain;
  const host::Observed<absl::Time>& started = facts.process->started;
  if (!log.present()) {
    holds.evidence.push_back(
        {log.source, 0, "", absl::StrCat("the log could not be read: ", log.why_not())});
  } else if (log->lines == 0) {
    holds.evidence.push_back({log.source, 0, "", "the log is empty"});
  } else if (start != nullptr && !start->cut_results.empty()) {
    holds.evidence.push_back(
        FromLog(*log, start->cut_results.back(),
                "this is discovery's result, and it is cut off before it names a library: whoever "
                "wrote the log down kept only the beginning of its lines"));
  } else if (log->first.present() && started.present() &&
             *log->first > *started + absl::Seconds(2)) {
    holds.evidence.push_back(
        {log.source, 1, absl::StrCat("first record ", TimeText(facts, *log->first)),
         absl::StrCat("the log begins after the process was started (", TimeText(facts, *started),
                      "): discovery runs at the start, and its lines are not in it")});
  } else if (!log->status.ok()) {
    holds.evidence.push_back(
        {log.source, static_cast<int>(log->lines), "",
         absl::StrCat("the log was not read to its end: ", log->status.message())});
  } else if (start != nullptr && start->from_its_beginning()) {
    const ollama::LogLine& line = start->began       ? *start->began
                                  : start->listening ? *start->listening
                                                     : *start->server_config;
    holds.evidence.push_back(FromLog(
        *log, line,
        "the start of this process is in the log and the result of its discovery is not: "
        "discovery still runs or hangs (a pass may take 30 seconds), or the log lost lines"));
  } else {
    holds.evidence.push_back(
        {log.source, 0, "",
         absl::StrCat("none of its ", log->lines, " lines is a line of this process's start")});
  }
  if (facts.unit_judged && !facts.log.redirected.absent() && !facts.log.redirected.present()) {
    holds.fix =
        LastDropInSteps(facts, "VG705", {"StandardError=journal"},
                        "what Ollama says then reaches the journal, discovery included", "");
  } else if (facts.unit_judged) {
    holds.fix.push_back({absl::StrCat("journalctl -u ", facts.unit.name,
                                      " --no-pager | grep -E 'inference compute|GPU discovery'"),
                         "looks at all that the journal still has", "", ""});
    holds.fix.push_back(RestartStep(
        facts, "discovery runs once, at the start: after it, `vgpu-doctor check` sees the result"));
  }
  return holds;
}

}  // namespace vgpu::rules
