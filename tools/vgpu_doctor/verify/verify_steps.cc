#include "tools/vgpu_doctor/verify/verify_steps.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "diag/ollama/child_environment.h"
#include "diag/ollama/driver_search.h"
#include "diag/probe/answers.h"
#include "diag/probe/conclude.h"
#include "diag/probe/step_names.h"
#include "diag/report/version.h"
#include "tools/vgpu_doctor/verify/place.h"
#include "tools/vgpu_doctor/verify/run_discovery.h"
#include "tools/vgpu_doctor/verify/run_in_place.h"
#include "tools/vgpu_doctor/verify/service_environment.h"

namespace vgpu::doctor {
namespace {

using ollama::Child;
using ollama::ChildLibraries;
using ollama::Era;
using ollama::Variables;
using probe::Step;
using probe::StepStatus;

constexpr absl::Duration kStepLimit = absl::Seconds(10);
constexpr size_t kMaxSelected = 4;
constexpr size_t kMaxAddresses = 16;
constexpr size_t kMaxDrivers = 4;
constexpr char kNvidia[] = "0x10de";
constexpr const char* kWays[] = {"read", "pread", "readv", "fread", "fgets", "syscall"};
constexpr int kOldestOfEraA = 5;
constexpr ollama::Version kFirstWithNvml = {0, 12, 6};
// From here on a device of CUDA is looked at a second time, by the id that it gave.
constexpr ollama::Version kFirstWithSecondPass = {0, 13, 1};

// What of a unit keeps its processes from files, devices or calls: of one that does not run,
// none of it is in force for a step.
constexpr const char* kSandbox[] = {"AppArmorProfile",
                                    "BindPaths",
                                    "BindReadOnlyPaths",
                                    "CapabilityBoundingSet",
                                    "DeviceAllow",
                                    "DevicePolicy",
                                    "DynamicUser",
                                    "ExecPaths",
                                    "ExtensionDirectories",
                                    "ExtensionImages",
                                    "InaccessiblePaths",
                                    "MemoryDenyWriteExecute",
                                    "MountImages",
                                    "NoExecPaths",
                                    "NoNewPrivileges",
                                    "PrivateDevices",
                                    "PrivateMounts",
                                    "PrivateNetwork",
                                    "PrivateTmp",
                                    "PrivateUsers",
                                    "ProcSubset",
                                    "ProtectHome",
                                    "ProtectKernelTunables",
                                    "ProtectProc",
                                    "ProtectSystem",
                                    "ReadOnlyPaths",
                                    "ReadWritePaths",
                                    "RestrictAddressFamilies",
                                    "RootDirectory",
                                    "RootImage",
                                    "SELinuxContext",
                                    "SystemCallFilter",
                                    "TemporaryFileSystem"};

// One run: an environment, in a place.
class Prober {
 public:
  Prober(const host::Host& host, const facts::Facts& facts, const Place& place, int program,
         const Variables& server, const std::function<void(absl::string_view)>& doing,
         probe::Run& run)
      : host_(host),
        facts_(facts),
        place_(place),
        program_(program),
        server_(server),
        doing_(doing),
        run_(run),
        exe_(facts.ollama.exe.value_or("")),
        version_(ollama::ParseVersion(facts.ollama.version.value_or(""))) {
    if (facts.process.present() && facts.process->auxv.present()) {
      secure_ = facts.process->auxv->Secure().value_or(false);
    }
    if (secure_) {
      run_.context.taken_over.push_back("secure mode: the loader drops LD_PRELOAD and its like");
    }
  }

  void All() {
    const Variables server = AsLoaded(server_, secure_);
    Step& loader = Program(probe::kLoader, "", {"loader"}, server);
    loader.needed = loader.status == StepStatus::kFailed;
    JudgeLoader(loader);
    if (loader.status == StepStatus::kNotRun) return;
    if (loader.needed) {
      for (const char* name : {probe::kPreload, probe::kNvml, probe::kCuda, probe::kCudart,
                               probe::kBackend, probe::kDiscovery, probe::kPci}) {
        NotRun(name, "", "no program starts there");
      }
      return;
    }
    Program(probe::kPreload, "", {"preload"}, server);
    switch (facts_.ollama.era) {
      case Era::kUnknown:
        Unknown(server);
        break;
      case Era::kA:
        EraA(server);
        break;
      case Era::kB:
        ForEachVariant(&Prober::EraB);
        break;
      case Era::kC:
        ForEachVariant(&Prober::EraC);
        break;
    }
    Pci(server);
  }

