// VG307 crash-loop: the service starts and dies again and again.
//
// The code says how it dies and not why: a loader fault or a wrapper explains it.

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

// The kernel killed it for want of memory: no core is kept of it, and no library is at fault.
// systemd has a result of its own for it (v244 and later).
bool KilledForMemory(const facts::Facts& facts) {
  if (facts.unit.result.value_or("") == "oom-kill") return true;
  const auto& log = facts.log.journal;
  if (!log.present() || log->exits.empty() || log->exits.back().status != "9/KILL") return false;
  const facts::KernelEvent* kill = facts.kernel_log.present()
                                       ? facts.kernel_log->Last(facts::KernelEvent::Kind::kOomKill)
                                       : nullptr;
  const host::Observed<absl::Time>& died = log->exits.back().line.time;
  return kill != nullptr && kill->time.present() && died.present() && *kill->time <= *died &&
         *died - *kill->time < absl::Seconds(5);
}

void SayMemory(const facts::Facts& facts, Holds& holds) {
  if (facts.kernel_log.present()) {
    if (const auto* kill = facts.kernel_log->Last(facts::KernelEvent::Kind::kOomKill)) {
      holds.evidence.push_back({facts.kernel_log.source, static_cast<int>(kill->number), kill->text,
                                "the kernel killed it for want of memory"});
    }
  }
  holds.headline = absl::StrCat(facts.unit.name,
                                " is killed for want of memory at every start: give it more, or "
                                "let it take less.");
  holds.fix.push_back(
      {absl::StrCat("free -h; systemctl show -p MemoryMax,MemoryHigh,Slice ", facts.unit.name),
       "shows what there is, and whether a limit of the unit or its slice is below it", "", ""});
}

}  // namespace

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
  holds.expect = {absl::StrCat("`systemctl is-active ", unit.name,
                               "` says active, and NRestarts stands still")};
  if (KilledForMemory(facts)) {
    SayMemory(facts, holds);
    return holds;
  }
  holds.fix.push_back({absl::StrCat("coredumpctl info ", unit.name),
                       "shows where the last start died, if a core was kept", "", ""});
  // Without a list no preloaded library is at fault: the program itself says why.
  if (unit.loaded_environment.present() && facts.PreloadsNextStart().empty() &&
      !facts.program.script.present()) {
    holds.fix.push_back({absl::StrCat("journalctl -u ", facts.unit.name, " -n 30 --no-pager"),
                         "shows the last words of the program before it died", "", ""});
    return holds;
  }
  for (FixStep& step : ForAPerson(
           SetPreloadSteps(facts, "VG307", "",
                           "starts it once without a preload list: if it then runs, a preloaded "
                           "library is at fault",
                           "the service runs without the shims, until this is undone"))) {
    holds.fix.push_back(std::move(step));
  }
  return holds;
}

}  // namespace vgpu::rules
