#include "tools/vgpu_doctor/verify/service_environment.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/ollama/variables.h"

namespace vgpu::doctor {
namespace {

using ollama::Variables;

// What systemd sets by itself for a service with User= (systemd.exec(5), "Environment
// Variables in Spawned Processes"): the same at every start.
constexpr absl::string_view kOfSystemd[] = {"HOME",
                                            "LOGNAME",
                                            "PATH",
                                            "SHELL",
                                            "USER",
                                            "CACHE_DIRECTORY",
                                            "CONFIGURATION_DIRECTORY",
                                            "LOGS_DIRECTORY",
                                            "RUNTIME_DIRECTORY",
                                            "STATE_DIRECTORY",
                                            "TMPDIR"};
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

}  // namespace

std::optional<ServiceEnvironment> OfProcess(const facts::Facts& facts) {
  if (!facts.process.present() || !facts.process->environ.present()) return std::nullopt;
  ServiceEnvironment environment;
  environment.source = facts.process->environ.source;
  for (const procfs::Environ::Entry& entry : facts.process->environ->entries()) {
    // The loader takes the last of a name, and Go too (os.Environ, dedupEnv).
    if (entry.assignment) environment.variables[entry.name] = entry.value;
  }
  return environment;
}

std::optional<ServiceEnvironment> OfNextStart(const facts::Facts& facts) {
  if (!facts.unit_judged || !facts.unit.loaded_environment.present() ||
      facts.unit.load_state.value_or("") != "loaded") {
    return std::nullopt;
  }
  ServiceEnvironment environment;
  environment.source = facts.unit.loaded_environment.source;
  Variables& variables = environment.variables;
  variables["PATH"] = kDefaultPath;
  if (facts.unit.identity.present() && facts.unit.identity->name != "root") {
    variables["USER"] = variables["LOGNAME"] = facts.unit.identity->name;
  }
  if (std::optional<ServiceEnvironment> now = OfProcess(facts)) {
    for (absl::string_view name : kOfSystemd) {
      const auto found = now->variables.find(std::string(name));
      if (found != now->variables.end()) variables[found->first] = found->second;
    }
  }
  for (const auto& [name, value] : facts.manager_environment.value_or({})) {
    variables[name] = value;
  }
  for (const auto& [name, variable] : *facts.unit.loaded_environment) {
    if (variable.value.present()) {
      variables[name] = *variable.value;
    } else if (variable.value.absent()) {
      variables.erase(name);  // UnsetEnvironment=
    }
  }
  return environment;
}

bool SameForDiscovery(const Variables& a, const Variables& b) {
  const auto covered = [](const Variables& some, const Variables& all) {
    for (const auto& [name, value] : some) {
      if (!ollama::DecidesDiscovery(name)) continue;
      const auto other = all.find(name);
      if (other == all.end() || other->second != value) return false;
    }
    return true;
  };
  return covered(a, b) && covered(b, a);
}

Variables InSecureMode(Variables variables) {
  for (auto it = variables.begin(); it != variables.end();) {
    it = absl::StartsWith(it->first, "LD_") ? variables.erase(it) : std::next(it);
  }
  return variables;
}

Variables WithOrigin(Variables variables, const std::string& directory) {
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH"}) {
    auto found = variables.find(name);
    if (found == variables.end()) continue;
    found->second =
        absl::StrReplaceAll(found->second, {{"${ORIGIN}", directory}, {"$ORIGIN", directory}});
  }
  return variables;
}

std::vector<std::string> AsBlock(const Variables& variables) {
  std::vector<std::string> block;
  for (const auto& [name, value] : variables) block.push_back(absl::StrCat(name, "=", value));
  return block;
}

}  // namespace vgpu::doctor
