// VG507 visible-devices-hide: CUDA_VISIBLE_DEVICES is empty, -1, or names no device that
// there is. Where it leaves some of several devices, that is worth knowing, and no fault.
//
// The children of discovery inherit it (A: the server itself reads it), and CUDA then shows
// no device. NVIDIA_VISIBLE_DEVICES is read by container runtimes only; those of AMD and
// Vulkan hide nothing from CUDA.

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/ollama/visible_devices.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/in_effect.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

constexpr char kName[] = "CUDA_VISIBLE_DEVICES";
constexpr char kFromZero[] =
    ": in the container the devices that its runtime gave it are numbered from 0";

// The devices that CUDA would show without the variable, where they are known.
struct KnownDevices {
  std::optional<ollama::DeviceIds> ids;
  std::string source;
  std::string text;           // for people
  bool in_container = false;  // fewer than the host has: what the runtime gave the container
};

// Ids that the shims or a driver reported to a start of this service.
std::vector<std::string> LoggedIds(const facts::Facts& facts) {
  std::vector<std::string> ids;
  const auto& log = facts.log.ServersLog();
  if (!log.present()) return ids;
  for (const ollama::ServerStart& start : log->starts) {
    for (const ollama::Compute& result : start.results) {
      if (absl::StartsWith(result.id, "GPU-") && ids.size() < 16) ids.push_back(result.id);
    }
  }
  return ids;
}

// Nodes of cards that the process has in its container: "/dev/nvidia1". CUDA shows no other card
// there, and numbers these from 0. Empty: in no container, or not known.
std::vector<std::string> NodesGiven(const facts::Facts& facts) {
  std::vector<std::string> nodes;
  if (!facts.container.IsContainer() || !facts.process.present()) return nodes;
  const auto& seen =
      facts.container.nodes.present() ? facts.container.nodes : facts.container.mounted;
  for (const std::string& path : seen.value_or({})) {
    absl::string_view number = path;
    if (absl::ConsumePrefix(&number, "/dev/nvidia") && !number.empty() &&
        number.find_first_not_of("0123456789") == absl::string_view::npos) {
      nodes.push_back(path);
    }
  }
  return nodes;
}

KnownDevices Devices(const facts::Facts& facts) {
  KnownDevices known;
  if (facts.devices.configured.present()) {
    known.ids.emplace();
    for (const facts::ConfiguredDevice& device : facts.devices.configured->devices) {
      known.ids->push_back(device.uuid);
    }
    known.source = facts.devices.config_source;
    const size_t n = known.ids->size();
    known.text = Count(n, "device", "devices");
    // One device whose id is derived: what the log calls it is its id.
    const std::vector<std::string> logged = LoggedIds(facts);
    if (n == 1 && !known.ids->front() && !logged.empty()) known.ids->front() = logged.back();
    for (const std::optional<std::string>& id : *known.ids) {
      if (id && known.text.size() < 300) absl::StrAppend(&known.text, ", ", *id);
    }
    return known;
  }
  if (facts.devices.IsPhysical() && facts.devices.functions.present()) {
    size_t n = 0;
    for (const facts::PciFunction& function : *facts.devices.functions) {
      if (function.IsNvidiaGpu()) ++n;
      if (!function.vendor.present()) return known;  // it may be one, too
    }
    if (n == 0) return known;
    known.ids = ollama::DeviceIds(n);
    known.source = "/sys/bus/pci/devices";
    known.text = Count(n, "NVIDIA GPU", "NVIDIA GPUs");
    const std::vector<std::string> given = NodesGiven(facts);
    if (!given.empty() && given.size() < n) {
      known.ids = ollama::DeviceIds(given.size());
      known.source = facts.container.nodes.present()
                         ? absl::StrCat("/proc/", facts.process->pid, "/root/dev")
                         : facts.process->mounts.source;
      known.text = absl::StrJoin(given, " ");
      known.in_container = true;
    }
  }
  return known;
}

