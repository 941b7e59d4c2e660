// VG307 crash-loop: the service starts and dies again and again.
//
// The code says how it dies and not why: a loader fault or a wrapper explains it.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

Judgement CrashLoop(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::UnitFacts& unit = facts.unit;
  if (!unit.active_state.present() && !facts.CrashLooping()) {
    return CannotTell{absl::StrCat("whether ", unit.name, " keeps dying"),
                      std::string(unit.active_state.why_not()),
                      absl::StrCat("systemctl status ", unit.name)};
  }
  if (!facts.CrashLooping()) {
    return Contradicted{absl::StrCat("ActiveState=", *unit.active_state,
                                     ", SubState=", unit.sub_state.value_or("?"))};
  }
  Holds holds;
  holds.confidence = Confidence::kPossible;
  if (unit.active_state.present()) {
    holds.evidence.push_back(
        {unit.loaded.source, 0,
         absl::StrCat("ActiveState=", *unit.active_state,
                      " SubState=", unit.sub_state.value_or("?"),
                      " Result=", unit.result.value_or("?"), " NRestarts=",
                      unit.restarts.present() ? absl::StrCat(*unit.restarts) : std::string("?")),
         "systemd starts it, it dies, and systemd starts it again"});
  } else if (!facts.log.journal->restarts.empty()) {
    holds.evidence.push_back(FromLog(*facts.log.journal, facts.log.journal->restarts.back(),
                                     "systemd starts it, it dies, and systemd starts it again"));
  }
  std::string how;
  if (facts.log.journal.present() && !facts.log.journal->exits.empty()) {
    const ollama::Exit& exit = facts.log.journal->exits.back();
    holds.evidence.push_back(
        FromLog(*facts.log.journal, exit.line,
                absl::StrCat("how the last start ended; the log shows ",
                             Count(facts.log.journal->exits_seen, "such end", "such ends"))));
    how = absl::StrCat(" (", exit.status, ")");
  }
  holds.explains = {"VG301"};
  holds.headline = absl::StrCat(unit.name, " dies at every start", how,
                                ", and none of the causes that were looked for explains it.");
  holds.fix.push_back({absl::StrCat("coredumpctl info ", unit.name),
                       "shows where the last start died, if a core was kept", "", ""});
  for (FixStep& step : ForAPerson(
           SetPreloadSteps(facts, "VG307", "",
                           "starts it once without a preload list: if it then runs, a preloaded "
                           "library is at fault",
                           "the service runs without the shims, until this is undone"))) {
    holds.fix.push_back(std::move(step));
  }
  holds.expect = {absl::StrCat("`systemctl is-active ", unit.name,
                               "` says active, and NRestarts stands still")};
  return holds;
}

}  // namespace vgpu::rules
