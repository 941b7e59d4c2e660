// Ollama's own discovery, run as its server runs it.

#ifndef TOOLS_VGPU_DOCTOR_RUN_DISCOVERY_H_
#define TOOLS_VGPU_DOCTOR_RUN_DISCOVERY_H_

#include <string>
#include <vector>

#include "diag/ollama/child_environment.h"
#include "diag/probe/probe.h"
#include "tools/vgpu_doctor/verify/place.h"
#include "tools/vgpu_doctor/verify/run_in_place.h"

namespace vgpu::doctor {

// Each fills the step's outcome: status, why, messages and devices.

// Era B: `EXE runner --ollama-engine --port N` on a free port of the place, and GET /info. The
// runner is ended when it has answered.
void RunRunner(const Place& place, const std::string& exe, const ollama::Variables& variables,
               probe::Step& step);

// Era C: a start of llama-server without a model, which tells what its backend was compiled for
// ("5.0"). Empty: it does not tell.
std::vector<std::string> CompiledFor(const Place& place, const std::string& exe,
                                     const ollama::Variables& variables);

// Era C: `llama-server --list-devices --offline --verbose`.
void RunListDevices(const Place& place, const std::string& exe, const ollama::Variables& variables,
                    probe::Step& step);

// Era C: `EXE gpu-discover --lib-dir DIRECTORY --lib-dir VARIANT`.
void RunGpuDiscover(const Place& place, const std::string& exe,
                    const ollama::ChildLibraries& libraries, const ollama::Variables& variables,
                    probe::Step& step);

// What any child's end says of its step: false where that decides it (not started, ended by a
// signal, out of time), and the step's status and reason are set.
bool EndedByItself(const ChildOutcome& outcome, probe::Step& step);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_RUN_DISCOVERY_H_
