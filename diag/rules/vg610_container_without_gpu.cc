// VG610 container-without-gpu: the container was started without a GPU, lost it again, or
// was given too little by a stale description.
//
// A runtime gives a container NVIDIA's nodes and libraries by mounts: `--gpus` (Docker with
// NVIDIA's container toolkit), `--device nvidia.com/gpu=all` (the Container Device
// Interface: Podman, Docker 25 and later). systemd's daemon-reload takes the devices of a
// running container away again where Docker drives cgroups through systemd
// (NVIDIA/nvidia-container-toolkit, troubleshooting: "Failed to initialize NVML").

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/reported_device.h"
#include "diag/rules/steps.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

using facts::ContainerFacts;
using facts::Facts;

// The unit itself runs a container: `docker run …`, or what Quadlet makes of a .container.
struct RunCommand {
  std::string runtime;  // "docker", "podman", "nerdctl"
  bool seen = false;    // it says what the container gets: `run` or `create`
  bool gives_gpu = false;
  bool gives_shims = false;
  bool by_cdi = false;
};

std::optional<RunCommand> RunCommandOf(const Facts& facts) {
  const std::string& command = facts.program.command;
  const std::string text = absl::StrCat(command, " ", facts.program.script.value_or(""));
  static const RE2& runtime = *new RE2("(?:^|[/ \n])(docker|podman|nerdctl)\\s");
  RunCommand run;
  if (!RE2::PartialMatch(text, runtime, &run.runtime)) return std::nullopt;
  static const RE2& gpu = *new RE2(
      "--gpus[= ]|--device[= ]['\"]?(?:nvidia\\.com/|/dev/nvidia|/dev/dri)|--runtime[= ]nvidia|"
      "--privileged|--hooks-dir");
  static const RE2& starts = *new RE2("\\s(?:run|create)\\s");
  run.seen = RE2::PartialMatch(text, starts);
  run.gives_gpu = RE2::PartialMatch(text, gpu);
  run.gives_shims = absl::StrContains(text, "vgpu");
  run.by_cdi = absl::StrContains(text, "nvidia.com/gpu");
  return run;
}

// The host has a GPU of NVIDIA that it could give.
bool HostHasGpu(const Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.module_version.present() || devices.wsl) return true;
  if (devices.modules.present() && devices.modules->Has("nvidia").value_or(false)) return true;
  return devices.HasNvidiaGpu().value_or(false);
}

// It can be seen that it has none.
bool HostHasNone(const Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  return devices.modules.present() && devices.modules->Has("nvidia").present() &&
         devices.HasNvidiaGpu().present() && !HostHasGpu(facts);
}

// Neither the host nor CUDA's words tell that there is a GPU which the container could have.
std::optional<Judgement> WithoutHostGpu(const Facts& facts, const ollama::CudaError* said) {
  if (HostHasGpu(facts) || said != nullptr) return std::nullopt;
  if (HostHasNone(facts)) return Contradicted{"the host has no NVIDIA GPU to give"};
  return CannotTell{"whether the container's host has a GPU to give it",
                    "its modules or its PCI functions were not seen",
                    "nvidia-smi -L  # on the host"};
}

// CUDA's words for a device that is not there: 35 (no driver library of the host), 100, 800.
const ollama::CudaError* NoDeviceSaid(const ollama::ServerStart* start) {
  if (start == nullptr) return nullptr;
  for (const ollama::CudaError& error : start->cuda_errors) {
    if (error.Is(100) || error.Is(35) || error.Is(800)) return &error;
  }
  return nullptr;
}

// A later child could not open the device any more that discovery had found.
const ollama::CudaError* LostPermission(const Facts& facts) {
  const ollama::ServerStart* start = StartToJudge(facts);
  const ollama::CudaError* lost = start == nullptr ? nullptr : start->LostLater();
  return lost != nullptr && (lost->Is(800) || lost->Is(100)) ? lost : nullptr;
}

const facts::CdiSpec* StaleCdi(const ContainerFacts& container) {
  for (const facts::CdiSpec& spec : container.nvidia_cdi) {
    if (!spec.missing.empty() || !spec.maps_driver) return &spec;
  }
  return nullptr;
}

void AddCdi(const facts::CdiSpec& spec, Holds& holds) {
  if (!spec.maps_driver) {
    holds.evidence.push_back({spec.path, 0, "", "it maps no libcuda.so into a container"});
  }
  for (const std::string& path : spec.missing) {
    holds.evidence.push_back({spec.path, 0, path, "is named there, and the host does not have it"});
  }
}

FixStep CdiStep(const facts::CdiSpec* spec) {
  const std::string path = spec == nullptr ? "/etc/cdi/nvidia.yaml" : spec->path;
  return {absl::StrCat("sudo cp -a ", path, " ", path,
                       ".before; sudo nvidia-ctk cdi generate --output=", path),
          "describes the driver that is installed now; to be done after each upgrade of it", "",
          absl::StrCat("sudo mv ", path, ".before ", path)};
}