 private:
  // What a program that is started by a descriptor is to be given, so that the loader does what
  // it does to the service's own.
  Variables AsLoaded(Variables variables, bool secure) const {
    if (secure) return InSecureMode(std::move(variables));
    return WithOrigin(std::move(variables), std::string(host::Dirname(exe_)));
  }

  // The environment of a child; what the server passes on is what it has itself.
  Variables ChildVariables(Child child, const ChildLibraries& libraries) const {
    return ollama::ChildEnvironment(child, libraries, secure_ ? InSecureMode(server_) : server_);
  }

  bool AtLeast(const ollama::Version& version) const { return !version_ || *version_ >= version; }

  Step& Add(absl::string_view name, absl::string_view variant) {
    doing_(probe::StepTitle(name));
    Step step;
    step.name = std::string(name);
    step.variant = std::string(variant);
    run_.steps.push_back(std::move(step));
    return run_.steps.back();
  }

  void NotRun(absl::string_view name, absl::string_view variant, std::string why) {
    Add(name, variant).why = std::move(why);
  }

  // The probe program.
  Step& Program(absl::string_view name, absl::string_view variant,
                const std::vector<std::string>& words, const Variables& variables) {
    Step& step = Add(name, variant);
    ChildTask task;
    task.program = program_;
    task.argv = {"vgpu-probe", "--fd", absl::StrCat(kAnswerFd)};
    task.argv.insert(task.argv.end(), words.begin(), words.end());
    task.environment = AsBlock(variables);
    task.limit = kStepLimit;
    const ChildOutcome outcome = RunInPlace(place_, task);
    probe::ProgramAnswer answer = probe::ParseProgramAnswer(outcome.answer);
    missing_ = answer.missing;
    if (!answer.complete) step.call = answer.call;
    if (!EndedByItself(outcome, step)) {
      if (step.status == StepStatus::kFailed && answer.complete) {
        absl::StrAppend(&step.why,
                        " after it had answered: in what libraries do at the end of a program");
      } else if (step.status == StepStatus::kFailed && answer.call.empty()) {
        absl::StrAppend(&step.why,
                        " before its first call: in the loader, or in a library that "
                        "is loaded with every program");
      }
      return step;
    }
    step.call = answer.call;
    if (!answer.complete) {
      step.status = StepStatus::kFailed;
      step.why = absl::StrCat("It ended with exit status ", outcome.exit_status,
                              step.messages.empty() ? "" : ": ",
                              step.messages.empty() ? "" : step.messages.back());
      return step;
    }
    step.status = answer.ok ? StepStatus::kOk : StepStatus::kFailed;
    step.why = answer.why;
    step.library = answer.library;
    step.preload = std::move(answer.preload);
    step.devices = std::move(answer.devices);
    return step;
  }

  // The loader names what it passes over, and goes on.
  static void JudgeLoader(Step& loader) {
    if (loader.status != StepStatus::kOk) return;
    for (const std::string& message : loader.messages) {
      if (!absl::StartsWith(message, "ERROR: ld.so:")) continue;
      loader.status = StepStatus::kFailed;
      loader.why = message;
      return;
    }
  }

  // A library that is not there at all, and that discovery can do without.
  void OptionalIfMissing(Step& step, absl::string_view why) {
    if (step.status != StepStatus::kFailed || !missing_) return;
    step.status = StepStatus::kNotRun;
    absl::StrAppend(&step.why, "; ", why);
  }

  void Nvml(const std::string& variant, const Variables& variables) {
    Step& step = Program(probe::kNvml, variant, {"nvml"}, variables);
    OptionalIfMissing(step, "discovery finds a GPU without it");
  }

