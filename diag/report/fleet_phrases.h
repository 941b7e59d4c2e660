// What the views of many hosts for people say alike.
//
// Pure functions, safe in any thread.

#ifndef DIAG_REPORT_FLEET_PHRASES_H_
#define DIAG_REPORT_FLEET_PHRASES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/report/fleet.h"

namespace vgpu::report {

// "1 host", "3 hosts".
std::string HostCount(size_t hosts);

// "12 hosts: 8 with a problem, 1 not readable, 1 inconclusive, 2 healthy".
std::string Summary(const Fleet& fleet);

// "Ollama 0.16.2", "discovery of era B", "ollama.service"; empty for evidence.
std::string SharedValue(const FleetShared& shared);

// A host's name; with its place where another host has the same name.
class FleetNames {
 public:
  explicit FleetNames(const Fleet& fleet);
  std::string Of(const FleetHost& host) const;

 private:
  std::vector<std::string> twice_;  // sorted
};

// Hosts that stand together: with the same verdict and the same causes. Points into the fleet.
struct FleetGroup {
  std::vector<const FleetHost*> hosts;  // never empty
  // "VG302 service-started-before-config, VG411 …"; empty where they have no cause.
  std::string causes;
};

std::vector<FleetGroup> Groups(const Fleet& fleet);

// What the verdict's word means where it is no verdict: "could not be read"; else the word.
std::string SayVerdict(const FleetHost& host);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_FLEET_PHRASES_H_
