// Where installers put the program: Ollama's own script, distributions' packages, archives that
// were unpacked by hand.

#ifndef DIAG_FACTS_USUAL_PROGRAMS_H_
#define DIAG_FACTS_USUAL_PROGRAMS_H_

#include "absl/strings/string_view.h"

namespace vgpu::facts {

inline constexpr absl::string_view kUsualPrograms[] = {
    "/usr/local/bin/ollama", "/usr/bin/ollama", "/opt/ollama/bin/ollama", "/opt/ollama/ollama"};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_USUAL_PROGRAMS_H_
