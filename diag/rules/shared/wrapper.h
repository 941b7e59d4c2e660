// Whether ExecStart runs something else than Ollama, and what that does to the shims.

#ifndef DIAG_RULES_WRAPPER_H_
#define DIAG_RULES_WRAPPER_H_

#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/host/observed.h"
#include "diag/rules/judgement.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

struct Wrapper {
  std::string kind;              // "a shell script", "env", "a program that is not Ollama"
  bool unknown_program = false;  // the last of these: no script, no known launcher
  std::vector<Evidence> harm;    // what its text does to LD_PRELOAD and its like
  // Shared objects that it names and that are other files than the ones preloaded.
  std::vector<Evidence> copies;
};

// Absent: ExecStart runs Ollama itself. Not observed: what it runs cannot be told.
host::Observed<Wrapper> FindWrapper(const facts::Facts& facts);

// Whether the process was started before its unit gave it `lost`: by the last load of
// the units, and by the time of the file. Where a wrapper is known to take variables
// away and the file was there before the process, it is the wrapper, and not the time.
// Not observed where no time tells.
host::Observed<bool> OlderThanUnit(const facts::Facts& facts, const Difference& lost);

// An EnvironmentFile= that was written after the process was started: what it said then, and took
// away or gave, is not known any more. systemd reads it at each start, without a reload. Null:
// none.
const facts::UnitFile* EnvironmentFileSinceTheStart(const facts::Facts& facts);

// What a shell script or a command line does to the environment of what it starts.
// `source` and `first_line` place it. Pure.
std::vector<Evidence> HarmIn(absl::string_view text, const std::string& source, int first_line);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_WRAPPER_H_
