// vgpu-probe: one step of what a client of a GPU does, seen from inside a process.
//
//   vgpu-probe [--fd N] STEP [WORD...]
//
// `vgpu-doctor verify` starts it once for each step, in the place of a service, and reads its
// lines (answer.h). It is a dynamic program that needs the C library alone: what the loader
// does to it is what it does to any program there. Exit status: 0 the step went well, 1 it
// did not, 2 usage.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vgpu_probe/answer.h"
#include "tools/vgpu_probe/steps.h"

namespace vgpu::probe_program {
namespace {

struct NamedStep {
  const char* name;
  void (*run)(Words words, Answer& answer);
};

constexpr NamedStep kSteps[] = {
    {"loader", LoaderStep}, {"preload", PreloadStep}, {"nvml", NvmlStep}, {"cuda", CudaStep},
    {"cudart", CudartStep}, {"backend", BackendStep}, {"pci", PciStep},
};

// Too large for a stack that a limit of the service keeps small.
Answer answer;

int Run(Words words) {
  if (words[0] != nullptr && strcmp(words[0], "--fd") == 0 && words[1] != nullptr) {
    SetAnswerFd(atoi(words[1]));
    words += 2;
  }
  for (const NamedStep& step : kSteps) {
    if (words[0] == nullptr || strcmp(words[0], step.name) != 0) continue;
    step.run(words + 1, answer);
    return answer.Finish();
  }
  fputs("usage: vgpu-probe [--fd N] STEP [WORD...]\nsteps:", stderr);
  for (const NamedStep& step : kSteps) fprintf(stderr, " %s", step.name);
  fputs("\n", stderr);
  return 2;
}

}  // namespace
}  // namespace vgpu::probe_program

int main(int, char** argv) { return vgpu::probe_program::Run(argv + 1); }
