// What `vgpu-doctor verify` does: the steps of discovery, each in a child of its own, in the
// place of the service and with the environments that matter.
//
//   probe::Result result = VerifySteps(host, facts, program);
//
// The server's environment comes from the process, or from systemd for the next start; that
// of its children from diag/ollama/child_environment.h. Nothing of the host is changed: the
// steps open libraries and read, and Ollama's own discovery is run as the server runs it.

#ifndef TOOLS_VGPU_DOCTOR_VERIFY_STEPS_H_
#define TOOLS_VGPU_DOCTOR_VERIFY_STEPS_H_

#include <functional>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"
#include "diag/probe/probe.h"

namespace vgpu::doctor {

// `program` is a descriptor of vgpu-probe. `doing` is told of each step before it is done.
probe::Result VerifySteps(const host::Host& host, const facts::Facts& facts, int program,
                          const std::function<void(absl::string_view)>& doing);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_VERIFY_STEPS_H_
