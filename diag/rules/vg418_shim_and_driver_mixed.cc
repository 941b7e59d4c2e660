// VG418 shim-and-driver-mixed: one layer is a shim and another is NVIDIA's own.
//
// NVIDIA's libcudart asks libcuda for private tables that only NVIDIA's driver answers: over a
// shim of libcuda it ends with error 801 or 500 (measured, CUDA 13.0). The other way round the
// driver finds no device. The shim of libcuda says so in the log, where its level is asked for
// (shims/cuda/proc_address.cc); cuBLAS and its kin have the runtime inside, too. Where a shim of
// the layer is installed, its not being used is VG414's or VG415's.

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using facts::Maker;
using facts::Shim;

bool IsInstalled(const facts::Facts& facts, Shim shim) {
  return std::any_of(facts.gpu_libraries.begin(), facts.gpu_libraries.end(),
                     [&](const facts::FileFacts& file) {
                       const std::optional<facts::ShimName> name = facts::ShimOf(file.path);
                       return name && name->shim == shim && file.found.present() &&
                              facts::MakerOf(file, facts.gpu_libraries) == Maker::kShim;
                     });
}

// The answer for `layer` in the same process as `other`.
std::optional<Answer> InSameProcess(const facts::Facts& facts, Shim layer, const Answer& other) {
  for (const Answer& answer : AnswersFor(facts, layer)) {
    if (answer.step.process == other.step.process) return answer;
  }
  return std::nullopt;
}

struct Mixed {
  Answer shim;
  Shim foreign_layer = Shim::kCudart;
  std::optional<Answer> foreign;            // nothing: the runtime is linked statically
  const loader::Object* backend = nullptr;  // then: into this
};

// The backend uses the driver and names no runtime: it has one inside.
const loader::Object* StaticRuntime(const Answer& cuda) {
  const loader::Opened* opened = cuda.step.opened;
  if (opened == nullptr || !opened->object) return nullptr;
  const loader::Object& backend = opened->load.objects[*opened->object];
  if (!absl::StrContains(host::Basename(backend.place.path), "ggml-cuda")) return nullptr;
  const elf::ElfInfo* info = backend.info();
  if (info == nullptr || !info->needed.present()) return nullptr;
  for (const std::string& needed : *info->needed) {
    if (absl::StartsWith(needed, "libcudart.")) return nullptr;
  }
  return &backend;
}

std::optional<Mixed> FindMixed(const facts::Facts& facts) {
  for (const auto& [layer, other] :
       {std::pair(Shim::kCuda, Shim::kCudart), std::pair(Shim::kCudart, Shim::kCuda)}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      if (!answer.Get().doubts.empty() || MakerOf(facts, answer.Get()) != Maker::kShim) continue;
      if (SomeVariantWorks(facts, answer.step.running)) continue;
      std::optional<Answer> foreign = InSameProcess(facts, other, answer);
      if (!foreign) {
        const loader::Object* backend = layer == Shim::kCuda ? StaticRuntime(answer) : nullptr;
        if (backend != nullptr) return Mixed{answer, other, std::nullopt, backend};
        continue;
      }
      if (!foreign->Get().doubts.empty() || IsInstalled(facts, other)) continue;
      if (MakerOf(facts, foreign->Get()) == Maker::kNvidia) {
        return Mixed{answer, other, foreign, nullptr};
      }
    }
  }
  return std::nullopt;
}

// Why not: what the layers are that discovery loads.
Judgement NotMixed(const facts::Facts& facts) {
  std::set<Maker> makers;
  for (Shim layer : {Shim::kCuda, Shim::kCudart}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      makers.insert(MakerOf(facts, answer.Get()));
    }
  }
  if (makers.empty()) return Contradicted{"discovery loads neither libcuda nor libcudart"};
  if (makers == std::set<Maker>{Maker::kShim}) {
    return Contradicted{"libcuda and libcudart, as far as discovery loads them, are shims"};
  }
  if (makers.count(Maker::kShim) == 0) {
    return Contradicted{"neither libcuda nor libcudart of discovery is a shim"};
  }
  return Contradicted{
      "a shim of each layer is installed: which file wins is another cause's "
      "(VG415)"};
}

// The shim's own line, in this start's log; null where there is none.
const ollama::LogLine* SaidByShim(const facts::Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->foreign_runtimes.empty()) return nullptr;
  return &start->foreign_runtimes.back();
}

