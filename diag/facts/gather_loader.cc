#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/service_view.h"
#include "diag/loader/loader.h"
#include "diag/ollama/child_environment.h"
#include "diag/ollama/driver_search.h"

namespace vgpu::facts {
namespace {

using host::NotObserved;
using host::Observed;

constexpr char kBackend[] = "libggml-cuda.so";
constexpr char kDriver[] = "libcuda.so.1";
constexpr char kNvml[] = "libnvidia-ml.so.1";
constexpr ollama::Version kFirstWithNvml = {0, 12, 6};
constexpr uint32_t kSetIds = 06000;

// What the loader and the choice of a backend depend on.
constexpr absl::string_view kDeciding[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_BIND_NOW",
                                           "GGML_BACKEND_PATH", "OLLAMA_LLM_LIBRARY"};

loader::Seen FromSight(const Sight& sight) {
  loader::Seen seen;
  switch (sight.what) {
    case Sight::What::kAsHost:
      break;
    case Sight::What::kBound:
      seen.what = loader::Seen::What::kElsewhere;
      seen.host_path = sight.host_path;
      break;
    case Sight::What::kHidden:
      seen.what = loader::Seen::What::kHidden;
      break;
    case Sight::What::kUnknown:
      seen.what = loader::Seen::What::kUnknown;
      seen.why = absl::StrCat("something is mounted there for the service: ", sight.because);
      break;
  }
  return seen;
}

// One service, as it runs or as it would start.
struct Service {
  std::string program;
  std::string source;
  ollama::Variables environment;
  loader::View view;
  Observed<bool> secure = false;
  Observed<std::string> cwd;
};

// A program that the kernel starts in secure mode for a user who is not root: it has
// capabilities, or a set-id bit.
bool GainsPrivilege(const host::Host& host, absl::string_view path, absl::string_view root) {
  const Observed<host::Resolved> file = host.Resolve(path, root);
  if (!file.present()) return false;
  return !file->meta.caps.value_or("").empty() || (file->meta.mode.value_or(0) & kSetIds) != 0;
}

class Modeller {
 public:
  Modeller(const host::Host& host, const Facts& facts, loader::Loader& loader)
      : host_(host), facts_(facts), loader_(loader) {}

  std::vector<ModelledProcess> All(const Service& service) {
    service_ = &service;
    processes_.clear();
    AddServer();
    if (facts_.ollama.library_dir.present()) AddVariants();
    // What asks the Facts under construction does not outlive this call.
    for (ModelledProcess& process : processes_) {
      process.start.options.view.sees = nullptr;
      for (loader::Opened& open : process.opened) open.load.options.view.sees = nullptr;
    }
    return std::move(processes_);
  }

 private:
  void AddVariants() {
    for (const ollama::Variant& variant : facts_.ollama.library_dir->variants) {
      if (!absl::StartsWith(variant.name, "cuda_") || absl::StrContains(variant.name, "jetpack")) {
        continue;
      }
      // What Ollama itself does not see there, it does not open.
      if (variant.cuda_backend.absent()) continue;
      auto wanted = service_->environment.find("OLLAMA_LLM_LIBRARY");
      if (wanted != service_->environment.end() && !wanted->second.empty() &&
          wanted->second != variant.name) {
        continue;
      }
      AddChildren(variant);
    }
  }

  void AddServer() {
    ModelledProcess& server =
        Start("server", "", service_->program, service_->environment, service_->secure);
    if (facts_.ollama.era != ollama::Era::kA) return;
    auto path = service_->environment.find("LD_LIBRARY_PATH");
    const std::string library_path =
        path == service_->environment.end() ? std::string() : path->second;
    for (const std::string& driver :
         ollama::FindDriverLibraries(host_, {.library_dir = LibraryDir(),
                                            .library_path = library_path,
                                            .root = service_->view.root})) {
      Open(driver, loader::Mode::kLazyLocal, server);
    }
  }

