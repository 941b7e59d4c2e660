// Facts: all that the rules may know about a host, gathered once.
//
//   Facts facts = Gather(host, {.unit = "ollama.service"});     // gather.h
//   if (facts.process.environ.present() && !facts.process.environ->Find("LD_PRELOAD")) ...
//
// A Fact carries where it was read; each is present, absent or not observed. A rule
// sees Facts and never a Host. Values; thread-compatible.

#ifndef DIAG_FACTS_FACTS_H_
#define DIAG_FACTS_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "diag/elf/elf.h"
#include "diag/facts/access.h"
#include "diag/facts/container_facts.h"
#include "diag/facts/cpu.h"
#include "diag/facts/device_facts.h"
#include "diag/facts/installation.h"
#include "diag/facts/kernel_log.h"
#include "diag/facts/loaded_model.h"
#include "diag/facts/loader_facts.h"
#include "diag/facts/mapped_library.h"
#include "diag/facts/probe_facts.h"
#include "diag/facts/servers.h"
#include "diag/facts/shims.h"
#include "diag/facts/sight.h"
#include "diag/facts/unit_wishes.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/ollama/discovery_log.h"
#include "diag/ollama/era.h"
#include "diag/ollama/library_dir.h"
#include "diag/procfs/auxv.h"
#include "diag/procfs/environ.h"
#include "diag/procfs/maps.h"
#include "diag/procfs/mountinfo.h"
#include "diag/procfs/stat.h"
#include "diag/systemd/effective_unit.h"
#include "diag/systemd/mount_settings.h"
#include "diag/systemd/show.h"
#include "diag/systemd/unit_search.h"

namespace vgpu::facts {

// An answer, and where it was looked for.
template <typename T>
struct Fact : host::Observed<T> {
  Fact() = default;
  Fact(std::string where, host::Observed<T> answer)
      : host::Observed<T>(std::move(answer)), source(std::move(where)) {}
  std::string source;
};

// A variable, and the place that it comes from.
struct Variable {
  host::Observed<std::string> value;
  std::string source;
  int line = 0;
};
using Environment = std::map<std::string, Variable>;

// A file that matters, as the service sees it.
struct FileFacts {
  std::string path;  // as it was named
  host::Observed<host::Resolved> found;
  host::Trace trace;          // where it is absent: how far the look came
  std::vector<PathStep> way;  // to what was found: what WhatStops (access.h) judges
  host::Observed<elf::ElfInfo> elf;
};

// A file that makes up the unit, and when it was written.
struct UnitFile {
  std::string path;
  host::Observed<absl::Time> mtime;
};

// The unit: what the disk says, and what systemd has loaded.
struct UnitFacts {
  std::string name;
  systemd::UnitFiles files;
  systemd::EffectiveUnit on_disk;        // of `files`
  std::vector<UnitFile> times;           // of `files`, and of EnvironmentFile= files
  Fact<systemd::ShowProperties> loaded;  // systemctl show UNIT
  // `loaded` has every property, so that one it lacks is empty; false: only some were
  // asked for, or written down.
  bool shown_whole = false;
  Fact<systemd::ShowProperties> manager;  // systemctl show
  Environment disk_environment;           // what a start after a reload would give
  Fact<Environment> loaded_environment;   // what a start now would give
  std::vector<host::NotObserved> unread_environment_files;
  systemd::MountSettings mounts;  // of `on_disk`
  // Of `on_disk`, where the disk has no such file: the unit does not start without it.
  std::vector<systemd::EnvironmentFileSetting> missing_environment_files;
  std::vector<IneffectiveText> ineffective;  // what was meant for it, and is not read
  // Paths of `mounts` that must be there and are not: the next start fails (226/NAMESPACE).
  std::vector<systemd::MountSetting> missing_mounts;

  // Of `loaded`, and not observed where that is not.
  host::Observed<std::string> load_state;    // "loaded", "not-found", ...
  host::Observed<std::string> active_state;  // "active", "failed", ...
  host::Observed<std::string> sub_state;     // "running", "auto-restart", ...
  host::Observed<std::string> result;        // "success", "core-dump", ...
  host::Observed<int> main_pid;              // absent: none
  host::Observed<uint64_t> restarts;         // NRestarts
  host::Observed<std::string> invocation;

  // Both on the clock that stops while the machine sleeps (CLOCK_MONOTONIC).
  host::Observed<uint64_t> reloaded_usec;  // the manager's last load of all units
  host::Observed<uint64_t> started_usec;   // the main process
  host::Observed<absl::Time> reloaded_at;

