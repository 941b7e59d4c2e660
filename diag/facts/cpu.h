// The processor, as /proc/cpuinfo tells: what decides whether an old Ollama uses a GPU at
// all, and whether the machine is a virtual one.

#ifndef DIAG_FACTS_CPU_H_
#define DIAG_FACTS_CPU_H_

#include <string>

#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::facts {

struct CpuFacts {
  std::string model;  // "QEMU Virtual CPU version 2.5+"; may be empty
  bool avx = false;
  bool avx2 = false;
  bool hypervisor = false;  // a guest: the flag that hypervisors set (CPUID 1, ECX 31)
};

// Of the first processor. Not observed: the text has no flags of x86 (another
// architecture calls them "Features", and has no AVX to lack).
host::Observed<CpuFacts> ParseCpu(absl::string_view proc_cpuinfo);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_CPU_H_