void ExplainAndExpect(const facts::Facts& facts, Holds& holds) {
  holds.explains = {"VG707", "VG612", "VG704", "VG902"};
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
}

FixStep OllamasOwnBuild() {
  return {"curl -fsSL https://ollama.com/install.sh | sh",
          "installs Ollama's own archive, whose backend loads libcudart.so",
          "replaces the installation in /usr/local, and restarts the service", ""};
}

// Known by the shim's line alone: where the runtime is, the files do not show.
Judgement OnlySaid(const facts::Facts& facts, const ollama::LogLine& said) {
  Holds holds;
  holds.evidence.push_back(FromLog(*facts.log.ServersLog(), said,
                                   "the shim of the driver was asked by NVIDIA's own runtime, "
                                   "which accepts NVIDIA's driver alone"));
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.headline =
      "A library of the service has NVIDIA's own CUDA runtime in it, which does not work over the "
      "shims: use Ollama's own build of it.";
  holds.fix.push_back(OllamasOwnBuild());
  ExplainAndExpect(facts, holds);
  return holds;
}

// The running server finds no file of the driver where it looks for one. Only where what is not
// seen is known not to be there.
bool FindsNoDriver(const facts::Facts& facts) {
  if (!facts.complete || !facts.ollama.library_dir.present()) return false;
  return std::any_of(facts.loader.now.begin(), facts.loader.now.end(),
                     [](const facts::ModelledProcess& process) {
                       return process.role == "server" && process.opened.empty();
                     });
}

// The directories that the service's own environment adds to those.
std::string SearchedByPath(const facts::Facts& facts) {
  std::string path;
  if (facts.process.present() && facts.process->environ.present()) {
    path = std::string(facts.process->environ->Find("LD_LIBRARY_PATH").value_or(""));
  }
  return path.empty() ? facts.ollama.library_dir->path
                      : absl::StrCat(facts.ollama.library_dir->path, ":", path);
}