  host::Observed<Identity> identity;  // whom its next start runs as
};

// No service manager of systemd's runs there: what serves was started otherwise.
bool NoSystemd(const UnitFacts& unit);

// What ExecStart names, as loaded (or, where that is not observed, as on disk).
struct ProgramFacts {
  std::string command;  // the words, joined by blanks
  std::string source;
  int line = 0;
  FileFacts file;
  // The text of a script (it begins with "#!"), at most 64 KiB. Absent: no script.
  host::Observed<std::string> script;
  // Of a script: where the interpreter that its first line names is.
  host::Observed<host::Resolved> interpreter;
  bool other_machine = false;  // it is built for another processor than the host's shell
  // The mount of the host that it lies on, where that forbids execution.
  host::Observed<std::string> noexec;
  std::string noexec_mount_point;
  // Shared objects that the program or script names ("/opt/x/libvgpu-cuda.so").
  std::vector<FileFacts> named_objects;
};

struct ProcessFacts {
  int pid = 0;
  std::string root;  // prefix under which its files are looked up; empty: the host's root
  Fact<procfs::Environ> environ;
  Fact<procfs::MappedObjects> maps;
  Fact<procfs::Auxv> auxv;
  Fact<std::vector<std::string>> argv;
  Fact<procfs::MountTable> mounts;
  Fact<std::string> exe;  // target of the link, without " (deleted)"
  bool exe_deleted = false;
  host::Observed<bool> no_new_privs;
  Fact<std::string> label;      // of the security module: /proc/PID/attr/current
  Fact<absl::Time> started;     // wall clock, from btime and field 22 of stat
  Fact<uint64_t> started_usec;  // since boot, CLOCK_BOOTTIME
  Fact<Identity> identity;
};

struct PreloadEntry {
  std::string text;  // verbatim
  // What the service sees there: of a path that something is bound over, that.
  FileFacts file;
  std::optional<Shim> shim;
  Sight sight;
  int line = 0;  // in a file
  // False for a word of /etc/ld.so.preload that names no file. `text` then tells its length
  // and not the word: it may be a secret.
  bool is_path = true;
};

enum class PreloadKind {
  kEnvironment,  // LD_PRELOAD
  kHostFile,     // the host's /etc/ld.so.preload: every program loads it
  kBoundFile,    // a file that the unit binds there, for itself
};

// A preload list, and whose it is.
struct PreloadList {
  PreloadKind kind = PreloadKind::kEnvironment;
  std::string value;  // words that name no file are left out, as in PreloadEntry
  std::string source;
  int line = 0;
  std::vector<PreloadEntry> entries;
  // The file that it is in, for WhatStops: with its own mode only, where it is bound, because
  // the directories around it are not passed then. Empty: it is in no file.
  std::vector<PathStep> way;
};

// The host's /etc/ld.so.preload, and who has a shim because of it.
struct GlobalPreload {
  host::Observed<PreloadList> host_file;      // absent: there is none; an empty one has no entry
  Fact<std::vector<std::string>> init_shims;  // files called like a shim in PID 1's maps
  Fact<std::vector<std::string>> sshd_shims;
};

struct LogFacts {
  Fact<ollama::DiscoveryLog> journal;
  // What StandardError= says: "journal", "append:/var/log/ollama.log", "null", ...
  Fact<std::string> standard_error;
  int standard_error_line = 0;
  // The file that standard error is redirected to; absent where it is not.
  Fact<ollama::DiscoveryLog> redirected;

  // The log that should hold the server's lines.
  const Fact<ollama::DiscoveryLog>& ServersLog() const {
    return redirected.absent() ? journal : redirected;
  }
};

struct OllamaFacts {
  Fact<std::string> exe;  // behind all links
  Fact<std::string> version;
  ollama::Era era = ollama::Era::kUnknown;
  std::string era_because;
  Fact<ollama::LibraryDir> library_dir;
  std::vector<std::string> library_dir_candidates;  // where it was looked for, in order
  // /api/ps: models loaded with no byte on a GPU. Empty: none, or not observed.
  Fact<std::vector<LoadedModel>> models;  // /api/ps
  // Of these, the ones with no byte on a GPU, by name.
  Fact<std::vector<std::string>> models_on_cpu;
};

struct PciFacts {
  std::string address;                             // "0000:00:05.0"
  Fact<std::string> vendor, device, device_class;  // "0x10de"
};

// Why a fact was not observed where nothing but a log was given.
inline constexpr char kOnlyALog[] = "only a log was given";

struct Facts {
  // Nothing but a log was given: `log.journal` has it, and nothing else was observed.
  bool only_a_log = false;
  host::Host::Kind host_kind = host::Host::Kind::kTree;
  bool running_host = false;  // false: a plain root
  bool complete = false;      // of Host: what is absent is known to be absent
  host::Observed<std::string> hostname;
  host::Observed<absl::Time> observed_at;
  absl::TimeZone time_zone;
  host::Observed<uint32_t> observer_uid;
  std::vector<std::string> remarks;