  // The driver's library, and each device that it names selected by its id.
  void Cuda(const std::string& variant, const std::vector<std::string>& words,
            const Variables& variables, bool needed) {
    Step& step = Program(probe::kCuda, variant, words, variables);
    step.needed = needed;
    if (step.status != StepStatus::kOk) return;
    if (step.devices.empty()) {
      step.status = StepStatus::kFailed;
      step.why = "It names no device";
      return;
    }
    const std::vector<probe::Device> devices = step.devices;
    for (size_t i = 0; i < devices.size() && i < kMaxSelected; ++i) {
      const probe::Device& device = devices[i];
      // A part of a card is selected by an id of another form.
      if (device.uuid.empty() || absl::StrContains(device.name, " MIG ")) continue;
      Variables selected = variables;
      selected["CUDA_VISIBLE_DEVICES"] = device.uuid;
      Selected(Program(probe::kCudaSelect, variant, words, selected), device.uuid);
    }
  }

  static void Selected(Step& step, const std::string& uuid) {
    if (step.status != StepStatus::kOk) return;
    if (step.devices.size() == 1 && step.devices[0].uuid == uuid) return;
    step.status = StepStatus::kFailed;
    step.why = step.devices.empty()
                   ? absl::StrCat("With CUDA_VISIBLE_DEVICES=", uuid, " it names no device")
                   : absl::StrCat("With CUDA_VISIBLE_DEVICES=", uuid, " it names ",
                                  step.devices.size(), ", the first ", step.devices[0].uuid);
  }

  // The runtime that the variant's backend asks for.
  void Cudart(const std::string& variant, const std::string& backend, const Variables& variables,
              bool needed) {
    std::string name;
    bool known = false;
    for (const facts::InstalledLibrary& library : facts_.installation.libraries) {
      if (library.path != backend || !library.elf.present()) continue;
      if (library.elf->needed.present()) {
        known = true;
        for (const std::string& object : *library.elf->needed) {
          if (absl::StartsWith(object, "libcudart.so")) name = object;
        }
      }
    }
    if (known && name.empty()) {
      return NotRun(probe::kCudart, variant, "the backend needs no runtime of its own file");
    }
    if (name.empty()) name = absl::EndsWith(variant, "13") ? "libcudart.so.13" : "libcudart.so.12";
    Step& step = Program(probe::kCudart, variant, {"cudart", name}, variables);
    step.needed = needed;
    NeedsDevice(step);
  }

  static void NeedsDevice(Step& step) {
    if (step.status != StepStatus::kOk || !step.devices.empty()) return;
    step.status = StepStatus::kFailed;
    step.why = "It names no device";
  }

  void Backend(const std::string& variant, const std::string& backend, const Variables& variables) {
    Program(probe::kBackend, variant, {"backend", backend}, variables).needed = true;
  }

  void Unknown(const Variables& server) {
    Nvml("", server);
    Step& cuda = Program(probe::kCuda, "", {"cuda"}, server);
    OptionalIfMissing(cuda, "whether this program needs it is not known");
    for (const char* name : {"libcudart.so.12", "libcudart.so.13"}) {
      Step& step = Program(probe::kCudart, "", {"cudart", name}, server);
      OptionalIfMissing(step, "whether this program needs it is not known");
    }
    NotRun(probe::kDiscovery, "",
           "which Ollama this is was not seen: discovery differs by version");
  }

  // The server itself opens the driver's library, by the paths that it finds, until one gives
  // devices (discover/gpu.go, v0.6.8).
  void EraA(const Variables& server) {
    Nvml("", server);
    const auto path = server.find("LD_LIBRARY_PATH");
    const std::vector<std::string> drivers = ollama::FindDriverLibraries(
        host_, {.library_dir = facts_.ollama.library_dir.present() ? facts_.ollama.library_dir->path
                                                                   : std::string(),
                .library_path = path == server.end() ? std::string() : path->second,
                .root = facts_.process.present() ? facts_.process->root : std::string()});
    if (drivers.empty()) {
      Step& step = Add(probe::kCuda, "");
      step.needed = true;
      step.status = StepStatus::kFailed;
      step.why = "There is no libcuda.so* where this version of Ollama looks for it";
    }
    for (size_t i = 0; i < drivers.size() && i < kMaxDrivers; ++i) {
      Cuda("", {"cuda", drivers[i]}, server, true);
      PassOverTheOld();
      if (CudaFound()) break;
    }
    ForgetEarlierDrivers();
    NotRun(probe::kDiscovery, "",
           "in this version the server itself looks, with the calls of the step cuda");
    // What runs a model opens them; without them the GPU is found, and not used.
    ForEachVariant(&Prober::ModelRunnerOfEraA);
  }

