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

// Of what is shared a few pieces for each cause, without what goes without saying: the unit's usual
// name, an era whose version is named. JSON has all.
std::vector<FleetShared> SharedInShort(const Fleet& fleet);

// "certain", "likely"; of hosts that differ "certain on 3, likely on 1".
std::string Certainty(const FleetCause& cause);

// "vgpu-doctor fix VG302 --root captures/a.tar.zst": shows the repair, of the first host that has
// the cause.
std::string Repair(const FleetCause& cause, const Fleet& fleet);

// Hosts of which the same is said.
struct FleetBlock {
  std::vector<const FleetHost*> hosts;  // never empty

  // With PID where they are several.
  const std::string& headline() const {
    return hosts.size() == 1 ? hosts.front()->headline : hosts.front()->alike;
  }
};

// Hosts that stand together: with the same verdict and the same causes. Points into the fleet.
struct FleetGroup {
  std::vector<const FleetHost*> hosts;  // never empty
  std::vector<FleetBlock> blocks;       // of them
  // "VG302 service-started-before-config (certain), VG411 …"; empty where they have no cause.
  std::string causes;
  // "vgpu-doctor fix --root captures/a.tar.zst"; empty where they have no cause.
  std::string repair;
};

std::vector<FleetGroup> Groups(const Fleet& fleet);

// What the verdict's word means where it is no verdict: "could not be read"; else the word.
std::string SayVerdict(const FleetHost& host);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_FLEET_PHRASES_H_
