// What `vgpu-doctor verify` saw, where there is a result of it: the steps of discovery, done in
// the place of the service (diag/probe/probe.h).
//
// Values; thread-compatible. A part of Facts (facts.h).

#ifndef DIAG_FACTS_PROBE_FACTS_H_
#define DIAG_FACTS_PROBE_FACTS_H_

#include <string>

#include "diag/host/observed.h"
#include "diag/probe/probe.h"

namespace vgpu::facts {

struct ProbeFacts {
  std::string source;  // "/.vgpu-capture/probe/ollama.json"
  // Absent: none was made. Not observed: also where there is one of another process, or of
  // another form; a proof about something else is none.
  host::Observed<probe::Result> result;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_PROBE_FACTS_H_