  void ModelRunnerOfEraA(const std::string& variant, const ChildLibraries& libraries) {
    const Variables child = AsLoaded(ChildVariables(Child::kModelRunner, libraries), secure_);
    Cudart(variant, libraries.backend, child, true);
    Backend(variant, libraries.backend, child);
  }

  // discover/gpu.go: "CUDA GPU is too old".
  void PassOverTheOld() {
    for (Step& step : run_.steps) {
      if (step.name != probe::kCuda || step.status != StepStatus::kOk) continue;
      const bool all =
          std::all_of(step.devices.begin(), step.devices.end(), [](const probe::Device& device) {
            int major = 0;
            return absl::SimpleAtoi(device.compute.substr(0, device.compute.find('.')), &major) &&
                   major < kOldestOfEraA;
          });
      if (!all) continue;
      step.status = StepStatus::kFailed;
      step.why = absl::StrCat(
          "Ollama of this version passes over a device below compute "
          "capability ",
          kOldestOfEraA, ".0, and this one has ", step.devices[0].compute);
    }
  }

  bool CudaFound() const {
    return std::any_of(run_.steps.begin(), run_.steps.end(), [](const Step& step) {
      return step.name == probe::kCuda && step.status == StepStatus::kOk;
    });
  }

  // A driver's library that failed before another one worked is no fault: the server passed it
  // over.
  void ForgetEarlierDrivers() {
    if (!CudaFound()) return;
    for (Step& step : run_.steps) {
      if (step.name == probe::kCuda && step.status == StepStatus::kFailed) {
        step.status = StepStatus::kNotRun;
        absl::StrAppend(&step.why, "; the next one works");
      }
    }
  }

  ChildLibraries LibrariesOf(const ollama::Variant& variant) const {
    return {.directory = facts_.ollama.library_dir->path,
            .variant = variant.path,
            .backend = variant.backend_path.empty()
                           ? host::JoinPath(variant.path, "libggml-cuda.so")
                           : variant.backend_path};
  }

  // Those of CUDA that Ollama tries with this environment.
  std::vector<const ollama::Variant*> Variants() const {
    std::vector<const ollama::Variant*> variants;
    if (!facts_.ollama.library_dir.present()) return variants;
    const auto asked = server_.find("OLLAMA_LLM_LIBRARY");
    const std::string wanted = asked == server_.end() ? "" : asked->second;
    for (const ollama::Variant& variant : facts_.ollama.library_dir->variants) {
      if (!absl::StartsWith(variant.name, "cuda_") || absl::StrContains(variant.name, "jetpack") ||
          variant.cuda_backend.absent() || (!wanted.empty() && wanted != variant.name)) {
        continue;
      }
      variants.push_back(&variant);
    }
    return variants;
  }

  void ForEachVariant(void (Prober::*work)(const std::string&, const ChildLibraries&)) {
    if (!facts_.ollama.library_dir.present()) {
      const bool absent = facts_.ollama.library_dir.absent();
      Step& step = Add(probe::kBackend, "");
      step.needed = true;
      step.status = absent ? StepStatus::kFailed : StepStatus::kNotRun;
      step.why = absent ? absl::StrCat("There is no library directory of Ollama at ",
                                       absl::StrJoin(facts_.ollama.library_dir_candidates, ", "))
                        : std::string(facts_.ollama.library_dir.why_not());
      return;
    }
    const std::vector<const ollama::Variant*> variants = Variants();
    if (variants.empty()) {
      Step& step = Add(probe::kBackend, "");
      step.needed = true;
      step.status = StepStatus::kFailed;
      step.why = absl::StrCat("No directory of ", facts_.ollama.library_dir->path,
                              " that Ollama tries has a backend for CUDA");
      return;
    }
    for (const ollama::Variant* variant : variants) {
      (this->*work)(variant->name, LibrariesOf(*variant));
    }
  }

