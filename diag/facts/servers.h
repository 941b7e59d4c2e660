// Who serves Ollama on a host, whoever started it: a service, a user's service, a snap, a
// container, a shell.
//
//   for (const OllamaServer& server : *facts.servers) {
//     if (server.unit != facts.unit.name && server.listens.value_or(false)) ...
//   }
//
// Values; thread-compatible.

#ifndef DIAG_FACTS_SERVERS_H_
#define DIAG_FACTS_SERVERS_H_

#include <optional>
#include <string>

#include "diag/host/observed.h"
#include "diag/procfs/cgroup.h"

namespace vgpu::facts {

struct OllamaServer {
  int pid = 0;
  std::string command = {};    // its words, joined by blanks
  std::string unit = {};       // of the system manager; empty: in none, or not known
  std::string user_unit = {};  // of a user's manager
  std::optional<procfs::Container> container = {};
  // It holds a socket that listens on the port of the judged unit.
  host::Observed<bool> listens = {};
  // Not Ollama: a program that passes a port of the host on into a container.
  bool forwards = false;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_SERVERS_H_
