// The environments in which a service's steps are tried.

#ifndef TOOLS_VGPU_DOCTOR_SERVICE_ENVIRONMENT_H_
#define TOOLS_VGPU_DOCTOR_SERVICE_ENVIRONMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/ollama/child_environment.h"

namespace vgpu::doctor {

struct ServiceEnvironment {
  std::string source;  // "/proc/57290/environ"
  ollama::Variables variables;
};

// As the running process was given it. Nothing: none runs, or its environment was not seen.
std::optional<ServiceEnvironment> OfProcess(const facts::Facts& facts);

// As systemd would give it at the next start: what the manager gives every service, what the
// unit says, and what systemd sets by itself. Nothing: systemd has loaded no such unit, or was
// not asked.
std::optional<ServiceEnvironment> OfNextStart(const facts::Facts& facts);

// They agree in every variable that decides discovery.
bool SameForDiscovery(const ollama::Variables& a, const ollama::Variables& b);

// What glibc's loader leaves of them in secure mode (ld.so(8)).
ollama::Variables InSecureMode(ollama::Variables variables);

// A program that is started by a descriptor has no directory: $ORIGIN of the service's own
// program, whose directory this is, is written out.
ollama::Variables WithOrigin(ollama::Variables variables, const std::string& directory);

// "NAME=value" each.
std::vector<std::string> AsBlock(const ollama::Variables& variables);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_SERVICE_ENVIRONMENT_H_