// Of a process in a container: its runtime was asked for no device.
std::optional<Judgement> HiddenByContainer(const facts::Facts& facts) {
  const InEffect variable = ValueNow(facts, "NVIDIA_VISIBLE_DEVICES");
  if (!variable.value.present() || !facts.process.present() || facts.process->root.empty()) {
    return std::nullopt;
  }
  if (*variable.value != "void" && *variable.value != "none") return std::nullopt;
  Holds holds;
  holds.confidence = Confidence::kLikely;
  holds.evidence = variable.evidence;
  for (Evidence& evidence : NoGpuEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG610", "VG704", "VG707"};
  holds.headline =
      absl::StrCat("The container was started with NVIDIA_VISIBLE_DEVICES=", *variable.value,
                   ": its runtime gave it no device.");
  holds.fix = {{"docker run --gpus all …",
                "start the container again with a device, and without that variable "
                "(podman: --device nvidia.com/gpu=all)",
                "the container is replaced: keep its volumes", ""}};
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

// Of a process in a container: its engine gives it the variable, or its image does.
std::vector<FixStep> WithoutVariable(const facts::Facts& facts) {
  const facts::ProgramFacts& program = facts.program;
  if (facts.UnitRunsContainer() && absl::StrContains(program.command, kName) && program.line > 0) {
    return {{absl::StrCat("sudoedit ", ShellQuoted(program.source)),
             absl::StrCat("take ", kName, " out of the command that starts the container, on line ",
                          program.line),
             "", "put the line back as it was"},
            ReloadStep("systemd reads the command anew"),
            RestartStep(facts, "the container is started with it")};
  }
  return {{"docker inspect --format '{{.Config.Env}}' CONTAINER",
           absl::StrCat("shows where ", kName,
                        " is given (-e, --env-file, compose.yaml, the image): start the container "
                        "again without it; --gpus device=N chooses the device already"),
           "the container is replaced: keep its volumes", ""}};
}

// A number was named, CUDA shows no device, and which devices there are is not known.
bool MayBeTheReason(const facts::Facts& facts, const KnownDevices& known,
                    const InEffect& variable) {
  if (known.ids || variable.acts != Acts::kNow) return false;
  const ollama::CudaError* error = DecidingError(facts);
  return error != nullptr && error->Is(100) && !error->after_result;
}

// It leaves some of the devices. An index may mean another one than its reader thinks: CUDA
// numbers the fastest first, nvidia-smi goes by PCI addresses (CUDA C++ Programming Guide
// 12.8, CUDA_DEVICE_ORDER).
Holds OnlyPicks(const KnownDevices& known, const InEffect& variable, size_t left) {
  Holds holds;
  holds.is_note = true;
  holds.acts = variable.acts;
  holds.confidence = Confidence::kCertain;
  holds.evidence = variable.evidence;
  holds.evidence.push_back(
      {known.source, 0, known.text,
       absl::StrCat("CUDA shows ", left,
                    " of them to Ollama. An index counts from the fastest one, "
                    "and not as nvidia-smi does, unless CUDA_DEVICE_ORDER=PCI_BUS_ID")});
  return holds;
}

}  // namespace

Judgement VisibleDevicesHide(const facts::Facts& facts) {
  if (std::optional<Judgement> container = HiddenByContainer(facts)) return *container;
  const KnownDevices known = Devices(facts);
  std::string shows;
  std::optional<Holds> picks;
  for (const InEffect& variable : ValuesInEffect(facts, kName)) {
    if (!variable.value.present()) continue;
    ollama::VisibleDevices visible = ollama::ParseVisibleDevices(*variable.value, known.ids);
    const std::string setting = Assignment(kName, *variable.value);
    if (!visible.indices.empty() && MayBeTheReason(facts, known, variable)) {
      visible.uncertain = true;
    } else if (!visible.indices.empty()) {
      shows =
          absl::StrCat(setting, known.ids ? absl::StrCat(" leaves ", visible.indices.size(), " of ",
                                                         known.ids->size(), " devices visible")
                                          : " names a device by its index");
      if (visible.uncertain) absl::StrAppend(&shows, ", or more");
      if (!picks && !visible.uncertain && known.ids && visible.indices.size() < known.ids->size()) {
        picks = OnlyPicks(known, variable, visible.indices.size());
      }
      continue;
    }
    std::vector<Evidence> effect;
    if (variable.acts == Acts::kNow) effect = NoGpuEvidence(facts);
    if (visible.uncertain && effect.empty()) {
      return CannotTell{absl::StrCat("whether ", setting, " names a device"),
                        known.ids ? "the ids of the devices are not known"
                                  : "which devices there are is not known",
                        "nvidia-smi -L"};
    }
    Holds holds;
    holds.acts = variable.acts;
    holds.evidence = variable.evidence;
    if (known.ids) {
      holds.evidence.push_back({known.source, 0, known.text,
                                visible.stopped_at.empty() || visible.uncertain
                                    ? "the devices that there are"
                                    : absl::StrCat("there is no device ", visible.stopped_at,
                                                   known.in_container ? kFromZero : "")});
    }
    if (const InEffect asked = ValueNow(facts, "NVIDIA_VISIBLE_DEVICES");
        known.in_container && asked.value.present() && facts.process->environ.present()) {
      holds.evidence.push_back({facts.process->environ.source, 0,
                                Assignment("NVIDIA_VISIBLE_DEVICES", *asked.value),
                                "what the container's runtime was asked for, by the host's "
                                "numbers"});
    }
    if (const ollama::ServerStart* start = facts.ThisStart();
        start != nullptr && variable.acts == Acts::kNow) {
      for (const ollama::Named& line : start->overrides) {
        if (line.name != kName || holds.evidence.size() > 6) continue;
        holds.evidence.push_back(
            FromLog(*facts.log.ServersLog(), line.line, "Ollama says that the variable is set"));
      }
    }
    holds.confidence = visible.uncertain                        ? Confidence::kPossible
                       : !effect.empty() && variable.of_process ? Confidence::kCertain
                                                                : Confidence::kLikely;
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    holds.explains = {"VG704", "VG707"};
    holds.headline = absl::StrCat(setting,
                                  visible.stopped_at.empty() || visible.uncertain
                                      ? " may name no device that there is"
                                      : " names no device that there is",
                                  ": CUDA shows none to Ollama.");
    if (!visible.uncertain && (variable.value->empty() || *variable.value == "-1")) {
      holds.headline = absl::StrCat(setting, " hides every device from Ollama.");
    }
    holds.fix = variable.of_process && facts.container.IsContainer()
                    ? WithoutVariable(facts)
                    : UnsetSteps(facts, "VG507", variable);
    holds.expect = {ExpectGpuLine(facts)};
    return holds;
  }
  if (picks) return *std::move(picks);
  if (!shows.empty()) return Contradicted{shows};
  const InEffect now = ValueNow(facts, kName);
  if (now.value.not_observed() && ValueAtNextStart(facts, kName).value.not_observed()) {
    return CannotTell{absl::StrCat(kName, " of the server"), std::string(now.value.why_not()),
                      HowToSeeProcess(facts)};
  }
  return Contradicted{absl::StrCat(kName, " is not set")};
}

}  // namespace vgpu::rules