// Era A opens libcuda by a path, and where it finds none it asks a libcudart that it finds by a
// path (discover/gpu.go, initCudaHandles): NVIDIA's own, beside Ollama's backends. Over a shim of
// the driver that is preloaded that ends with an error that this pair alone has.
// At INFO its log has no word of it: then the directories show that it finds none.
Judgement OfEraA(const facts::Facts& facts) {
  const ollama::CudaError* error = DecidingError(facts);
  const bool of_pair = error != nullptr && (error->words.code == 500 || error->words.code == 801);
  const facts::PreloadEntry* shim = nullptr;
  for (const facts::PreloadList* list : facts.PreloadsNow()) {
    for (const facts::PreloadEntry& entry : list->entries) {
      if (entry.shim == Shim::kCuda && entry.file.found.present()) shim = &entry;
    }
  }
  const bool in_memory = shim != nullptr && IsMapped(facts, shim->file).value_or(false);
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool silent = error == nullptr && in_memory && FindsNoDriver(facts) && !effect.empty();
  if (shim == nullptr || (!of_pair && !silent)) {
    return Contradicted{"this version of Ollama asks libcuda alone for devices"};
  }
  Holds holds;
  holds.acts = Acts::kNow;
  holds.confidence = Confidence::kLikely;
  if (of_pair) holds.evidence = CodeEvidence(facts, *error);
  holds.evidence.push_back({shim->file.path, 0, shim->text,
                            "the shim of the driver is preloaded; this version of Ollama opens the "
                            "driver by a path, and asks NVIDIA's runtime where it finds none"});
  if (silent) {
    holds.evidence.push_back({SearchedByPath(facts), 0, "(no libcuda.so*)",
                              "nor is one in the other directories where it looks "
                              "(discover/gpu_linux.go, NvcudaGlobs)"});
    for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  }
  const std::string directory(host::Dirname(shim->text));
  holds.headline = absl::StrCat(
      "Ollama of this version found no driver by a path, and asked NVIDIA's "
      "own runtime, which does not work over the shims: name ",
      directory, " in LD_LIBRARY_PATH.");
  const bool linked = std::any_of(
      facts.gpu_libraries.begin(), facts.gpu_libraries.end(), [&](const facts::FileFacts& file) {
        return host::Dirname(file.path) == directory &&
               absl::StartsWith(host::Basename(file.path), "libcuda.so");
      });
  if (!linked) {
    const std::string link = ShellQuoted(absl::StrCat(directory, "/libcuda.so.1"));
    holds.fix.push_back(
        {absl::StrCat("sudo ln -s ", ShellQuoted(host::Basename(shim->text)), " ", link),
         "gives the shim the name that is looked for", "", absl::StrCat("sudo rm ", link)});
  }
  if (facts.unit_judged) {
    std::string path = directory;
    const auto set = facts.unit.disk_environment.find("LD_LIBRARY_PATH");
    if (set != facts.unit.disk_environment.end() && !set->second.value.value_or("").empty()) {
      absl::StrAppend(&path, ":", *set->second.value);
    }
    for (FixStep& step : LastDropInSteps(
             facts, "VG418", {absl::StrCat("Environment=\"LD_LIBRARY_PATH=", path, "\"")},
             "discovery looks for the driver's file in these directories", "")) {
      holds.fix.push_back(std::move(step));
    }
  }
  holds.explains = {"VG707", "VG704"};
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement ShimAndDriverMixed(const facts::Facts& facts) {
  if (facts.ollama.era == ollama::Era::kA) return OfEraA(facts);
  const std::optional<Mixed> mixed = FindMixed(facts);
  const ollama::LogLine* said = SaidByShim(facts);
  if (!mixed) {
    if (said != nullptr) return OnlySaid(facts, *said);
    if (!SawDiscovery(facts)) return WhyNotSeen(facts, "whose libraries discovery loads");
    return NotMixed(facts);
  }
  const loader::Object& shim = mixed->shim.Get();
  const facts::ModelledProcess& process = *mixed->shim.step.process;
  const facts::ShimInfo& lacking = facts::InfoOf(mixed->foreign_layer);
  Holds holds;
  holds.acts = ActsOf(facts, mixed->shim.step);
  holds.evidence.push_back(
      {shim.place.path, 0, mixed->shim.name,
       absl::StrCat(ProcessText(process), " gets the shim, by ", PlaceText(shim.place))});
  if (mixed->foreign) {
    const loader::Object& foreign = mixed->foreign->Get();
    holds.evidence.push_back(
        {foreign.place.path, 0, foreign.file.present() ? foreign.file->path : foreign.place.path,
         absl::StrCat("and for ", mixed->foreign->name, " NVIDIA's own, by ",
                      PlaceText(foreign.place), "; no ", lacking.name, ".so is installed")});
  } else {
    holds.evidence.push_back({mixed->backend->place.path, 0, "NEEDED without libcudart.so",
                              "the backend has NVIDIA's runtime linked into it: no shim can "
                              "stand in for that one"});
  }
  if (said != nullptr) {
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), *said,
                                     "the shim was asked to prove that it is NVIDIA's driver"));
  }
  std::vector<Evidence> effect =
      holds.acts == Acts::kNow ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.confidence = !effect.empty() && (mixed->foreign || said != nullptr) ? Confidence::kCertain
                                                                            : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (mixed->foreign) {
    const std::string dir(host::Dirname(shim.file.present() ? shim.file->path : shim.place.path));
    const std::string file = ShellQuoted(absl::StrCat(dir, "/", lacking.name, ".so"));
    holds.headline = absl::StrCat(
        "Discovery loads the shim ", shim.place.path, " and NVIDIA's own ", mixed->foreign->name,
        ", which do not work together: install ", lacking.name, ".so too.");
    holds.fix.push_back({absl::StrCat("sudo install -m 0755 ", lacking.name, ".so ", file),
                         "installs the missing shim beside the other, from its package", "",
                         absl::StrCat("sudo rm ", file)});
    holds.fix.push_back(ReplaceByLinkStep(
        mixed->foreign->Get().place.path, absl::StrCat(dir, "/", lacking.name, ".so"), ".nvidia",
        absl::StrCat("puts it where ", mixed->foreign->name, " is looked for"),
        "an upgrade of Ollama puts its own file back"));
  } else {
    holds.headline = absl::StrCat(mixed->backend->place.path,
                                  " has NVIDIA's runtime linked into it, which does not work over "
                                  "the shims: use Ollama's own build of it.");
    holds.fix.push_back(OllamasOwnBuild());
  }
  ExplainAndExpect(facts, holds);
  return holds;
}

}  // namespace vgpu::rules
