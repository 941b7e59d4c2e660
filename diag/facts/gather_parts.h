// The parts of Gather, each of which fills one member of Facts. Private to this
// directory; gather.cc says in which order they run and what each may use.

#ifndef DIAG_FACTS_GATHER_PARTS_H_
#define DIAG_FACTS_GATHER_PARTS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/facts/gather.h"
#include "diag/host/host.h"

namespace vgpu::facts {

// A file with its ELF facts: those that the capture recorded, else read from it.
FileFacts LookAtFile(const host::Host& host, absl::string_view path, absl::string_view root);

// The entries of a preload list. `library_path` is the LD_LIBRARY_PATH beside it and
// `exe` the program, for entries without a slash and for $ORIGIN.
PreloadList LookAtPreload(const host::Host& host, absl::string_view value, std::string source,
                          int line, absl::string_view library_path, absl::string_view exe,
                          absl::string_view root);

// The lists in files, for the host, the process and its next start; and for each entry of
// every list, what the service sees at its path. After the lists of LD_PRELOAD.
void GatherPreloadFiles(const host::Host& host, Facts& facts);

// Of what the unit's texts name for LD_PRELOAD: the words that neither start's list has.
std::vector<std::string> WishedWords(const Facts& facts);

// Texts that look like a part of the unit and have no effect.
void GatherIneffective(const host::Host& host, UnitFacts& unit);

// Whom the unit's next start runs as, by User=, Group= and SupplementaryGroups=; whom a
// process runs as.
host::Observed<Identity> IdentityOfUnit(const host::Host& host, const UnitFacts& unit);
Fact<Identity> IdentityOfProcess(const host::Host& host, int pid);

void GatherUnit(const host::Host& host, UnitFacts& unit);

// ExecStart's first command, as `unit` has it.
ProgramFacts GatherProgram(const host::Host& host, const UnitFacts& unit);

// The processes of a unit, by their cgroups, in ascending order.
host::Observed<std::vector<int>> ProcessesOf(const host::Host& host, absl::string_view unit);
// The unit that a process is in; empty where it cannot be told.
std::string UnitOf(const host::Host& host, int pid);
// Absent: there is no such process.
host::Observed<ProcessFacts> GatherProcess(const host::Host& host, int pid);
// The server among the processes of the unit: MainPID, or, where that is a wrapper that
// stays, its descendant that listens or that runs Ollama.
host::Observed<ProcessFacts> FindServer(const host::Host& host, const UnitFacts& unit,
                                        const Fact<int>& listener);
// Who listens on `port`.
Fact<int> FindListener(const host::Host& host, uint16_t port);
// The sockets that do, as links of /proc/PID/fd name them: "socket:[41902]".
host::Observed<std::set<std::string>> ListeningSockets(const host::Host& host, uint16_t port);
host::Observed<bool> HoldsSocket(const host::Host& host, int pid,
                                 const std::set<std::string>& sockets);
// In ascending order.
std::vector<int> AllProcesses(const host::Host& host);

// Every server of Ollama, and who listens for a container on its port.
host::Observed<std::vector<OllamaServer>> FindServers(const host::Host& host, uint16_t port);
// Services that systemd knows and that are called after Ollama.
Fact<std::vector<systemd::ListedUnit>> FindOllamaUnits(const host::Host& host);
// What the manager gives every service that it starts.
Fact<std::map<std::string, std::string>> ManagerEnvironment(const host::Host& host,
                                                            const UnitFacts& unit);
// Those of the server that discover a device or run a model.
std::vector<ProcessFacts> FindChildren(const host::Host& host, int server);
// The libraries of `process` that decide discovery.
std::vector<MappedLibrary> FindMapped(const host::Host& host, const ProcessFacts& process);

LogFacts GatherLog(const host::Host& host, const UnitFacts& unit,
                   const host::Observed<ProcessFacts>& process, const GatherOptions& options);

// Of a process in no service: the file that its standard error goes to.
LogFacts GatherLogOf(const host::Host& host, const ProcessFacts& process,
                     std::optional<absl::Time> since);

Fact<KernelLog> GatherKernelLog(const host::Host& host);

Fact<std::string> GatherFabricManager(const host::Host& host);

OllamaFacts GatherOllama(const host::Host& host, const Facts& facts);
// The version in the build information of a Go program: "v0.13.5".
host::Observed<std::string> GoVersion(const host::Host& host, const std::string& path,
                                      absl::string_view root);
// Uses facts.ollama.
InstallationFacts GatherInstallation(const host::Host& host, const Facts& facts);

// Uses all that is known of the unit, the process and Ollama.
LoaderFacts GatherLoader(const host::Host& host, const Facts& facts);

std::vector<PciFacts> GatherPci(const host::Host& host);

// Of facts: the preload lists, the environments and Ollama's directories, which say where to look.
std::vector<FileFacts> GatherGpuLibraries(const host::Host& host, const Facts& facts);
// Uses all other facts: the last to be gathered.
DeviceFacts GatherDevices(const host::Host& host, const Facts& facts);
// Uses the hostname, the unit's name and the process. `given` goes before what a capture has.
ProbeFacts GatherProbe(const host::Host& host, const Facts& facts,
                       const std::optional<GivenProbe>& given);
ContainerFacts GatherContainer(const host::Host& host, const Facts& facts);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_GATHER_PARTS_H_
