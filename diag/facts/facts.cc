#include "diag/facts/facts.h"

namespace vgpu::facts {

const ollama::ServerStart* Facts::ThisStart() const {
  const Fact<ollama::DiscoveryLog>& servers = log.ServersLog();
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
    return host::NotObserved{"no `inference compute` line of this process in the log"};
  }
  return start->Result()->on_cuda();
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

const PreloadList* Facts::Preload() const {
  if (process_preload) return &*process_preload;
  return unit_preload ? &*unit_preload : nullptr;
}

bool Facts::CrashLooping() const {
  if (unit.active_state.value_or("") == "activating" &&
      unit.sub_state.value_or("") == "auto-restart") {
    return true;
  }
  // start-limit-hit: systemd gave up after too many starts.
  return unit.active_state.value_or("") == "failed" &&
         (unit.restarts.value_or(0) > 0 || unit.result.value_or("") == "start-limit-hit");
}

}  // namespace vgpu::facts