void Finish(const Facts& facts, Holds& holds) {
  // libcuda.so.1 is among what the runtime would have mounted.
  holds.explains = {"VG504", "VG604", "VG607", "VG704", "VG707"};
  holds.expect = {"nvidia-smi -L in the container names the GPU", ExpectGpuLine(facts)};
}

// Where a person adds the flag. A generated unit has a source, and is written anew from it.
FixStep AddFlagStep(const Facts& facts, const RunCommand& run, absl::string_view flag) {
  const systemd::Setting* source = facts.unit.on_disk.Last("Unit", "SourcePath");
  if (source != nullptr && absl::EndsWith(source->value, ".container")) {
    return {
        absl::StrCat("sudoedit ", ShellQuoted(source->value), " && sudo systemctl daemon-reload"),
        "add AddDevice=nvidia.com/gpu=all to its [Container]: the unit is made of it", "",
        "take the line out again"};
  }
  return {absl::StrCat("sudo systemctl edit --full ", facts.unit.name),
          absl::StrCat("add `", flag, "` behind `", run.runtime,
                       " run` (in a Quadlet file, AddDevice=nvidia.com/gpu=all)"),
          "", "take it out again the same way"};
}

// How the unit starts it says what it lacks.
Judgement OfUnit(const Facts& facts, const RunCommand& run) {
  if (run.gives_shims) return Contradicted{"the unit gives its container the shims"};
  if (!run.seen) {
    return CannotTell{"what the container was created with",
                      absl::StrCat("the unit starts one that was created before (",
                                   facts.program.command.substr(0, 80), ")"),
                      absl::StrCat("sudo ", run.runtime,
                                   " inspect CONTAINER | grep -iE 'DeviceRequests|nvidia'")};
  }
  const facts::CdiSpec* stale = StaleCdi(facts.container);
  if (run.gives_gpu && !(run.by_cdi && stale != nullptr)) {
    return Contradicted{"the unit gives its container a GPU"};
  }
  if (DiscoveryFoundGpu(facts)) return Contradicted{"discovery in the container found a GPU"};
  const ollama::ServerStart* start = StartToJudge(facts);
  const ollama::CudaError* said = NoDeviceSaid(start);
  if (std::optional<Judgement> none = WithoutHostGpu(facts, said)) return *none;
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  Holds holds;
  holds.acts = ActsNowIfRunning(facts);
  holds.evidence.push_back({facts.program.source, facts.program.line, facts.program.command,
                            run.gives_gpu ? "asks for the GPU by a description"
                                          : "runs a container and gives it no GPU"});
  if (run.gives_gpu) AddCdi(*stale, holds);
  if (said != nullptr) {
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), said->line, "CUDA finds no device in it"));
  }
  holds.confidence = !HostHasGpu(facts) ? Confidence::kPossible
                     : effect.empty()   ? Confidence::kLikely
                                        : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  Finish(facts, holds);
  if (run.gives_gpu) {
    holds.headline = absl::StrCat(stale->path,
                                  " describes another driver than the one that is installed: "
                                  "generate it anew.");
    holds.fix.push_back(CdiStep(stale));
  } else {
    const std::string flag = run.runtime == "podman" ? "--device nvidia.com/gpu=all" : "--gpus all";
    holds.headline =
        absl::StrCat("The unit starts Ollama's container without a GPU: add `", flag, "`.");
    holds.fix.push_back(AddFlagStep(facts, run, flag));
  }
  holds.fix.push_back(RestartStep(facts, "a container gets its devices when it is made"));
  return holds;
}

