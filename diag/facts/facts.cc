#include "diag/facts/facts.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/probe/conclude.h"

namespace vgpu::facts {

const ollama::ServerStart* Facts::ThisStart() const {
  const Fact<ollama::DiscoveryLog>& servers = log.ServersLog();
  // The last start of a log is the one that it was pasted for.
  if (only_a_log) {
    return servers.present() && !servers->starts.empty() ? &servers->starts.back() : nullptr;
  }
  if (!process.present() || !servers.present()) return nullptr;
  ollama::DiscoveryLog::Process who;
  who.invocation = unit.invocation.value_or("");
  who.pid = process->pid;
  who.started = process->started;
  return servers->StartOf(who);
}

host::Observed<bool> Facts::FoundGpu() const {
  const ollama::ServerStart* start = ThisStart();
  if (start == nullptr || start->Result() == nullptr) {
    // A discovery that began in this log and shows no end is one that hangs, whatever another
    // process finds in its place.
    const bool unseen = start == nullptr || !start->began;
    if (unseen && process.present() && probe.result.present() && probe::Verified(*probe.result)) {
      return true;
    }
    return host::NotObserved{"no `inference compute` line of this process in the log"};
  }
  return start->Result()->on_cuda() && start->LostLater() == nullptr;
}

host::Observed<bool> Facts::StartedBeforeReload() const {
  if (!process.present()) return host::NotObserved{"no process was seen"};
  // One clock for both, where systemd gives both stamps for this very process.
  if (unit.started_usec.present() && unit.reloaded_usec.present() && unit.main_pid.present() &&
      *unit.main_pid == process->pid) {
    return *unit.started_usec < *unit.reloaded_usec;
  }
  // The wall clock has whole seconds on one side: equal ones say nothing.
  if (process->started.present() && unit.reloaded_at.present()) {
    absl::Duration between = *unit.reloaded_at - *process->started;
    if (between > absl::Seconds(2)) return true;
    if (between < -absl::Seconds(2)) return false;
  }
  return host::NotObserved{"when systemd last loaded its units, or when the process started"};
}

namespace {

const PreloadList* BoundList(const host::Observed<PreloadList>& list) {
  return list.present() && list->kind == PreloadKind::kBoundFile ? &list.value() : nullptr;
}

std::vector<const PreloadList*> Both(const PreloadList* environment,
                                     const host::Observed<PreloadList>& file) {
  std::vector<const PreloadList*> lists;
  if (environment != nullptr) lists.push_back(environment);
  if (file.present()) lists.push_back(&file.value());
  return lists;
}

}  // namespace

const PreloadList* Facts::Preload() const {
  if (process_preload) return &*process_preload;
  if (unit_preload) return &*unit_preload;
  if (const PreloadList* bound = BoundList(process_preload_file)) return bound;
  return BoundList(unit_preload_file);
}

std::vector<const PreloadList*> Facts::PreloadsNow() const {
  if (!process.present()) return {};
  // Where its environment could not be read, what its unit gives stands in.
  const PreloadList* environment = process_preload ? &*process_preload : nullptr;
  if (!process_preload && !process->environ.present() && unit_preload) environment = &*unit_preload;
  return Both(environment, process_preload_file);
}

std::vector<const PreloadList*> Facts::PreloadsNextStart() const {
  return Both(unit_preload ? &*unit_preload : nullptr, unit_preload_file);
}

bool NoSystemd(const UnitFacts& unit) {
  if (unit.loaded.present()) return false;
  // What systemctl says of it (systemd 252, bus_log_connect_error), and that there is none.
  return absl::StrContains(unit.loaded.why_not(), "not been booted with systemd") ||
         absl::StrContains(unit.loaded.why_not(), "systemctl: not installed");
}

bool Facts::UnitRunsContainer() const {
  constexpr absl::string_view kEngines[] = {"docker", "docker-compose", "lxc-start",     "nerdctl",
                                            "podman", "podman-compose", "systemd-nspawn"};
  if (!unit_judged) return false;
  const std::string text = absl::StrCat(program.command, "\n", program.script.value_or(""));
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \t\n;&|()\"'"))) {
    if (std::find(std::begin(kEngines), std::end(kEngines), host::Basename(word)) !=
        std::end(kEngines)) {
      return true;
    }
  }
  return false;
}

bool Facts::UnitIsKnown() const {
  if (unit.files.fragment.present()) return true;
  if (unit.load_state.present()) return *unit.load_state != "not-found";
  return process.present() || (log.journal.present() && log.journal->lines > 0);
}

bool Facts::CrashLooping() const {
  if (log.journal.present() && log.journal->exits.size() >= 3) {
    // Caught alive between two deaths: many just now, and nothing of discovery yet.
    const std::vector<ollama::Exit>& exits = log.journal->exits;
    const host::Observed<absl::Time>& third_last = exits[exits.size() - 3].line.time;
    const host::Observed<absl::Time>& last = exits.back().line.time;
    const host::Observed<absl::Time>& now = observed_at.present() ? observed_at : log.journal->last;
    const ollama::ServerStart* start = ThisStart();
    if (process.present() && third_last.present() && last.present() && now.present() &&
        *last - *third_last < absl::Minutes(15) && *now - *last < absl::Minutes(2) &&
        (start == nullptr || start->Result() == nullptr)) {
      return true;
    }
  }
  if (unit.active_state.not_observed() && !process.present() && log.journal.present()) {
    const std::vector<ollama::Exit>& exits = log.journal->exits;
    if (exits.size() < 2 || log.journal->starts.empty()) return false;
    const ollama::Exit& before = exits[exits.size() - 2];
    if (before.line.time.present() && exits.back().line.time.present() &&
        *exits.back().line.time - *before.line.time > absl::Minutes(15)) {
      return false;  // it died, and died again on another day
    }
    const ollama::ServerStart& last = log.journal->starts.back();
    return last.exit || (!last.listening && last.results.empty());
  }
  if (unit.active_state.value_or("") == "activating" &&
      unit.sub_state.value_or("") == "auto-restart") {
    return true;
  }
  // start-limit-hit: systemd gave up after too many starts.
  return unit.active_state.value_or("") == "failed" &&
         (unit.restarts.value_or(0) > 0 || unit.result.value_or("") == "start-limit-hit");
}

bool Facts::DiesAtStart() const {
  const std::string result = unit.result.value_or("");
  return CrashLooping() || (unit.active_state.value_or("") == "failed" &&
                            (result == "core-dump" || result == "signal" || result == "exit-code"));
}

}  // namespace vgpu::facts
