#include "diag/facts/cpu.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace vgpu::facts {

host::Observed<CpuFacts> ParseCpu(absl::string_view proc_cpuinfo) {
  CpuFacts cpu;
  // Flags that the end of the text cuts are not all of them. (npos + 1 is 0.)
  proc_cpuinfo = proc_cpuinfo.substr(0, proc_cpuinfo.rfind('\n') + 1);
  for (absl::string_view line : absl::StrSplit(proc_cpuinfo, '\n')) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, colon));
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (key == "model name" && cpu.model.empty()) cpu.model = std::string(value);
    if (key != "flags") continue;
    for (absl::string_view flag : absl::StrSplit(value, ' ')) {
      cpu.avx = cpu.avx || flag == "avx";
      cpu.avx2 = cpu.avx2 || flag == "avx2";
      cpu.hypervisor = cpu.hypervisor || flag == "hypervisor";
    }
    return cpu;
  }
  return host::NotObserved{"it lists no flags of an x86 processor"};
}

}  // namespace vgpu::facts
