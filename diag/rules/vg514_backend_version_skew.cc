// VG514 backend-version-skew: the backend and the ggml library beside it are of different
// versions.
//
// ggml's libraries of one build fit each other only: a backend of another asks libggml-base
// for functions that it does not have, or brings another version of the interface, and is
// refused (ggml-backend-reg.cpp: `incompatible API version`, api_version).

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

using facts::InstalledLibrary;

const InstalledLibrary* At(const facts::Facts& facts, const std::string& path) {
  for (const InstalledLibrary& library : facts.installation.libraries) {
    if (library.path == path && library.found.present()) return &library;
  }
  return nullptr;
}

// The libggml-base that `backend` gets: its child's search begins with the library directory
// and goes on with the variant.
const InstalledLibrary* BaseOf(const facts::Facts& facts, const InstalledLibrary& backend) {
  const auto needed = backend.elf.Map([](const elf::ElfInfo& info) { return info.needed; });
  if (!needed.present()) return nullptr;
  for (const std::string& name : *needed) {
    if (!absl::StartsWith(name, "libggml-base.so")) continue;
    const ollama::LibraryDir& dir = *facts.ollama.library_dir;
    if (const InstalledLibrary* base = At(facts, host::JoinPath(dir.path, name))) return base;
    return At(facts, host::JoinPath(host::Dirname(backend.path), name));
  }
  return nullptr;
}

// ggml's functions that `backend` asks for and `base` does not define. Not observed where one
// of the two lists is not whole.
host::Observed<std::vector<std::string>> Lacking(const InstalledLibrary& backend,
                                                 const InstalledLibrary& base) {
  const auto undefined = backend.elf.Map([](const elf::ElfInfo& info) { return info.undefined; });
  const auto exports = base.elf.Map([](const elf::ElfInfo& info) { return info.exports; });
  if (!undefined.present()) return host::NotObserved{"the backend's symbols were not read"};
  if (!exports.present() || !base.elf->exports_complete.value_or(true)) {
    return host::NotObserved{absl::StrCat("the symbols of ", base.path, " were not read")};
  }
  std::set<absl::string_view> defined;
  for (const elf::ExportedSymbol& symbol : *exports) defined.insert(symbol.name);
  std::vector<std::string> lacking;
  for (const elf::UndefinedSymbol& symbol : *undefined) {
    if (symbol.weak ||
        !(absl::StartsWith(symbol.name, "ggml_") || absl::StartsWith(symbol.name, "gguf_"))) {
      continue;
    }
    if (!defined.contains(symbol.name)) lacking.push_back(symbol.name);
  }
  return lacking;
}

// A preloaded object may define what libggml-base lacks.
bool GgmlIsPreloaded(const facts::Facts& facts) {
  const facts::PreloadList* list = facts.Preload();
  if (list == nullptr) return false;
  for (const facts::PreloadEntry& entry : list->entries) {
    if (absl::StrContains(entry.text, "ggml")) return true;
  }
  return false;
}

}  // namespace

Judgement BackendVersionSkew(const facts::Facts& facts) {
  Holds holds;
  if (const ollama::ServerStart* start = facts.ThisStart()) {
    std::vector<ollama::LogLine> lines = start->loader_errors;
    for (const ollama::Failure& failure : start->failures) lines.push_back(failure.line);
    for (const ollama::Backend& backend : start->backends) lines.push_back(backend.line);
    for (const ollama::LogLine& line : lines) {
      if (!absl::StrContains(line.text, "api_version") &&
          !absl::StrContains(line.text, "incompatible API version")) {
        continue;
      }
      if (holds.evidence.size() < 4) {
        holds.evidence.push_back(
            FromLog(*facts.log.ServersLog(), line, "ggml refuses a backend of another version"));
      }
    }
  }
  const auto& dir = facts.ollama.library_dir;
  std::string fits, unseen;
  bool any_fits = false, whole = true;
  const bool found_gpu = facts.ollama.era != ollama::Era::kA && facts.FoundGpu().value_or(false);
  if (dir.present()) {
    for (const ollama::Variant* variant : TriedVariants(facts)) {
      if (!variant->cuda_backend.present()) continue;
      const InstalledLibrary* backend = At(facts, variant->backend_path);
      const InstalledLibrary* base = backend == nullptr ? nullptr : BaseOf(facts, *backend);
      if (base == nullptr) continue;
      const auto lacking = Lacking(*backend, *base);
      if (!lacking.present()) {
        unseen = std::string(lacking.why_not());
        continue;
      }
      if (lacking->empty()) {
        any_fits = true;
        fits = absl::StrCat(base->path, " defines every ggml function that ", backend->path,
                            " asks for");
        continue;
      }
      if (GgmlIsPreloaded(facts) || holds.evidence.size() > 8) continue;
      // Nobody said whether the list is whole: it can support what was seen, and no more.
      const bool said = base->elf->exports_complete.present();
      if (!said && found_gpu) continue;
      whole = whole && said;
      std::vector<std::string> shown = *lacking;
      if (shown.size() > 6) shown.resize(6);
      holds.evidence.push_back({backend->path, 0, absl::StrJoin(shown, " "),
                                absl::StrCat("the backend asks for ", lacking->size(),
                                             " functions of ggml that ", base->path, " lacks")});
    }
  }
  if (holds.evidence.empty()) {
    if (!fits.empty()) return Contradicted{fits};
    if (found_gpu) {
      return Contradicted{"the backend was opened: discovery found the GPU through it"};
    }
    if (dir.present() && unseen.empty()) {
      return Contradicted{
          "no line of the log speaks of versions, and no backend is there that "
          "needs a libggml-base beside it"};
    }
    return CannotTell{"whether backend and libggml-base fit each other",
                      unseen.empty() ? std::string(dir.why_not()) : unseen,
                      dir.present()
                          ? absl::StrCat("ldd -r ", Quoted(dir->path), "/cuda_v*/libggml-cuda.so")
                          : HowToSeeProcess(facts)};
  }
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  holds.confidence = any_fits || !whole ? Confidence::kPossible
                     : effect.empty()   ? Confidence::kLikely
                                        : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.explains.push_back("VG505");
  holds.headline =
      "The CUDA backend and the ggml library beside it are of different versions: install both "
      "from one archive.";
  holds.fix = ReinstallSteps(facts, "replaces every library of Ollama by those of one version",
                             Libraries::kUnfitting);
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