  void AddChildren(const ollama::Variant& variant) {
    const std::string backend = host::JoinPath(variant.path, kBackend);
    const auto environment = [&](ollama::Child child) {
      return ollama::ChildEnvironment(
          child, {.directory = LibraryDir(), .variant = variant.path, .backend = backend},
          Inherited());
    };
    switch (facts_.ollama.era) {
      case ollama::Era::kUnknown:
        return;
      case ollama::Era::kA: {
        ModelledProcess& runner = Start("model runner", variant.name, service_->program,
                                        environment(ollama::Child::kModelRunner), service_->secure);
        Open(backend, loader::Mode::kNowLocal, runner);
        return;
      }
      case ollama::Era::kB: {
        ModelledProcess& runner =
            Start("discovery runner", variant.name, service_->program,
                  environment(ollama::Child::kDiscoveryRunner), service_->secure);
        Open(backend, loader::Mode::kNowLocal, runner);
        const auto version = ollama::ParseVersion(facts_.ollama.version.value_or(""));
        if (!version || *version >= kFirstWithNvml) {
          Open(kNvml, loader::Mode::kLazyLocal, runner);
        }
        return;
      }
      case ollama::Era::kC: {
        const std::string program = host::JoinPath(LibraryDir(), "llama-server");
        ModelledProcess& server =
            Start("llama-server", variant.name, program, environment(ollama::Child::kLlamaServer),
                  GainsPrivilege(host_, program, service_->view.root));
        Open(backend, loader::Mode::kNowLocal, server);
        ModelledProcess& discover =
            Start("gpu-discover", variant.name, service_->program,
                  environment(ollama::Child::kGpuDiscover), service_->secure);
        Open(host::JoinPath(LibraryDir(), "libggml-base.so"), loader::Mode::kNowGlobal, discover);
        Open(host::JoinPath(LibraryDir(), "libggml.so"), loader::Mode::kNowGlobal, discover);
        Open(backend, loader::Mode::kNowLocal, discover);
        Open(kDriver, loader::Mode::kNowLocal, discover);
        Open(kNvml, loader::Mode::kNowLocal, discover);
        return;
      }
    }
  }

  // The loader takes the variables out of the environment that a server in secure mode has.
  ollama::Variables Inherited() const {
    ollama::Variables variables = service_->environment;
    if (service_->secure.value_or(false)) {
      variables.erase("LD_PRELOAD");
      variables.erase("LD_LIBRARY_PATH");
    }
    return variables;
  }

  std::string LibraryDir() const {
    return facts_.ollama.library_dir.present() ? facts_.ollama.library_dir->path : "";
  }

  ModelledProcess& Start(absl::string_view role, absl::string_view variant,
                         const std::string& program, const ollama::Variables& environment,
                         Observed<bool> secure) {
    ModelledProcess process;
    process.role = std::string(role);
    process.variant = std::string(variant);
    process.source = service_->source;
    loader::StartOptions options;
    options.program = program;
    options.environment = loader::Environment::From(environment);
    options.view = service_->view;
    options.secure = std::move(secure);
    options.cwd = service_->cwd;
    process.start = loader_.Start(options);
    processes_.push_back(std::move(process));
    return processes_.back();
  }

  // The program's own code opens it, or ggml's, which makes no difference to a path.
  void Open(const std::string& name, loader::Mode mode, ModelledProcess& process) {
    const loader::Load* before = &process.start;
    for (const loader::Opened& open : process.opened) {
      if (!open.Fails()) before = &open.load;
    }
    process.opened.push_back(loader_.Dlopen(*before, 0, name, mode));
  }