  // A child of the server asks, once for each variant (discover/runner.go, v0.13.5).
  void EraB(const std::string& variant, const ChildLibraries& libraries) {
    const Variables given = ChildVariables(Child::kDiscoveryRunner, libraries);
    const Variables loaded = AsLoaded(given, secure_);
    if (AtLeast(kFirstWithNvml)) Nvml(variant, loaded);
    Cuda(variant, {"cuda"}, loaded, true);
    Cudart(variant, libraries.backend, loaded, true);
    Backend(variant, libraries.backend, loaded);
    if (exe_.empty()) return NotRun(probe::kDiscovery, variant, WhyNoProgram());
    Step& first = Add(probe::kDiscovery, variant);
    first.needed = true;
    RunRunner(place_, exe_, given, first);
    if (first.status != StepStatus::kOk || !AtLeast(kFirstWithSecondPass)) return;
    const std::vector<probe::Device> devices = first.devices;
    for (size_t i = 0; i < devices.size() && i < kMaxSelected; ++i) {
      // An empty list would hide them all, and nobody asks for that.
      if (devices[i].uuid.empty()) continue;
      Variables selected = given;
      selected["CUDA_VISIBLE_DEVICES"] = devices[i].uuid;
      selected["GGML_CUDA_INIT"] = "1";
      Step& second = Add(probe::kDiscoverySelect, variant);
      second.needed = true;
      RunRunner(place_, exe_, selected, second);
      Selected(second, devices[i].uuid);
    }
  }

  // Ollama drops a device for which the backend has no code (discover/llama_server.go).
  static void KeepCompiledFor(const std::vector<std::string>& compiled, Step& step) {
    if (compiled.empty()) return;
    std::string dropped;
    std::vector<probe::Device> kept;
    for (probe::Device& device : step.devices) {
      if (device.compute.empty() ||
          std::find(compiled.begin(), compiled.end(), device.compute) != compiled.end()) {
        kept.push_back(std::move(device));
      } else {
        dropped = device.compute;
      }
    }
    step.devices = std::move(kept);
    if (!step.devices.empty()) return;
    step.status = StepStatus::kFailed;
    step.why = absl::StrCat(
        "Ollama drops every device: the backend was compiled for compute "
        "capabilities ",
        absl::StrJoin(compiled, ", "), ", and not for ", dropped);
  }

  // Two programs ask (discover/llama_server.go, v0.33.0-rc2).
  void EraC(const std::string& variant, const ChildLibraries& libraries) {
    const std::string llama = host::JoinPath(libraries.directory, "llama-server");
    const Variables server = ChildVariables(Child::kLlamaServer, libraries);
    const Variables discover = ChildVariables(Child::kGpuDiscover, libraries);
    const Variables loaded = AsLoaded(discover, secure_);
    Nvml(variant, loaded);
    Cuda(variant, {"cuda"}, loaded, true);
    Cudart(variant, libraries.backend, AsLoaded(server, false), true);
    Backend(variant, libraries.backend, AsLoaded(server, false));
    Step& first = Add(probe::kDiscovery, variant);
    first.needed = true;
    RunListDevices(place_, llama, server, first);
    if (first.status == StepStatus::kOk) {
      KeepCompiledFor(CompiledFor(place_, llama, server), first);
    }
    const size_t found = first.status == StepStatus::kOk ? first.devices.size() : 0;
    // It is selected by its number, or by what the service's own list has in its place.
    const auto visible = server.find("CUDA_VISIBLE_DEVICES");
    const std::vector<std::string> tokens =
        visible == server.end() || visible->second.empty()
            ? std::vector<std::string>()
            : std::vector<std::string>(absl::StrSplit(visible->second, ','));
    for (size_t i = 0; i < found && i < kMaxSelected; ++i) {
      Variables selected = server;
      selected["CUDA_VISIBLE_DEVICES"] = i < tokens.size() ? tokens[i] : absl::StrCat(i);
      selected["GGML_CUDA_INIT"] = "1";
      Step& second = Add(probe::kDiscoverySelect, variant);
      second.needed = true;
      RunListDevices(place_, llama, selected, second);
      if (second.status == StepStatus::kOk && second.devices.size() != 1) {
        second.status = StepStatus::kFailed;
        second.why = absl::StrCat("With CUDA_VISIBLE_DEVICES=", selected["CUDA_VISIBLE_DEVICES"],
                                  " it names ", second.devices.size(), " devices");
      }
    }
    if (exe_.empty()) return NotRun(probe::kGpuDiscover, variant, WhyNoProgram());
    // Where it fails, discovery goes on without the address (native_probe.go).
    RunGpuDiscover(place_, exe_, libraries, discover, Add(probe::kGpuDiscover, variant));
  }

