#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/procfs/cgroup.h"
#include "diag/procfs/cmdline.h"
#include "diag/procfs/net.h"
#include "diag/procfs/stat.h"
#include "diag/procfs/status.h"
#include "diag/procfs/system.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::Content;
using host::NotObserved;
using host::Observed;

// environ is as large as execve allows (a quarter of the stack, 2 MiB and more); a
// process may have a million mappings.
constexpr size_t kEnvironLimit = size_t{8} << 20;
constexpr size_t kMapsLimit = size_t{256} << 20;
// Of which descriptors are looked at, when a socket's owner is searched.
constexpr size_t kMaxProcesses = 20000;

std::string ProcPath(int pid, absl::string_view file) {
  return absl::StrCat("/proc/", pid, "/", file);
}

// A file of a process that exists. The kernel has all of them for every process, so one
// that a capture lacks was not captured. `parse` gives an Observed.
template <typename F>
auto ReadProc(const host::Host& host, int pid, absl::string_view file, size_t limit, F parse) {
  using T = typename decltype(parse(Content{}))::value_type;
  const std::string path = ProcPath(pid, file);
  Observed<Content> content = host.Read(path, limit);
  if (content.absent()) {
    return Fact<T>{path, NotObserved{host.complete() ? "the process ended, or /proc hides it"
                                                     : "not captured"}};
  }
  return Fact<T>{path, content.Map(parse)};
}

template <typename T>
Observed<T> FromStatus(absl::StatusOr<T> status) {
  if (status.ok()) return *std::move(status);
  return NotObserved{std::string(status.status().message())};
}

Observed<procfs::Container> ContainerOf(const host::Host& host, int pid) {
  return host.Read(ProcPath(pid, "cgroup"), 65536)
      .Map([](const Content& content) -> Observed<procfs::Container> {
        absl::StatusOr<procfs::Cgroup> cgroup = procfs::ParseCgroup(content.bytes);
        if (!cgroup.ok()) return NotObserved{std::string(cgroup.status().message())};
        return cgroup->InContainer();
      });
}

// Whether the files of a captured tree are not those of the process: it runs in a container, and
// the capture was made outside of it.
bool OutsideOfItsContainer(const host::Host& host, int pid) {
  const Observed<procfs::Container> container = ContainerOf(host, pid);
  if (!container.present() || pid == 1) return false;
  for (absl::string_view marker : {"/.dockerenv", "/run/.containerenv"}) {
    if (host.Resolve(marker).present()) return false;
  }
  if (host.Resolve(ProcPath(1, "cgroup")).present()) {
    const Observed<procfs::Container> of_init = ContainerOf(host, 1);
    return !of_init.present() || !(*of_init == *container);
  }
  // systemd runs here: outside of what Docker, Podman and Kubernetes make, which have a marker
  // where they run it inside.
  if (container->runtime != "lxc" &&
      host.RunTool({.tool = host::Tool::kSystemctlShowManager}).present()) {
    return true;
  }
  // Without either, the program decides: one that the tree lacks is not of this tree.
  Observed<std::string> exe = host.ReadLink(ProcPath(pid, "exe"));
  return exe.present() && host.Resolve(absl::StripSuffix(*exe, " (deleted)")).absent();
}

// Where the process looks up its files: a prefix, or "" for the host's own root. Below a prefix
// that a tree has as a link only, nothing is observed.
std::string RootOf(const host::Host& host, int pid) {
  std::string root = ProcPath(pid, "root");
  Observed<host::Resolved> node = host.ResolveNoFollow(root);
  if (node.present() && node->meta.type == host::FileType::kDir) return root;  // captured
  if (host.kind() != host::Host::Kind::kLive) return OutsideOfItsContainer(host, pid) ? root : "";
  if (!node.present()) return "";
  Observed<std::string> target = host.ReadLink(root);
  Observed<std::string> its = host.ReadLink(ProcPath(pid, "ns/mnt"));
  Observed<std::string> ours = host.ReadLink("/proc/self/ns/mnt");
  const bool same =
      target.present() && *target == "/" && its.present() && ours.present() && *its == *ours;
  return same || !its.present() ? "" : root;
}

}  // namespace

