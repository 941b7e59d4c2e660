// VG503 backend-link-dangling: the CUDA backend is a link to nothing.
//
// Its directory is a variant all the same (Glob sees the name), and the child that is to open
// it follows the link and passes the file over without a word (ggml-backend-reg.cpp,
// fs::exists, v0.13.5). A library beside it that is a link to nothing is this too, where the
// backend needs it and finds it nowhere else.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/backend_problems.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/read_only_host.h"

namespace vgpu::rules {
namespace {

const facts::InstalledLibrary* FindLibrary(const facts::Facts& facts, const std::string& path) {
  for (const facts::InstalledLibrary& library : facts.installation.libraries) {
    if (library.path == path) return &library;
  }
  return nullptr;
}

// The path of the Nix store that the link leads into, or lies in.
std::string LostStorePath(const facts::InstalledLibrary& link) {
  std::string lost = StorePathOf(link.trace.stopped_at);
  for (auto it = link.trace.links.rbegin(); lost.empty() && it != link.trace.links.rend(); ++it) {
    lost = StorePathOf(it->second);
  }
  return lost.empty() ? StorePathOf(link.path) : lost;
}

}  // namespace

Judgement BackendLinkDangling(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (!dir.present()) {
    if (dir.absent()) return Contradicted{"there is no library directory to hold a link"};
    return CannotTell{"Ollama's library directory", std::string(dir.why_not()),
                      HowToSeeProcess(facts)};
  }
  std::vector<const facts::InstalledLibrary*> dangling;
  const ollama::Variant* whole = nullptr;
  for (const ollama::Variant* variant : TriedVariants(facts)) {
    if (variant->cuda_backend.present()) whole = variant;
    if (variant->backend_path.empty() || !variant->cuda_backend.absent()) continue;
    const facts::InstalledLibrary* link = FindLibrary(facts, variant->backend_path);
    if (link != nullptr && link->link) dangling.push_back(link);
  }
  const size_t backends = dangling.size();
  for (const BackendProblem& missing : ProblemsOf(facts, [](const loader::Problem& problem) {
         return problem.trouble == loader::Trouble::kNotFound;
       })) {
    for (const facts::InstalledLibrary& library : facts.installation.libraries) {
      if (!library.link || !library.found.absent()) continue;
      if (host::Basename(library.path) != missing.problem->request.name) continue;
      if (!library.variant.empty() && library.variant != missing.load.process->variant) continue;
      if (std::find(dangling.begin(), dangling.end(), &library) == dangling.end()) {
        dangling.push_back(&library);
      }
    }
  }
  // A backend that cannot be opened is none.
  if (dangling.size() > backends) whole = nullptr;
  if (dangling.empty()) {
    if (whole != nullptr)
      return Contradicted{absl::StrCat(whole->backend_path, " leads to a file")};
    if (dir->incomplete) {
      return CannotTell{absl::StrCat("all of ", dir->path), "a directory below it cannot be listed",
                        absl::StrCat("sudo ls -lR ", Quoted(dir->path))};
    }
    return Contradicted{absl::StrCat("no backend below ", dir->path, " is a link to nothing")};
  }
  Holds holds;
  for (const facts::InstalledLibrary* link : dangling) {
    if (holds.evidence.size() >= 12) break;
    for (const auto& [path, target] : link->trace.links) {
      if (holds.evidence.size() >= 12) break;
      holds.evidence.push_back({path, 0, target, "a link"});
    }
    holds.evidence.push_back(
        link->trace.loop
            ? Evidence{link->path, 0, "(a circle of links)", "the links lead back to themselves"}
            : Evidence{link->trace.stopped_at, 0, "(no such file)", "where the links lead"});
  }
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  // With another variant whole, that one may still find the device.
  holds.confidence = whole != nullptr ? Confidence::kPossible
                     : effect.empty() ? Confidence::kLikely
                                      : Confidence::kCertain;
  if (whole != nullptr) {
    holds.evidence.push_back({whole->backend_path, 0, "", "this variant has its backend"});
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.explains.push_back("VG502");
  holds.explains.push_back("VG504");
  holds.headline =
      absl::StrCat(dangling.front()->path, " is a link to nothing: ",
                   dangling.front()->trace.loop
                       ? "its links run in a circle."
                       : absl::StrCat(dangling.front()->trace.stopped_at, " is not there."));
  if (const std::string lost = LostStorePath(*dangling.front()); !lost.empty()) {
    holds.fix = RepairStoreSteps(facts, {lost});
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "libraries are looked for once, at the start"));
    }
    holds.expect = ExpectLibraries(facts);
    return holds;
  }
  // A backend may stand in any variant; a library beside it is wanted beside it.
  const std::string& lost = dangling.front()->path;
  const bool backend = backends > 0;
  const absl::string_view name = host::Basename(lost);
  holds.fix.push_back(
      {backend ? absl::StrCat("ls -lL ", Quoted(dir->path), "/*/libggml-cuda*")
               : absl::StrCat("ls -lL ", Quoted(host::Dirname(lost)), "/",
                              Quoted(name.substr(0, name.find(".so"))), ".so*"),
       absl::StrCat("shows which ", backend ? "backends" : "of them", " there are; point the link ",
                    "at the one that is meant (sudo ln -sfn TARGET LINK), or install the "
                    "libraries anew:"),
       "", ""});
  for (FixStep& step :
       ReinstallSteps(facts, absl::StrCat("puts the ", backend ? "backend" : "library",
                                          " itself in the link's place"))) {
    holds.fix.push_back(std::move(step));
  }
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