  std::string WhyNoProgram() const {
    return absl::StrCat("the program of the service was not seen: ", facts_.ollama.exe.why_not());
  }

  // Where a device is said to be.
  std::vector<std::string> Addresses() const {
    std::set<std::string> addresses;
    for (const Step& step : run_.steps) {
      if (step.status != StepStatus::kOk) continue;
      for (const probe::Device& device : step.devices) {
        addresses.insert(probe::CanonicalAddress(device.pci_address));
      }
    }
    if (facts_.devices.configured.present()) {
      for (const facts::ConfiguredDevice& device : facts_.devices.configured->devices) {
        addresses.insert(probe::CanonicalAddress(device.pci_address));
      }
    }
    for (const facts::PciFunction& function : facts_.devices.functions.value_or({})) {
      if (function.IsNvidiaGpu()) addresses.insert(probe::CanonicalAddress(function.address));
    }
    addresses.erase("");
    return {addresses.begin(), addresses.end()};
  }

  void Pci(const Variables& server) {
    std::vector<std::string> addresses = Addresses();
    if (addresses.empty()) return NotRun(probe::kPci, "", "no step and no file names an address");
    if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);
    const size_t begin = run_.steps.size();
    bool any = false;
    for (const char* way : kWays) {
      std::vector<std::string> words = {"pci", way};
      words.insert(words.end(), addresses.begin(), addresses.end());
      Step& step = Program(probe::kPci, "", words, server);
      step.way = way;
      // Another device may stand there: a virtual one hides it where it is shown at all.
      step.devices.erase(std::remove_if(step.devices.begin(), step.devices.end(),
                                        [](const probe::Device& device) {
                                          return !absl::EqualsIgnoreCase(device.vendor, kNvidia);
                                        }),
                         step.devices.end());
      any = any || !step.devices.empty();
    }
    for (size_t i = begin; i < run_.steps.size(); ++i) {
      Step& step = run_.steps[i];
      if (step.status != StepStatus::kOk || !step.devices.empty()) continue;
      step.status = StepStatus::kNotRun;
      step.why = any ? "this manner of reading does not show it, and others do"
                     : absl::StrCat("no GPU of NVIDIA is seen at ", absl::StrJoin(addresses, ", "),
                                    "; discovery does not look there");
    }
  }

  const host::Host& host_;
  const facts::Facts& facts_;
  const Place& place_;
  const int program_;
  const Variables& server_;
  const std::function<void(absl::string_view)>& doing_;
  probe::Run& run_;
  const std::string exe_;
  const std::optional<ollama::Version> version_;
  bool secure_ = false;
  bool missing_ = false;  // of the last answer: its library is not there
};

// What the kernel or systemd gives the service, and a step does not get.
void AddNotTakenOver(const facts::Facts& facts, absl::string_view why_not_its_cgroup,
                     probe::Context& context) {
  std::string policy, allowed;
  if (facts.unit_judged && facts.unit.loaded.present()) {
    policy = facts.unit.loaded->Get("DevicePolicy").value_or("");
    allowed = facts.unit.loaded->Get("DeviceAllow").value_or("");
  }
  const bool closed =
      policy == "closed" || policy == "strict" || !allowed.empty() || facts.container.IsContainer();
  if (!why_not_its_cgroup.empty()) {
    context.not_taken_over.push_back(
        {"the cgroup",
         absl::StrCat(closed ? "its list of devices, its memory and its tasks do not bound a step"
                             : "its memory and its tasks do not bound a step",
                      " (", why_not_its_cgroup, ")"),
         // Shims need no node; NVIDIA's driver opens its own.
         closed && !facts.devices.IsVirtual()});
  }
  if (!facts.process.present()) return;
  const std::string label = facts.process->label.value_or("");
  // "unconfined", "unconfined (…)", "system_u:system_r:unconfined_service_t:s0", or none.
  if (!label.empty() && !absl::StartsWith(label, "unconfined") &&
      !absl::StrContains(label, ":unconfined") && !absl::StrContains(label, "(complain)")) {
    context.not_taken_over.push_back({absl::StrCat("the label ", label),
                                      "a security module may forbid what a step may do", true});
  }
}

// Of a unit that does not run: none of its namespaces exists.
void AddSandbox(const facts::Facts& facts, probe::Context& context) {
  context.not_taken_over.push_back(
      {"the namespaces", "nothing runs, so the steps see what the host sees", true});
  for (const char* key : kSandbox) {
    const systemd::Setting* setting = facts.unit.on_disk.Last("Service", key);
    if (setting == nullptr || setting->value.empty()) continue;
    context.not_taken_over.push_back(
        {absl::StrCat(key, "=", setting->value), "it is in force only where the unit runs", true});
  }
}

absl::StatusOr<Place> PlaceOf(const facts::Facts& facts) {
  if (facts.process.present()) return Place::Of(*facts.process);
  if (!facts.unit.identity.present()) {
    return absl::UnavailableError(
        absl::StrCat("whom the unit runs as is not known: ", facts.unit.identity.why_not()));
  }
  return Place::OfUser(*facts.unit.identity);
}

}  // namespace