  const host::Host& host_;
  const Facts& facts_;
  loader::Loader& loader_;
  const Service* service_ = nullptr;
  std::vector<ModelledProcess> processes_;
};

// As Ollama itself names it: behind all links.
std::string ProgramOf(const Facts& facts) { return facts.ollama.exe.value_or(""); }

Service Running(const host::Host& host, const Facts& facts) {
  const ProcessFacts& process = *facts.process;
  Service service;
  service.program = ProgramOf(facts);
  service.source = process.environ.source;
  for (const procfs::Environ::Entry& entry : process.environ->entries()) {
    // The loader takes the last of a name.
    if (entry.assignment) service.environment[entry.name] = entry.value;
  }
  service.view.root = process.root;
  if (process.root.empty()) {
    service.view.name = "now";
    service.view.sees = [&facts](absl::string_view path) {
      return FromSight(SeenByService(facts.unit, facts.process, path));
    };
  }
  service.secure = process.auxv.Map([](const procfs::Auxv& auxv) { return auxv.Secure(); });
  // Without the vector: a file that gives nobody anything starts in no secure mode.
  const Observed<host::Resolved> file = host.Resolve(service.program, process.root);
  if (!service.secure.present() && file.present() && file->meta.caps.absent() &&
      !GainsPrivilege(host, service.program, process.root)) {
    service.secure = false;
  }
  service.cwd = host.ReadLink(absl::StrCat("/proc/", process.pid, "/cwd"));
  if (service.cwd.absent()) service.cwd = NotObserved{"the process's directory was not captured"};
  return service;
}

Service NextStart(const host::Host& host, const Facts& facts) {
  Service service;
  service.program = ProgramOf(facts);
  const bool loaded = facts.unit.loaded_environment.present();
  service.source =
      loaded ? facts.unit.loaded_environment.source : absl::StrCat(facts.unit.name, " on disk");
  for (const auto& [name, variable] :
       loaded ? *facts.unit.loaded_environment : facts.unit.disk_environment) {
    if (variable.value.present()) service.environment[name] = *variable.value;
  }
  service.view.name = "next";
  service.view.sees = [&facts](absl::string_view path) {
    return FromSight(SeenByNextStart(facts.unit.mounts, path));
  };
  service.secure = GainsPrivilege(host, service.program, "");
  // systemd.exec(5): WorkingDirectory= is the root directory where it is not set.
  service.cwd = std::string("/");
  for (const systemd::Setting& setting : facts.unit.on_disk.All("Service", "WorkingDirectory")) {
    const absl::string_view dir = absl::StripPrefix(setting.value, "-");
    if (absl::StartsWith(dir, "/")) {
      service.cwd = std::string(dir);
    } else {
      service.cwd = NotObserved{absl::StrCat("WorkingDirectory=", setting.value)};
    }
  }
  return service;
}

bool SameStart(const Service& a, const Service& b) {
  for (absl::string_view name : kDeciding) {
    auto in_a = a.environment.find(std::string(name));
    auto in_b = b.environment.find(std::string(name));
    const std::string value_a = in_a == a.environment.end() ? "" : in_a->second;
    const std::string value_b = in_b == b.environment.end() ? "" : in_b->second;
    if (value_a != value_b) return false;
  }
  return a.program == b.program;
}

bool SameFile(const host::Resolved& a, const host::Resolved& b) { return a.path == b.path; }

// Whether two models say the same: then the second one adds nothing.
bool SameOutcome(const std::vector<ModelledProcess>& a, const std::vector<ModelledProcess>& b) {
  const auto same_load = [](const loader::Load& x, const loader::Load& y) {
    if (x.objects.size() != y.objects.size() || x.problems.size() != y.problems.size()) {
      return false;
    }
    for (size_t i = 0; i < x.objects.size(); ++i) {
      const auto& file_x = x.objects[i].file;
      const auto& file_y = y.objects[i].file;
      if (file_x.present() != file_y.present()) return false;
      if (file_x.present() && !SameFile(*file_x, *file_y)) return false;
    }
    return true;
  };
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_load(a[i].start, b[i].start) || a[i].opened.size() != b[i].opened.size()) {
      return false;
    }
    for (size_t j = 0; j < a[i].opened.size(); ++j) {
      if (!same_load(a[i].opened[j].load, b[i].opened[j].load) ||
          a[i].opened[j].problems.size() != b[i].opened[j].problems.size()) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

LoaderFacts GatherLoader(const host::Host& host, const Facts& facts) {
  LoaderFacts model;
  if (!facts.ollama.exe.present()) return model;
  loader::Loader loader(host);
  Modeller modeller(host, facts, loader);
  std::optional<Service> running;
  if (facts.process.present() && facts.process->environ.present()) {
    running = Running(host, facts);
    model.now = modeller.All(*running);
  }
  if (!facts.unit_judged || !facts.UnitIsKnown()) return model;
  // A process with a root of its own is compared by its variables alone.
  Service next = NextStart(host, facts);
  if (running && !running->view.root.empty() && SameStart(*running, next)) return model;
  model.next = modeller.All(next);
  if (running && SameStart(*running, next) && SameOutcome(model.now, model.next)) {
    model.next.clear();
  }
  return model;
}

}  // namespace vgpu::facts
