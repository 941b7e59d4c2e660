// What the process has: its program, its environment as it was started with, what it has mapped.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/baseline/take_parts.h"

namespace vgpu::baseline {
namespace {

using facts::Facts;
using host::Absent;
using host::NotObserved;
using host::Observed;

// Variables that name one start, one session or one terminal: systemd.exec(5), "Environment
// Variables Set or Propagated by the Service Manager", and what shells and logins add. A
// container's HOSTNAME is its id.
constexpr absl::string_view kVolatile[] = {
    "COLUMNS",
    "CREDENTIALS_DIRECTORY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DEBUG_INVOCATION",
    "DISPLAY",
    "EXIT_CODE",
    "EXIT_STATUS",
    "FDSTORE",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LOG_NAMESPACE",
    "LS_COLORS",
    "MAINPID",
    "MAINPIDFDID",
    "MANAGERPID",
    "MANAGERPIDFDID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "NOTIFY_SOCKET",
    "OLDPWD",
    "PIDFILE",
    "PWD",
    "SERVICE_RESULT",
    "SHLVL",
    "SSH_AUTH_SOCK",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_UID",
    "SUDO_USER",
    "SYSTEMD_EXEC_PID",
    "TERM",
    "TRIGGER_PATH",
    "TRIGGER_TIMER_MONOTONIC_USEC",
    "TRIGGER_TIMER_REALTIME_USEC",
    "TRIGGER_UNIT",
    "USERDB",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "WINDOWID",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_ID",
    "_",
};

bool IsVolatile(absl::string_view name) {
  return std::find(std::begin(kVolatile), std::end(kVolatile), name) != std::end(kVolatile);
}

// systemctl's own words for what it is that does not run.
std::string StateSource(const facts::UnitFacts& unit) {
  if (!unit.active_state.present()) return unit.loaded.source;
  return absl::StrCat(unit.loaded.source, ": ActiveState=", *unit.active_state,
                      " SubState=", unit.sub_state.value_or("?"),
                      " Result=", unit.result.value_or("?"));
}

void TakeEnvironment(const Observed<facts::ProcessFacts>& process, Builder& out) {
  constexpr char kPattern[] = "process.environment.*";
  if (!process.present()) return out.Looked(kPattern, NotObserved{"no process runs"});
  if (!process->environ.present()) {
    return out.Looked(
        kPattern, NotObserved{process->environ.absent() ? "it has none"
                                                        : std::string(process->environ.why_not())});
  }
  const procfs::Environ& environ = *process->environ;
  for (const procfs::Environ::Entry& entry : environ.entries()) {
    if (!entry.assignment || IsVolatile(entry.name)) continue;
    // Of a name that stands there twice, what its reader takes: the loader the last.
    const auto value = absl::StartsWith(entry.name, "LD_") ? environ.FindAsLoader(entry.name)
                                                           : environ.Find(entry.name);
    out.PutVariable("process.environment.", entry.name, std::string(value.value_or("")),
                    {process->environ.source});
  }
  Observed<bool> looked = true;
  if (environ.truncated()) looked = NotObserved{"its environment is longer than was read"};
  out.Looked(kPattern, looked);
}

void TakeMapped(const Facts& facts, Builder& out) {
  constexpr char kPattern[] = "process.mapped.*";
  if (!facts.process.present()) return out.Looked(kPattern, NotObserved{"no process runs"});
  const facts::ProcessFacts& process = *facts.process;
  if (!process.maps.present()) return out.Looked(kPattern, NoValue<bool>(process.maps));
  for (const facts::MappedLibrary& library : facts.mapped) {
    if (library.pid != process.pid) continue;
    const bool same = !library.freshness.present() || *library.freshness == facts::Freshness::kSame;
    out.Put(absl::StrCat("process.mapped.", library.mapped.path),
            std::string(same ? "loaded" : "loaded, and the disk has another one now"),
            {process.maps.source});
  }
  Observed<bool> looked = true;
  if (!process.maps->whole()) looked = NotObserved{"its maps could not be read whole"};
  out.Looked(kPattern, looked);
}

Observed<std::string> ContainerText(const facts::ContainerFacts& container) {
  if (container.container.present()) return container.container->runtime;
  if (!container.marker.empty()) return std::string("a container");
  if (container.container.absent()) return std::string("no container");
  return NoValue<std::string>(container.container);
}

}  // namespace

void TakeProcess(const Subject& subject, Builder& out) {
  const Facts& facts = subject.facts;
  const Observed<facts::ProcessFacts>& process = facts.process;
  out.Put("process.running",
          process.Map([](const facts::ProcessFacts&) { return std::string("yes"); }),
          {StateSource(facts.unit)});
  TakeEnvironment(process, out);
  TakeMapped(facts, out);

  Observed<Strings> bound = Absent{};
  const Observed<facts::PreloadList>& list =
      process.present() ? facts.process_preload_file : facts.unit_preload_file;
  From bound_from;
  if (list.present() && list->kind == facts::PreloadKind::kBoundFile) {
    Strings entries;
    for (const facts::PreloadEntry& entry : list->entries) entries.push_back(entry.text);
    bound = entries;
    bound_from = {list->source, list->line};
  } else if (list.not_observed()) {
    bound = NoValue<Strings>(list);
  }
  out.PutList("process.preload", bound, bound_from);

  const auto put = [&](absl::string_view key, Observed<std::string> value, std::string source) {
    if (!process.present()) value = NotObserved{"no process runs"};
    out.Put(key, value, {std::move(source)});
  };
  const facts::ProcessFacts none;
  const facts::ProcessFacts& it = process.present() ? *process : none;
  put("process.executable", it.exe, it.exe.source);
  put("process.executable.state", it.exe.Map([&](const std::string&) {
    return std::string(it.exe_deleted ? "removed or replaced on disk" : "on disk");
  }),
      it.exe.source);
  put("process.executable.build_id",
      facts.exe_file.elf.Map([](const elf::ElfInfo& elf) { return elf.build_id; }), it.exe.source);
  put("process.executable.interpreter",
      facts.exe_file.elf.Map([](const elf::ElfInfo& elf) { return elf.interp; }), it.exe.source);
  put("process.secure", it.auxv.Map([](const procfs::Auxv& auxv) {
    return auxv.Secure().Map([](bool secure) { return std::string(secure ? "yes" : "no"); });
  }),
      it.auxv.source);
  put("process.user", it.identity.Map([](const facts::Identity& who) {
    return who.uid == 0 ? std::string("root") : absl::StrCat("user ", who.uid);
  }),
      it.identity.source);
  put("process.no_new_privileges",
      it.no_new_privs.Map([](bool set) { return std::string(set ? "no" : "yes"); }), "");
  put("process.label", it.label, it.label.source);
  put("process.container", ContainerText(facts.container), "");
}

}  // namespace vgpu::baseline
