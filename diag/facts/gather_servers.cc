#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "diag/procfs/cgroup.h"
#include "diag/procfs/cmdline.h"

namespace vgpu::facts {
namespace {

using host::Content;
using host::NotObserved;
using host::Observed;

constexpr size_t kMaxServers = 64;

// Programs that hold a container's port open on the host: Docker's, rootless Podman's and
// Docker's, and those of their virtual machines.
constexpr absl::string_view kForwarders[] = {"docker-proxy", "gvproxy",      "pasta",
                                             "pasta.avx2",   "rootlessport", "slirp4netns"};

bool Forwards(absl::string_view program) {
  return std::find(std::begin(kForwarders), std::end(kForwarders), program) !=
         std::end(kForwarders);
}

// `ollama serve`, or `ollama start`, its other name (cmd/cmd.go, v0.5.7 to v0.33): not a
// client (`ollama run`), and not one of the server's own children (`ollama runner`).
bool Serves(const std::vector<std::string>& args) {
  return args.size() > 1 && (args[1] == "serve" || args[1] == "start");
}

}  // namespace

Observed<std::vector<OllamaServer>> FindServers(const host::Host& host, uint16_t port) {
  Observed<std::vector<std::string>> proc = host.List("/proc");
  if (!proc.present() || !host.running()) {
    return NotObserved{"the processes of the host were not seen"};
  }
  const Observed<std::set<std::string>> sockets = ListeningSockets(host, port);
  std::vector<OllamaServer> servers;
  std::string unread;  // what may be a server, and why that was not seen
  for (int pid : AllProcesses(host)) {
    if (servers.size() == kMaxServers) break;
    const std::string dir = absl::StrCat("/proc/", pid, "/");
    // The link may be closed to us, and the first word may be anything: one of the two.
    const std::string exe = host.ReadLink(dir + "exe").value_or("");
    const absl::string_view program = host::Basename(exe);
    const Observed<procfs::Cmdline> read =
        host.Read(dir + "cmdline", 65536)
            .Map([](const Content& content) -> Observed<procfs::Cmdline> {
              absl::StatusOr<procfs::Cmdline> parsed =
                  procfs::ParseCmdline(content.bytes, content.truncated);
              if (!parsed.ok()) return NotObserved{std::string(parsed.status().message())};
              return *std::move(parsed);
            });
    const procfs::Cmdline cmdline = read.value_or({});
    if (!read.present() && absl::StartsWith(program, "ollama")) {
      unread = absl::StrCat(dir, "cmdline: ", read.absent() ? "not captured" : read.why_not());
    }
    if (cmdline.args.empty()) continue;
    const absl::string_view word = host::Basename(cmdline.args.front());
    OllamaServer server;
    server.forwards = Forwards(program) || Forwards(word);
    const bool ollama =
        absl::StartsWith(program, "ollama") || (exe.empty() && absl::StartsWith(word, "ollama"));
    if (!server.forwards && !(ollama && Serves(cmdline.args))) continue;
    server.pid = pid;
    server.command = cmdline.Text();
    if (sockets.present()) server.listens = HoldsSocket(host, pid, *sockets);
    if (!sockets.present()) server.listens = NotObserved{std::string(sockets.why_not())};
    if (server.forwards && !server.listens.value_or(false)) continue;
    Observed<Content> text = host.Read(dir + "cgroup", 65536);
    if (text.present()) {
      absl::StatusOr<procfs::Cgroup> cgroup = procfs::ParseCgroup(text->bytes);
      if (cgroup.ok()) {
        server.unit = cgroup->SystemdUnit().value_or("");
        server.user_unit = cgroup->UserUnit().value_or("");
        if (auto container = cgroup->InContainer(); container.present()) {
          server.container = *container;
        }
      }
    }
    servers.push_back(std::move(server));
  }
  if (servers.empty() && !unread.empty()) return NotObserved{unread};
  return servers;
}

Fact<std::vector<systemd::ListedUnit>> FindOllamaUnits(const host::Host& host) {
  const host::ToolQuery query{.tool = host::Tool::kSystemctlListUnits};
  using Units = std::vector<systemd::ListedUnit>;
  return {host::ToolSource(query),
          host.RunTool(query).Map([](const Content& content) -> Observed<Units> {
            absl::StatusOr<Units> units = systemd::ParseListUnits(content.bytes);
            if (!units.ok()) return NotObserved{std::string(units.status().message())};
            units->erase(std::remove_if(units->begin(), units->end(),
                                        [](const systemd::ListedUnit& unit) {
                                          return !absl::StrContains(unit.name, "ollama");
                                        }),
                         units->end());
            return *std::move(units);
          })};
}

Fact<std::map<std::string, std::string>> ManagerEnvironment(const host::Host& host,
                                                            const UnitFacts& unit) {
  const host::ToolQuery query{.tool = host::Tool::kSystemctlShowEnvironment};
  Observed<Content> shown = host.RunTool(query);
  if (!shown.present() && unit.manager.present()) {
    // `systemctl show` prints the same variables as one property.
    auto environment = unit.manager->Environment();
    if (environment.present()) return {unit.manager.source, environment};
  }
  using Variables = std::map<std::string, std::string>;
  return {host::ToolSource(query), shown.Map([](const Content& content) -> Observed<Variables> {
            absl::StatusOr<Variables> variables = systemd::ParseShowEnvironment(content.bytes);
            if (!variables.ok()) return NotObserved{std::string(variables.status().message())};
            return *std::move(variables);
          })};
}

}  // namespace vgpu::facts
