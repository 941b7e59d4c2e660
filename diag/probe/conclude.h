// What the steps of a probe amount to: whether they agree, and the verdict.
//
//   Conclude(result);                        // fills comparisons, verdict and headline
//   if (probe::Verified(result)) ...         // discovery can find the GPU, seen and not inferred
//
// Pure; thread-safe.

#ifndef DIAG_PROBE_CONCLUDE_H_
#define DIAG_PROBE_CONCLUDE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/probe/probe.h"

namespace vgpu::probe {

// "GPU-d110a105-…" in lower case; "0000:00:05.0" of "00000000:00:05.0" and "0000:00:05.0".
// Empty: it is none.
std::string CanonicalUuid(absl::string_view text);
std::string CanonicalAddress(absl::string_view text);

// Address, id, name and memory, of each device, over all steps of the run that name it.
// Steps that say nothing of a thing are left out; a thing that one step alone says, too.
std::vector<Comparison> Compare(const Run& run);

// Fills each run's comparisons, the verdict and the headline.
//   problem       a step failed, or steps disagree; a variant that fails where another one
//                 works is passed over, as Ollama does, and a failure for want of something that
//                 the service has and the steps had not proves nothing
//   healthy       the steps that show a GPU to this Ollama were done in the process's place
//   inconclusive  neither: what could not be done, or not in the service's place
void Conclude(Result& result);

// A run in the place and the environment of the running process did all that discovery does
// and found a GPU, and nothing that was left out could change that.
bool Verified(const Result& result);

// The run in the environment of the running process; null where there is none.
const Run* ProcessRun(const Result& result);

// "ended by SIGSEGV", "did not end in time"; empty: it ended by itself.
std::string HowItEnded(const Step& step);
// "SIGSEGV"; "signal 42" for one that has no such name.
std::string SignalName(int signal);

// "healthy", "problem", "inconclusive"; "ok", "failed", "not run".
const char* VerdictName(Verdict verdict);
const char* StatusName(StepStatus status);

}  // namespace vgpu::probe

#endif  // DIAG_PROBE_CONCLUDE_H_
