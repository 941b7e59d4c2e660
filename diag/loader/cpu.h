// What glibc's loader makes of the CPU: which subdirectories of a library directory it
// looks into first, and what `$PLATFORM` stands for.
//
//   Cpu cpu = CpuFrom(content_of_proc_cpuinfo);
//   cpu.hwcaps      {"x86-64-v3", "x86-64-v2"}
//   cpu.platform    "haswell"
//
// The levels are those of the x86-64 psABI; platforms are those of glibc up to 2.36
// (sysdeps/x86/cpu-features.c and dl-hwcaps_subdirs.c). Pure; thread-safe.

#ifndef DIAG_LOADER_CPU_H_
#define DIAG_LOADER_CPU_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::loader {

struct Cpu {
  std::vector<std::string> hwcaps;  // subdirectories of glibc-hwcaps/, best first
  std::string platform;             // "x86_64", "haswell", "xeon_phi", "aarch64"
  // Subdirectories of the older kind in the order in which glibc up to 2.36 tries them:
  // "tls/haswell/x86_64", ..., "x86_64". It has none since 2.37.
  std::vector<std::string> legacy;
};

// The text of /proc/cpuinfo; the first processor speaks for all.
Cpu CpuFrom(absl::string_view cpuinfo);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_CPU_H_
