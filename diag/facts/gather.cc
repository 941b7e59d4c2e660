#include "diag/facts/gather.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {
namespace {

constexpr char kDefaultUnit[] = "ollama.service";

// LD_PRELOAD and LD_LIBRARY_PATH of an environment.
std::string ValueOf(const Environment& environment, const std::string& name) {
  auto it = environment.find(name);
  return it == environment.end() ? "" : it->second.value.value_or("");
}

// The port in OLLAMA_HOST: "0.0.0.0:8080", ":8080", "http://[::1]:8080/", or a host alone
// (ollama/ollama envconfig/config.go, Host).
uint16_t PortOf(absl::string_view ollama_host, uint16_t fallback) {
  if (size_t scheme = ollama_host.find("://"); scheme != absl::string_view::npos) {
    ollama_host.remove_prefix(scheme + 3);
  }
  ollama_host = ollama_host.substr(0, ollama_host.find('/'));
  const size_t colon = ollama_host.rfind(':');
  if (colon == absl::string_view::npos) return fallback;
  int port = 0;
  if (!absl::SimpleAtoi(ollama_host.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return fallback;
  }
  return static_cast<uint16_t>(port);
}

FileFacts ExeFile(const host::Host& host, const Facts& facts) {
  const ProcessFacts& process = *facts.process;
  if (!process.exe.present()) {
    FileFacts unknown;
    unknown.found = host::NotObserved{std::string(process.exe.why_not())};
    unknown.elf = host::NotObserved{std::string(process.exe.why_not())};
    return unknown;
  }
  // Most often it is the file that ExecStart= names, which has been read.
  const FileFacts& program = facts.program.file;
  const bool same =
      process.root.empty() && program.found.present() && program.found->path == *process.exe;
  return same ? program : LookAtFile(host, *process.exe, process.root);
}

std::string UnitToJudge(const host::Host& host, const GatherOptions& options) {
  std::string unit = options.unit;
  if (unit.empty() && options.pid) unit = UnitOf(host, *options.pid);
  if (unit.empty()) unit = host.unit().value_or(kDefaultUnit);
  // As systemctl completes it.
  if (!absl::StrContains(unit, '.')) absl::StrAppend(&unit, ".service");
  return unit;
}

// The server of Ollama that runs in a container, where there is one and no other.
std::optional<int> OnlyOneInContainer(const Facts& facts) {
  std::optional<int> pid;
  for (const OllamaServer& server : facts.servers.value_or({})) {
    if (!server.container || server.forwards) continue;
    if (pid) return std::nullopt;
    pid = server.pid;
  }
  return pid;
}

// The one server of Ollama, where nobody said what to judge and no unit started it: a container,
// another init, a shell.
std::optional<int> OnlyOneWithoutUnit(const Facts& facts) {
  const UnitFacts& unit = facts.unit;
  const bool no_systemd = NoSystemd(unit);
  // systemctl was not asked, and there is no unit to be asked for.
  const bool no_unit =
      !unit.loaded.present() && !unit.manager.present() && unit.files.fragment.absent();
  if (unit.files.fragment.present() || !(no_systemd || no_unit)) return std::nullopt;
  std::optional<OllamaServer> only;
  for (const OllamaServer& server : facts.servers.value_or({})) {
    if (server.forwards) continue;
    if (only) return std::nullopt;
    only = server;
  }
  if (!only) return std::nullopt;
  if (!no_systemd && (!only->unit.empty() || !only->user_unit.empty() || only->container)) {
    return std::nullopt;
  }
  return only->pid;
}

// By its program's name: not an engine's client, whose own environment and libraries say
// nothing of Ollama.
bool IsOllama(const ProcessFacts& process) {
  return absl::StartsWith(host::Basename(process.exe.value_or("")), "ollama");
}

}  // namespace

Facts Gather(const host::Host& host, const GatherOptions& options) {
  const auto doing = [&](absl::string_view what, absl::string_view of = "") {
    if (options.doing) options.doing(absl::StrCat(what, of));
  };
  Facts facts;
  facts.host_kind = host.kind();
  facts.running_host = host.running();
  facts.complete = host.complete();
  facts.hostname = host.hostname();
  facts.observed_at = host.observed_at();
  facts.time_zone = host.time_zone();
  facts.observer_uid = host.observer_uid();
  facts.remarks = host.remarks();

  facts.unit.name = UnitToJudge(host, options);
  doing("looking at ", facts.unit.name);
  GatherUnit(host, facts.unit);
  facts.program = GatherProgram(host, facts.unit);
  const Environment& next = facts.unit.loaded_environment.present() ? *facts.unit.loaded_environment
                                                                    : facts.unit.disk_environment;
  facts.port = PortOf(ValueOf(next, "OLLAMA_HOST"), facts.port);
  facts.servers = FindServers(host, facts.port);
  std::optional<int> pid = options.pid;
  // A unit that a capture names was the default of who captured.
  if (!pid && options.unit.empty()) {
    pid = OnlyOneWithoutUnit(facts);
    if (pid) {
      facts.chosen_because =
          NoSystemd(facts.unit)
              ? "systemd does not run here, and no other server of Ollama does"
              : "no unit of systemd was seen that starts it, and no other server of Ollama runs";
    }
  }
  facts.unit_judged =
      !pid || !options.unit.empty() || absl::EndsWith(UnitOf(host, *pid), ".service");
  facts.listener = FindListener(host, facts.port);
  if (facts.listener.present()) facts.listener_unit = UnitOf(host, *facts.listener);
  facts.process = pid ? GatherProcess(host, *pid) : FindServer(host, facts.unit, facts.listener);
  doing("reading the log of ", facts.unit.name);
  facts.log = !facts.unit_judged && facts.process.present()
                  ? GatherLogOf(host, *facts.process, options.since)
                  : GatherLog(host, facts.unit, facts.process, options);
  facts.process_named = pid.has_value();
  if (!pid && facts.UnitRunsContainer()) {
    // The unit's own process is the engine's client: the server is in the container.
    const std::optional<int> inside = OnlyOneInContainer(facts);
    if (inside) {
      facts.process = GatherProcess(host, *inside);
    } else if (facts.process.present() && !IsOllama(*facts.process)) {
      facts.process = host::NotObserved{
          absl::StrCat(facts.unit.name,
                       " runs a container, and which process is the server in it was not seen")};
    }
  }
  doing("looking at the processes");
  facts.ollama_units = FindOllamaUnits(host);
  facts.manager_environment = ManagerEnvironment(host, facts.unit);
  if (facts.process.present()) {
    facts.exe_file = ExeFile(host, facts);
    facts.children = FindChildren(host, facts.process->pid);
    facts.mapped = FindMapped(host, *facts.process);
    for (const ProcessFacts& child : facts.children) {
      for (MappedLibrary& library : FindMapped(host, child)) {
        facts.mapped.push_back(std::move(library));
      }
    }
  }
  doing("reading the log of the kernel");
  facts.kernel_log = GatherKernelLog(host);
  facts.fabric_manager = GatherFabricManager(host);
  facts.cpu = {"/proc/cpuinfo", host.Read("/proc/cpuinfo").Map([](const host::Content& content) {
                 return ParseCpu(content.bytes);
               })};
  doing("looking at the libraries of Ollama");
  facts.ollama = GatherOllama(host, facts);
  facts.installation = GatherInstallation(host, facts);
  facts.nvidia_functions = GatherPci(host);

  const std::string exe = facts.ollama.exe.value_or("");
  if (facts.process.present() && facts.process->environ.present()) {
    const procfs::Environ& environ = *facts.process->environ;
    if (auto value = environ.FindAsLoader("LD_PRELOAD"); value && !value->empty()) {
      facts.process_preload = LookAtPreload(host, *value, facts.process->environ.source, 0,
                                            environ.FindAsLoader("LD_LIBRARY_PATH").value_or(""),
                                            exe, facts.process->root);
    }
  }
  if (std::string value = ValueOf(next, "LD_PRELOAD"); !value.empty()) {
    const Variable& variable = next.at("LD_PRELOAD");
    std::string source = variable.source;
    int line = variable.line;
    // Where the disk says the same, its line is the better evidence.
    auto disk = facts.unit.disk_environment.find("LD_PRELOAD");
    if (disk != facts.unit.disk_environment.end() && disk->second.value.present() &&
        *disk->second.value == value) {
      source = disk->second.source;
      line = disk->second.line;
    }
    facts.unit_preload =
        LookAtPreload(host, value, source, line, ValueOf(next, "LD_LIBRARY_PATH"), exe, "");
  } else if (auto given = facts.manager_environment.value_or({});
             facts.unit_judged && given.count("LD_PRELOAD") > 0) {
    // The unit gives none, and the manager gives every service one.
    facts.unit_preload = LookAtPreload(host, given["LD_PRELOAD"], facts.manager_environment.source,
                                       0, ValueOf(next, "LD_LIBRARY_PATH"), exe, "");
  }
  const Environment& disk = facts.unit.disk_environment;
  std::string on_disk = ValueOf(disk, "LD_PRELOAD");
  if (facts.unit.loaded_environment.present() && !on_disk.empty() &&
      on_disk != ValueOf(next, "LD_PRELOAD")) {
    const Variable& variable = disk.at("LD_PRELOAD");
    facts.disk_preload = LookAtPreload(host, on_disk, variable.source, variable.line,
                                       ValueOf(disk, "LD_LIBRARY_PATH"), exe, "");
  }
  for (const std::string& word : WishedWords(facts)) {
    PreloadList wished =
        LookAtPreload(host, word, "", 0, ValueOf(disk, "LD_LIBRARY_PATH"), exe, "");
    for (PreloadEntry& entry : wished.entries) facts.wished_entries.push_back(std::move(entry));
  }
  facts.container = GatherContainer(host, facts);
  GatherPreloadFiles(host, facts);
  doing("looking at the device and its libraries");
  facts.devices = GatherDevices(host, facts);
  facts.gpu_libraries = GatherGpuLibraries(host, facts);
  doing("going the way of the loader");
  facts.loader = GatherLoader(host, facts);
  facts.probe = GatherProbe(host, facts, options.probe);
  return facts;
}

}  // namespace vgpu::facts