probe::Result VerifySteps(const host::Host& host, const facts::Facts& facts, int program,
                          const std::function<void(absl::string_view)>& doing) {
  probe::Result result;
  result.tool_version = report::kToolVersion;
  result.hostname = facts.hostname.value_or("");
  result.observed_at = absl::Now();
  result.unit = facts.unit_judged ? facts.unit.name : "";
  result.ollama_version = facts.ollama.version.value_or("");
  result.era = std::string(ollama::EraName(facts.ollama.era));
  if (facts.process.present()) {
    result.pid = facts.process->pid;
    if (facts.process->started_usec.present()) result.started_usec = *facts.process->started_usec;
  }
  const std::optional<ServiceEnvironment> now = OfProcess(facts);
  std::optional<ServiceEnvironment> next = OfNextStart(facts);
  if (now && next && SameForDiscovery(now->variables, next->variables)) {
    result.next_start_is_the_same = true;
    next.reset();
  }
  const absl::StatusOr<Place> place = PlaceOf(facts);
  for (const auto& [environment, given] :
       {std::pair<const char*, const std::optional<ServiceEnvironment>*>{"process", &now},
        {"unit", &next}}) {
    if (!given->has_value()) continue;
    probe::Run run;
    run.environment = environment;
    run.source = (*given)->source;
    if (!place.ok()) {
      run.context.not_taken_over.push_back({facts.process.present()
                                                ? absl::StrCat("the place of process ", result.pid)
                                                : absl::StrCat("the place of ", facts.unit.name),
                                            std::string(place.status().message()), true});
    } else {
      run.context = place->context();
      AddNotTakenOver(facts, facts.process.present() ? place->why_not_its_cgroup() : "nothing runs",
                      run.context);
      if (given == &now &&
          (facts.process->environ->truncated() || facts.process->environ->irregular())) {
        run.context.not_taken_over.push_back({"all of the environment",
                                              facts.process->environ->truncated()
                                                  ? "it is longer than what was read of it"
                                                  : "the process has written over it",
                                              true});
      }
      if (!facts.process.present()) AddSandbox(facts, run.context);
      if (facts.process.present() && given == &next &&
          facts.StartedBeforeReload().value_or(false)) {
        run.context.not_taken_over.push_back(
            {"the mounts of the next start",
             "systemd has read its units since the process started; its mounts were used", false});
      }
      Prober(host, facts, *place, program, (*given)->variables, doing, run).All();
    }
    result.runs.push_back(std::move(run));
  }
  probe::Conclude(result);
  if (result.runs.empty()) {
    result.headline =
        facts.process.present()
            ? absl::StrCat("No step could be done: the environment of process ", result.pid,
                           " was not seen (", facts.process->environ.why_not(), ").")
            : absl::StrCat("No step could be done: no process of ", facts.unit.name,
                           " was seen, and what systemd would start is not known.");
  }
  return result;
}

}  // namespace vgpu::doctor