// What is mounted into it says what it has.
Judgement OfProcess(const Facts& facts) {
  const ContainerFacts& container = facts.container;
  const ollama::ServerStart* start = StartToJudge(facts);
  const std::string what =
      container.container.present()
          ? absl::StrCat(container.container->runtime, " ", container.container->id.substr(0, 12))
          : container.marker;
  const ollama::CudaError* lost = LostPermission(facts);
  const std::string runtime =
      container.container.present() ? container.container->runtime : "docker";
  const std::string tool = runtime == "podman" ? "podman" : "docker";
  const std::string id =
      container.container.present() ? container.container->id.substr(0, 12) : "CONTAINER";
  if (lost != nullptr) {
    Holds holds;
    holds.confidence = Confidence::kLikely;
    holds.acts = ActsNowIfRunning(facts);
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), lost->line,
                                     "discovery had found the GPU; the container may not open "
                                     "it any more"));
    Finish(facts, holds);
    holds.headline = absl::StrCat("The container (", what,
                                  ") had the GPU and lost its permission for it: restart it, and "
                                  "give it the nodes by name.");
    holds.fix.push_back({absl::StrCat("sudo ", tool, " restart ", id),
                         "the runtime allows the devices again; `--device /dev/nvidia0 --device "
                         "/dev/nvidiactl --device /dev/nvidia-uvm`, or "
                         "\"exec-opts\": [\"native.cgroupdriver=cgroupfs\"] in "
                         "/etc/docker/daemon.json, keeps them through a daemon-reload",
                         "requests that are running are cut off", ""});
    return holds;
  }
  if (facts.devices.IsVirtual()) {
    return Contradicted{
        absl::StrCat("the device is virtual (",
                     facts.devices.shim.empty() ? facts.devices.config_source : facts.devices.shim,
                     "): the container needs no GPU of the host")};
  }
  if (DiscoveryFoundGpu(facts)) return Contradicted{"discovery in the container found a GPU"};
  std::string given;
  if (container.mounted.present() && !container.mounted->empty())
    given = container.mounted->front();
  if (given.empty() && container.nodes.present() && !container.nodes->empty()) {
    given = container.nodes->front();
  }
  const facts::CdiSpec* stale = StaleCdi(container);
  const ollama::CudaError* said = NoDeviceSaid(start);
  if (!given.empty() && (stale == nullptr || said == nullptr)) {
    return Contradicted{absl::StrCat(given, " is given to the container")};
  }
  if (given.empty() && !container.mounted.present() && !container.nodes.present()) {
    return CannotTell{
        absl::StrCat("what the container (", what, ") was given of a GPU"),
        std::string(container.mounted.why_not()),
        absl::StrCat("sudo ", tool, " inspect ", id, " | grep -iE 'DeviceRequests|nvidia'")};
  }
  if (std::optional<Judgement> none = WithoutHostGpu(facts, said)) return *none;
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  Holds holds;
  holds.acts = ActsNowIfRunning(facts);
  if (given.empty()) {
    const bool mounts = container.mounted.present();
    holds.evidence.push_back(
        {mounts ? facts.process->mounts.source : absl::StrCat(facts.process->root, "/dev"), 0,
         mounts ? "(no mount of NVIDIA's)" : "(no nvidia*)",
         absl::StrCat("neither nodes nor libraries of a GPU are in the container (", what, ")")});
  } else {
    AddCdi(*stale, holds);
  }
  if (facts.process.present() && facts.process->environ.present()) {
    const std::optional<absl::string_view> visible =
        facts.process->environ->Find("NVIDIA_VISIBLE_DEVICES");
    if (visible && (*visible == "void" || *visible == "none" || visible->empty())) {
      holds.evidence.push_back({facts.process->environ.source, 0,
                                Assignment("NVIDIA_VISIBLE_DEVICES", *visible),
                                "tells NVIDIA's runtime to give it none"});
    }
  }
  if (said != nullptr) {
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), said->line, "CUDA finds no device in it"));
  }
  holds.confidence = !HostHasGpu(facts) ? Confidence::kPossible
                     : effect.empty()   ? Confidence::kLikely
                                        : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  Finish(facts, holds);
  if (!given.empty()) {
    holds.headline = absl::StrCat(stale->path,
                                  " describes another driver than the one that is installed: "
                                  "generate it anew, and make the container again.");
    holds.fix.push_back(CdiStep(stale));
    return holds;
  }
  holds.headline =
      absl::StrCat("The container (", what, ") was started without a GPU: make it again with one.");
  if (runtime == "kubernetes") {
    holds.fix.push_back({"kubectl describe node | grep nvidia.com/gpu",
                         "the pod's resources.limits must ask for `nvidia.com/gpu: 1`, and the "
                         "node must offer it (NVIDIA's device plugin)",
                         "", ""});
  } else if (runtime == "lxc") {
    holds.fix.push_back({absl::StrCat("incus config device add ", id, " gpu gpu"),
                         "gives a container of Incus (or LXD: lxc) the host's GPU; its libraries "
                         "come with nvidia.runtime=true",
                         "", absl::StrCat("incus config device remove ", id, " gpu")});
  } else {
    const std::string flag = tool == "podman" ? "--device nvidia.com/gpu=all" : "--gpus all";
    holds.fix.push_back(
        {absl::StrCat("sudo ", tool, " rm -f ", id, " && sudo ", tool, " run -d ", flag,
                      " -v ollama:/root/.ollama -p 11434:11434 --name ollama ollama/ollama"),
         "gives it the GPU, through NVIDIA's container toolkit on the host; take the volumes and "
         "ports that it has now",
         "models that are in no volume are lost", ""});
  }
  return holds;
}

}  // namespace

Judgement ContainerWithoutGpu(const Facts& facts) {
  const std::optional<RunCommand> run = RunCommandOf(facts);
  // The unit's own command is where it can be repaired.
  if (run && run->seen && !run->gives_gpu && !LostPermission(facts)) return OfUnit(facts, *run);
  if (facts.container.IsContainer()) return OfProcess(facts);
  if (run) return OfUnit(facts, *run);
  if (!facts.process.absent() && facts.container.container.not_observed()) {
    return CannotTell{
        "whether the server runs in a container", std::string(facts.container.container.why_not()),
        facts.process.present() ? absl::StrCat("cat /proc/", facts.process->pid, "/cgroup")
                                : HowToSeeProcess(facts)};
  }
  return Contradicted{"neither the process nor the unit is a container"};
}

}  // namespace vgpu::rules