std::vector<int> AllProcesses(const host::Host& host) {
  std::vector<int> pids;
  Observed<std::vector<std::string>> names = host.List("/proc");
  if (!names.present()) return pids;
  for (const std::string& name : *names) {
    int pid = 0;
    if (absl::SimpleAtoi(name, &pid) && pid > 0 && pids.size() < kMaxProcesses) {
      pids.push_back(pid);
    }
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

Observed<bool> HoldsSocket(const host::Host& host, int pid, const std::set<std::string>& sockets) {
  Observed<std::vector<std::string>> fds = host.List(ProcPath(pid, "fd"));
  if (fds.absent()) return NotObserved{"not captured"};
  if (!fds.present()) return NotObserved{std::string(fds.why_not())};
  for (const std::string& fd : *fds) {
    Observed<std::string> target = host.ReadLink(ProcPath(pid, absl::StrCat("fd/", fd)));
    if (target.present() && sockets.contains(*target)) return true;
  }
  return false;
}

std::string UnitOf(const host::Host& host, int pid) {
  Observed<Content> content = host.Read(ProcPath(pid, "cgroup"), 65536);
  if (!content.present()) return "";
  absl::StatusOr<procfs::Cgroup> cgroup = procfs::ParseCgroup(content->bytes);
  if (!cgroup.ok()) return "";
  return cgroup->SystemdUnit().value_or("");
}

Observed<std::vector<int>> ProcessesOf(const host::Host& host, absl::string_view unit) {
  Observed<std::vector<std::string>> proc = host.List("/proc");
  if (!proc.present()) {
    return NotObserved{proc.absent() ? "/proc is not there" : std::string(proc.why_not())};
  }
  std::vector<int> pids;
  for (int pid : AllProcesses(host)) {
    if (UnitOf(host, pid) == unit) pids.push_back(pid);
  }
  return pids;
}

namespace {

// Of a process that is known to run.
ProcessFacts ReadProcess(const host::Host& host, int pid) {
  ProcessFacts process;
  process.pid = pid;
  process.root = RootOf(host, pid);
  process.environ = ReadProc(host, pid, "environ", kEnvironLimit, [](const Content& content) {
    return FromStatus(procfs::ParseEnviron(content.bytes, content.truncated));
  });
  process.maps = ReadProc(host, pid, "maps", kMapsLimit, [](const Content& content) {
    return FromStatus(procfs::ParseMaps(content.bytes, content.truncated));
  });
  process.auxv = ReadProc(host, pid, "auxv", 65536, [](const Content& content) {
    return FromStatus(procfs::ParseAuxv(content.bytes));
  });
  process.argv = ReadProc(host, pid, "cmdline", size_t{1} << 20, [](const Content& content) {
    return FromStatus(procfs::ParseCmdline(content.bytes, content.truncated))
        .Map([](const procfs::Cmdline& cmdline) { return cmdline.args; });
  });
  process.mounts = ReadProc(host, pid, "mountinfo", size_t{4} << 20, [](const Content& content) {
    return FromStatus(procfs::ParseMountInfo(content.bytes, content.truncated));
  });
  process.identity = IdentityOfProcess(host, pid);
  process.no_new_privs = ReadProc(host, pid, "status", 65536, [](const Content& content) {
    return FromStatus(procfs::ParseProcessStatus(content.bytes))
        .Map([](const procfs::ProcessStatus& status) { return status.no_new_privs; });
  });
  process.label = ReadProc(
      host, pid, "attr/current", 4096, [](const Content& content) -> Observed<std::string> {
        std::string label = content.bytes.substr(0, content.bytes.find_first_of("\0\n", 0, 2));
        if (!std::all_of(label.begin(), label.end(), absl::ascii_isprint)) {
          return NotObserved{"no label: it holds bytes that are no text"};
        }
        return label;
      });
  const std::string exe = ProcPath(pid, "exe");
  Observed<std::string> target = host.ReadLink(exe);
  if (target.absent()) target = NotObserved{"not captured"};
  process.exe = {exe, target.Map([&](const std::string& link) {
                   absl::string_view path = link;
                   process.exe_deleted = absl::ConsumeSuffix(&path, " (deleted)");
                   return std::string(path);
                 })};

  const std::string stat_path = ProcPath(pid, "stat");
  Observed<Content> stat_text = host.Read(stat_path, 65536);
  Observed<procfs::ProcessStat> stat = NotObserved{"not captured"};
  if (stat_text.present()) stat = FromStatus(procfs::ParseProcessStat(stat_text->bytes));
  if (stat_text.not_observed()) stat = NotObserved{std::string(stat_text.why_not())};
  uint64_t ticks_per_second = 100;
  if (process.auxv.present()) {
    ticks_per_second = process.auxv->Find(procfs::Auxv::kClockTick).value_or(100);
  }
  Observed<absl::Duration> since_boot = stat.Map([&](const procfs::ProcessStat& s) {
    return procfs::TicksToDuration(s.start_ticks, ticks_per_second);
  });
  process.started_usec = {stat_path, since_boot.Map([](absl::Duration d) {
                            return static_cast<uint64_t>(absl::ToInt64Microseconds(d));
                          })};
  Observed<absl::Time> boot =
      host.Read("/proc/stat", size_t{1} << 20).Map([](const Content& content) {
        return FromStatus(procfs::ParseBootTime(content.bytes));
      });
  process.started = {stat_path, NotObserved{"the time of the boot is not known"}};
  if (boot.present() && since_boot.present()) {
    process.started = {stat_path, *boot + *since_boot};
  } else if (!since_boot.present()) {
    process.started = {stat_path, NotObserved{std::string(since_boot.why_not())}};
  }
  return process;
}

// It has ended and waits for its parent to take notice: what it had is gone, and an empty environ
// says nothing (proc(5)).
bool IsDead(const host::Host& host, int pid) {
  const Observed<Content> text = host.Read(ProcPath(pid, "stat"), 65536);
  if (!text.present()) return false;
  const absl::StatusOr<procfs::ProcessStat> stat = procfs::ParseProcessStat(text->bytes);
  return stat.ok() && (stat->state == 'Z' || stat->state == 'X');
}

// Whether a process runs Ollama and is not one of its own children ("ollama runner").
bool RunsServer(const host::Host& host, int pid) {
  Observed<std::string> exe = host.ReadLink(ProcPath(pid, "exe"));
  if (!exe.present() || !absl::StartsWith(host::Basename(*exe), "ollama")) return false;
  Observed<Content> cmdline = host.Read(ProcPath(pid, "cmdline"), 65536);
  if (!cmdline.present()) return true;
  const absl::StatusOr<procfs::Cmdline> words =
      procfs::ParseCmdline(cmdline->bytes, cmdline->truncated);
  return !words.ok() || words->args.size() < 2 || words->args[1] != "runner";
}

}  // namespace

Observed<ProcessFacts> GatherProcess(const host::Host& host, int pid) {
  Observed<host::Resolved> dir = host.Resolve(absl::StrCat("/proc/", pid));
  if (dir.absent()) return Absent{};
  if (!dir.present()) return NotObserved{std::string(dir.why_not())};
  if (IsDead(host, pid)) return Absent{};
  return ReadProcess(host, pid);
}

Observed<std::set<std::string>> ListeningSockets(const host::Host& host, uint16_t port) {
  std::set<std::string> sockets;
  bool seen = false;
  bool whole = true;
  std::string why;
  for (absl::string_view file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    Observed<Content> content = host.Read(file, size_t{16} << 20);
    if (!content.present()) {
      if (why.empty()) why = content.absent() ? "not captured" : std::string(content.why_not());
      continue;
    }
    absl::StatusOr<procfs::SocketTable> table =
        procfs::ParseSockets(content->bytes, content->truncated);
    if (!table.ok()) {
      why = absl::StrCat(file, ": ", table.status().message());
      whole = false;
      continue;
    }
    seen = true;
    if (!table->whole()) {
      why = absl::StrCat(file, ": lines of it are cut off, or no socket's");
      whole = false;
    }
    for (uint64_t inode : table->ListeningInodes(port)) {
      sockets.insert(absl::StrCat("socket:[", inode, "]"));
    }
  }
  // A socket that was seen is there; that there is none can be said of whole tables only.
  if (!seen || (sockets.empty() && !whole)) return NotObserved{why};
  return sockets;
}

Fact<int> FindListener(const host::Host& host, uint16_t port) {
  const std::string source = "/proc/net/tcp";
  const Observed<std::set<std::string>> sockets = ListeningSockets(host, port);
  if (!sockets.present()) return {source, NotObserved{std::string(sockets.why_not())}};
  if (sockets->empty()) return {source, Absent{}};
  for (int pid : AllProcesses(host)) {
    if (HoldsSocket(host, pid, *sockets).value_or(false)) return {ProcPath(pid, "fd"), pid};
  }
  return {source, NotObserved{absl::StrCat(
                      "a process listens on port ", port,
                      ", and which one could not be seen (root sees all descriptors)")}};
}

Observed<ProcessFacts> FindServer(const host::Host& host, const UnitFacts& unit,
                                  const Fact<int>& listener) {
  if (unit.main_pid.absent()) return Absent{};
  Observed<std::vector<int>> members = ProcessesOf(host, unit.name);
  if (!unit.main_pid.present() && (!members.present() || members->empty())) {
    return NotObserved{absl::StrCat(unit.loaded.source, ": ", unit.main_pid.why_not())};
  }
  auto is_member = [&](int pid) {
    return members.present() && std::find(members->begin(), members->end(), pid) != members->end();
  };
  int server = unit.main_pid.present() ? *unit.main_pid : members->front();
  if (listener.present() && is_member(*listener)) {
    server = *listener;
  } else if (members.present() && !RunsServer(host, server)) {
    auto other = std::find_if(members->begin(), members->end(),
                              [&](int pid) { return RunsServer(host, pid); });
    if (other != members->end()) server = *other;
  }
  Observed<ProcessFacts> found = GatherProcess(host, server);
  const bool is_main = unit.main_pid.present() && *unit.main_pid == server;
  // systemd says that it runs: what cannot be seen of it was not captured, or is hidden
  // from others (proc(5), hidepid).
  if (is_main && !found.present() && !IsDead(host, server)) found = ReadProcess(host, server);
  if (!is_main || !found.present() || found->started.present()) return found;
  ProcessFacts process = *std::move(found);
  Observed<absl::Time> started = unit.loaded->WallTime("ExecMainStartTimestamp");
  if (started.present()) process.started = {unit.loaded.source, started};
  return process;
}

}  // namespace vgpu::facts
