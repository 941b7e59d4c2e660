// What package managers did, as their logs say: dpkg's, apt's, pacman's and rpm's.
//
//   for (const PackageEvent& event : ParseDpkgLog(text, host.time_zone())) ...
//   // {"2026-02-26 06:01:02", "libc6 was upgraded from 2.36-9 to 2.36-10", "libc6", 17}
//
// Formats: dpkg(1), --log; apt's history.log; pacman's /var/log/pacman.log (both of its forms of
// time); dnf's /var/log/dnf.rpm.log. Lines that are none are skipped. Pure; thread-safe; linear.

#ifndef DIAG_TIMELINE_PACKAGE_LOG_H_
#define DIAG_TIMELINE_PACKAGE_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vgpu::timeline {

struct PackageEvent {
  absl::Time time;
  std::string text;     // for people
  std::string package;  // "libc6"; empty: a run of the package manager
  uint64_t line = 0;
};

std::vector<PackageEvent> ParseDpkgLog(absl::string_view text, absl::TimeZone zone);
std::vector<PackageEvent> ParseAptHistory(absl::string_view text, absl::TimeZone zone);
std::vector<PackageEvent> ParsePacmanLog(absl::string_view text, absl::TimeZone zone);
std::vector<PackageEvent> ParseDnfRpmLog(absl::string_view text);

// Whether a package of this name may decide if a GPU is found: Ollama, NVIDIA's, the C library, the
// kernel, systemd, container engines.
bool BearsOnGpu(absl::string_view package);

}  // namespace vgpu::timeline

#endif  // DIAG_TIMELINE_PACKAGE_LOG_H_