  // False where a process was named that is in no unit: then nothing is said of one.
  bool unit_judged = true;
  UnitFacts unit;
  ProgramFacts program;
  // The server. Absent: nothing runs in this unit.
  host::Observed<ProcessFacts> process;
  // What the disk has at the path of its program: another file where that was replaced.
  FileFacts exe_file;
  // Ollama's port: of OLLAMA_HOST in the unit, else its default.
  uint16_t port = 11434;
  // Who listens on it. Absent: nobody does.
  Fact<int> listener;
  std::string listener_unit;  // of that process, where its cgroup says
  // A process was named (--pid), or chosen: then no unit is asked for.
  bool process_named = false;
  // Why a process was chosen that nobody named; empty: none was.
  std::string chosen_because;
  host::Observed<std::vector<OllamaServer>> servers;
  Fact<std::vector<systemd::ListedUnit>> ollama_units;
  // What the service manager gives every service: DefaultEnvironment=, set-environment.
  Fact<std::map<std::string, std::string>> manager_environment;
  // Of the server: what discovers a device or runs a model, as far as it lives now.
  std::vector<ProcessFacts> children;
  // What the server and `children` have mapped of what decides discovery.
  std::vector<MappedLibrary> mapped;

  // The list of the running process, and the one that its next start would have.
  std::optional<PreloadList> process_preload;
  std::optional<PreloadList> unit_preload;
  // The one on disk, where systemd has loaded another.
  std::optional<PreloadList> disk_preload;

  // Words of lists that the unit's texts name and that no start has: what a repair may bring back
  // (overridden, cut off, in a file that is not read).
  std::vector<PreloadEntry> wished_entries;
  // What a repair brings back, in the place of the next start's list. Never gathered: whoever
  // asks what the rules would say after that repair sets it.
  std::optional<PreloadList> restored_preload;

  // The list in the file that the process sees as /etc/ld.so.preload, and its next start:
  // the host's, or one that the unit binds there. Absent: none, or an empty one.
  host::Observed<PreloadList> process_preload_file;
  host::Observed<PreloadList> unit_preload_file;
  GlobalPreload global_preload;

  // Files that are called like a shim, or like a library that one stands in for, in the
  // places where such files are kept (gather_gpu_libraries.cc), links too. By directory.
  std::vector<FileFacts> gpu_libraries;

  LogFacts log;
  Fact<KernelLog> kernel_log;
  Fact<CpuFacts> cpu;
  // nvidia-fabricmanager.service, in systemd's words: "active", "failed". Absent: systemd has
  // no such unit loaded.
  Fact<std::string> fabric_manager;
  OllamaFacts ollama;
  std::vector<PciFacts> nvidia_functions;  // PCI functions with NVIDIA's vendor id
  DeviceFacts devices;
  InstallationFacts installation;
  ContainerFacts container;
  LoaderFacts loader;
  // Of this very process, or of the unit where none runs.
  ProbeFacts probe;

  // What the log says about this very process; null where it does not show it.
  const ollama::ServerStart* ThisStart() const;
  // Whether the last discovery of this process found a GPU through CUDA, and no later line
  // of it says that the GPU was lost. Where the log does not show it, a verified probe does.
  host::Observed<bool> FoundGpu() const;
  // Whether the process was started before systemd last loaded its units.
  host::Observed<bool> StartedBeforeReload() const;
  // The service's own list: LD_PRELOAD of the process where one runs and shows it, else of
  // the unit; where neither has one, the file that the unit binds. Never the host's file.
  const PreloadList* Preload() const;
  // Every list that the running process has read, and that its next start will read, in the
  // loader's order: LD_PRELOAD, then the file.
  std::vector<const PreloadList*> PreloadsNow() const;
  std::vector<const PreloadList*> PreloadsNextStart() const;
  // The unit starts a container: its ExecStart, or the script that that names, runs an
  // engine. `process` is then the server in the container, whose environment the engine
  // gives it and not the unit.
  bool UnitRunsContainer() const;
  // There is such a unit: on disk, in systemd, or by what it left (a process, a log).
  bool UnitIsKnown() const;
  // The service is meant to run and does not: failed after restarts, or starting again
  // and again. Where systemd was not asked, the end of the journal says so.
  bool CrashLooping() const;
  // That, or it died once and is not started again.
  bool DiesAtStart() const;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_FACTS_H_
