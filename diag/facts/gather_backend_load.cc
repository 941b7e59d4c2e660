#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/service_view.h"
#include "diag/loader/loader.h"

namespace vgpu::facts {
namespace {

using ollama::Era;

// Of the server's environment, what its child's loader reads.
struct Inherited {
  std::optional<std::string> preload, library_path;
  bool bind_now = false;
  bool of_process = false;
  std::string source;
};

std::optional<Inherited> Inherit(const Facts& facts) {
  Inherited inherited;
  if (facts.process.present() && facts.process->environ.present()) {
    const procfs::Environ& environ = *facts.process->environ;
    if (environ.truncated() || environ.irregular()) return std::nullopt;
    if (auto value = environ.FindAsLoader("LD_PRELOAD")) inherited.preload = std::string(*value);
    if (auto value = environ.FindAsLoader("LD_LIBRARY_PATH")) {
      inherited.library_path = std::string(*value);
    }
    inherited.bind_now = !environ.FindAsLoader("LD_BIND_NOW").value_or("").empty();
    inherited.of_process = true;
    inherited.source = facts.process->environ.source;
    return inherited;
  }
  const UnitFacts& unit = facts.unit;
  if (!unit.loaded_environment.present() && !unit.files.fragment.present()) return std::nullopt;
  const Environment& given =
      unit.loaded_environment.present() ? *unit.loaded_environment : unit.disk_environment;
  const auto value = [&](const char* name) -> std::optional<std::string> {
    auto it = given.find(name);
    if (it == given.end() || !it->second.value.present()) return std::nullopt;
    return *it->second.value;
  };
  inherited.preload = value("LD_PRELOAD");
  inherited.library_path = value("LD_LIBRARY_PATH");
  inherited.bind_now = !value("LD_BIND_NOW").value_or("").empty();
  inherited.source = unit.loaded_environment.source;
  return inherited;
}

// LD_LIBRARY_PATH of the child. In era A the variant comes first.
std::string LibraryPath(Era era, const std::string& libraries, const std::string& variant,
                        const std::optional<std::string>& inherited) {
  std::string path = era == Era::kA ? absl::StrCat(variant, ":", libraries)
                                    : absl::StrCat(libraries, ":", variant);
  if (inherited && !inherited->empty()) absl::StrAppend(&path, ":", *inherited);
  if (era == Era::kA) absl::StrAppend(&path, ":", libraries);
  return path;
}

// What the service sees, where mounts of its own put other files in its way.
loader::View ViewOf(const Facts& facts) {
  loader::View view;
  if (facts.process.present()) view.root = facts.process->root;
  if (!view.root.empty()) return view;
  view.name = "service";
  view.sees = [&facts](absl::string_view path) {
    const Sight sight = SeenByService(facts.unit, facts.process, path);
    switch (sight.what) {
      case Sight::What::kAsHost:
        return loader::Seen{};
      case Sight::What::kBound:
        return loader::Seen{loader::Seen::What::kElsewhere, sight.host_path, ""};
      case Sight::What::kHidden:
        return loader::Seen{loader::Seen::What::kHidden, "", ""};
      case Sight::What::kUnknown:
        break;
    }
    return loader::Seen{loader::Seen::What::kUnknown, "", sight.because};
  };
  return view;
}

}  // namespace

std::vector<BackendLoad> GatherBackendLoads(const host::Host& host, const Facts& facts) {
  std::vector<BackendLoad> loads;
  const auto& dir = facts.ollama.library_dir;
  const std::optional<Inherited> inherited = Inherit(facts);
  if (!dir.present() || !inherited || !facts.ollama.exe.present()) return loads;
  const Era era = facts.ollama.era;
  if (era == Era::kUnknown || (era == Era::kC && !dir->has_llama_server)) return loads;
  loader::Loader loader(host);
  constexpr size_t kMaxVariants = 8;
  for (const ollama::Variant& variant : dir->variants) {
    if (!variant.cuda_backend.present() || loads.size() == kMaxVariants) continue;
    BackendLoad load;
    load.variant = variant.name;
    load.backend = variant.backend_path;
    load.program =
        era == Era::kC ? host::JoinPath(dir->path, "llama-server") : *facts.ollama.exe;
    load.library_path = LibraryPath(era, dir->path, variant.path, inherited->library_path);
    load.of_process = inherited->of_process;
    load.source = inherited->source;
    loader::StartOptions options;
    options.program = load.program;
    options.environment.preload = inherited->preload;
    options.environment.library_path = load.library_path;
    options.environment.bind_now = inherited->bind_now;
    options.view = ViewOf(facts);
    // llama-server is another file, which needs no capability.
    if (era != Era::kC && facts.process.present() && facts.process->auxv.present()) {
      options.secure = facts.process->auxv->Secure().value_or(false);
    }
    load.start = loader.Start(options);
    load.opened = loader.Dlopen(load.start, 0, load.backend, loader::Mode::kNowLocal);
    loads.push_back(std::move(load));
  }
  return loads;
}

}  // namespace vgpu::facts
