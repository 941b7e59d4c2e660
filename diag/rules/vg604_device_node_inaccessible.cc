// VG604 device-node-inaccessible: /dev/nvidia*, or the BAR's file of a virtual device, is
// missing or closed to the service's user.
//
// libcuda opens /dev/nvidiactl, /dev/nvidia-uvm and /dev/nvidiaN itself, as the user of the
// service (mode 0666 by default, NVreg_DeviceFileMode). A virtual device needs none of
// them; its BAR is of use only to a stack that opened it on purpose. What a sandbox hides
// is VG210, what a container was not given VG610: the host's own nodes are judged here.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Barrier;
using facts::DeviceNode;
using facts::Identity;
using host::Observed;

// Who opens them: the process, else the next start.
Observed<Identity> WhoOpens(const facts::Facts& facts) {
  if (facts.process.present() && facts.process->identity.present()) {
    return *facts.process->identity;
  }
  return facts.unit.identity;
}

std::string HowToSee(const std::vector<DeviceNode>& nodes) {
  return absl::StrCat("ls -lL ", host::Dirname(nodes.front().path), "/");
}

// What is wrong with each node, as evidence.
struct Look {
  std::vector<Evidence> missing, closed;
  std::vector<Barrier> barriers;  // what closes them, each once
  std::string unseen, why_unseen;
};

Look LookAt(const std::vector<DeviceNode>& nodes, const Observed<Identity>& who) {
  Look look;
  for (const DeviceNode& node : nodes) {
    if (node.found.absent()) {
      look.missing.push_back({node.path, 0, "(no such file)", "the driver's node is not there"});
      continue;
    }
    Observed<Barrier> barrier = host::NotObserved{std::string(node.found.why_not())};
    if (node.found.present() && !who.present()) {
      barrier = host::NotObserved{"whom the service runs as is not known"};
    } else if (node.found.present()) {
      barrier = WhatStops(node.way, *who, facts::Want::kRead);
    }
    if (barrier.present()) {
      look.closed.push_back({barrier->path, 0,
                             absl::StrCat("mode ", facts::ModeText(barrier->mode)),
                             absl::StrCat("closed to ", who->name, ", who opens ", node.path)});
      const bool known =
          std::any_of(look.barriers.begin(), look.barriers.end(),
                      [&](const Barrier& other) { return other.path == barrier->path; });
      if (!known) look.barriers.push_back(*barrier);
    } else if (barrier.not_observed() && look.unseen.empty()) {
      look.unseen = node.path;
      look.why_unseen = std::string(barrier.why_not());
    }
  }
  return look;
}

// Opens every one of them: libcuda opens them all, and one that stays closed is enough to fail.
FixStep OpenStep(const std::vector<Barrier>& barriers) {
  std::string files, directories;
  std::vector<std::string> undo;
  for (const Barrier& barrier : barriers) {
    const std::string path = ShellQuoted(barrier.path);
    absl::StrAppend(barrier.directory ? &directories : &files, " ", path);
    undo.push_back(absl::StrCat("sudo chmod ", facts::ModeText(barrier.mode), " ", path));
  }
  std::vector<std::string> commands;
  if (!directories.empty()) commands.push_back(absl::StrCat("sudo chmod a+rx", directories));
  if (!files.empty()) commands.push_back(absl::StrCat("sudo chmod a+rw", files));
  return {absl::StrJoin(commands, " && "),
          "as the driver makes its nodes by default; it lasts until the next boot, "
          "and a rule of udev or NVreg_DeviceFileMode is what made it otherwise",
          "every user of this machine can use the GPU", absl::StrJoin(undo, " && ")};
}

Judgement OfBars(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.bar_wanted_by.empty() || devices.bars.empty()) {
    return Contradicted{
        "a virtual device needs no node below /dev, and nothing here opens a BAR to the service"};
  }
  const Look look = LookAt(devices.bars, WhoOpens(facts));
  if (look.closed.empty() && look.missing.empty()) {
    if (!look.unseen.empty())
      return CannotTell{look.unseen, look.why_unseen, HowToSee(devices.bars)};
    return Contradicted{absl::StrCat(devices.bars.front().path, " is open to the service")};
  }
  Holds holds;
  holds.confidence = Confidence::kPossible;
  holds.acts = Acts::kNextStart;  // the device is discovered without it
  for (const auto* list : {&look.closed, &look.missing}) {
    for (const Evidence& evidence : *list) {
      if (holds.evidence.size() < 8) holds.evidence.push_back(evidence);
    }
  }
  holds.evidence.push_back({devices.bar_wanted_by, 0, "", "is there to open it to the service"});
  holds.headline = absl::StrCat(devices.bars.front().path,
                                " is closed to the service, although it is meant to be open.");
  holds.fix.push_back(
      {"sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=pci",
       "applies the rules of udev to the devices that are there", "", ""});
  holds.expect = {absl::StrCat("ls -l ", devices.bars.front().path,
                               " shows a mode that lets the service's user in")};
  return holds;
}

}  // namespace

Judgement DeviceNodeInaccessible(const facts::Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.IsVirtual()) return OfBars(facts);
  if (devices.wsl) return Contradicted{"under Windows the driver is reached through /dev/dxg"};
  if (devices.l4t_major.present()) return Contradicted{"a Jetson's GPU has nodes of other names"};
  if (auto unseen = DeviceNotSeen(facts)) return *unseen;
  if (!devices.IsPhysical()) {
    return Contradicted{"no NVIDIA driver or device was seen that would have nodes"};
  }
  const Look look = LookAt(devices.nodes, WhoOpens(facts));
  const bool found_gpu = DiscoveryFoundGpu(facts);
  if (look.closed.empty() && (look.missing.empty() || found_gpu)) {
    if (found_gpu) return Contradicted{"discovery found the GPU through its nodes"};
    if (!look.unseen.empty()) {
      return CannotTell{look.unseen, look.why_unseen, HowToSee(devices.nodes)};
    }
    return Contradicted{absl::StrCat(devices.nodes.size(), " of ", devices.nodes.size(),
                                     " nodes are there and open to the service")};
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (look.closed.empty() && effect.empty()) {
    // nvidia-modprobe, which libcuda starts, makes them when they are first wanted.
    return CannotTell{look.missing.front().source,
                      "not there yet, and libcuda has it made when it is first wanted",
                      "sudo nvidia-modprobe -u -c 0 && ls -l /dev/nvidia*"};
  }
  Holds holds;
  holds.confidence = Confidence::kLikely;
  holds.acts = found_gpu ? Acts::kNextStart : ActsNowIfRunning(facts);
  for (const auto* list : {&look.closed, &look.missing}) {
    for (const Evidence& evidence : *list) {
      if (holds.evidence.size() < 8) holds.evidence.push_back(evidence);
    }
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704", "VG707"};
  // Modes and owners of the host's own nodes: no sandbox and no missing driver made them.
  holds.independent = !look.closed.empty();
  const std::string first =
      look.closed.empty() ? look.missing.front().source : look.closed.front().source;
  holds.headline =
      absl::StrCat(first, look.closed.empty() ? " is missing" : " is closed to the service",
                   ": libcuda cannot open the GPU.");
  if (!look.missing.empty()) {
    holds.fix.push_back({"sudo nvidia-modprobe -u -c 0",
                         "loads the modules and makes /dev/nvidiactl, /dev/nvidia0 and "
                         "/dev/nvidia-uvm",
                         "", ""});
  }
  if (!look.closed.empty()) {
    holds.fix.push_back(OpenStep(look.barriers));
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {"ls -l /dev/nvidia* shows crw-rw-rw-", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
