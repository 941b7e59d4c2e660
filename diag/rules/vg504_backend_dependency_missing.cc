// VG504 backend-dependency-missing: a library that the CUDA backend needs is not found where
// the child that opens it searches, or cannot be loaded there.
//
// In eras A and B nothing is logged of it; in era C at TRACE only (ggml-backend-reg.cpp).

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/facts/shims.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/backend_problems.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

bool IsMissing(const loader::Problem& problem) {
  switch (problem.trouble) {
    case loader::Trouble::kNotFound:
    case loader::Trouble::kNotLoadable:
    case loader::Trouble::kCut:
    case loader::Trouble::kHangs:
      return true;
    default:
      return false;
  }
}

// A library of the driver's, for which a shim stands on a host with virtual devices: why it
// is not there is a matter of the shims.
bool OfShims(const facts::Facts& facts, const loader::Problem& problem) {
  return facts.devices.IsVirtual() && facts::ShimOf(problem.request.name).has_value();
}

// A library that comes with Ollama, and is neither beside the backend nor in the library
// directory, not even as a link: it is gone, and not out of the reach of a search path that
// something else spoilt.
bool IsGone(const facts::Facts& facts, const loader::Problem& problem) {
  const std::string& name = problem.request.name;
  const bool comes_with_ollama = absl::StartsWith(name, "libggml-") ||
                                 absl::StartsWith(name, "libcublas") ||
                                 absl::StartsWith(name, "libcudart");
  if (problem.trouble != loader::Trouble::kNotFound || !problem.doubts.empty() ||
      !comes_with_ollama || !facts.ollama.library_dir.present() ||
      facts.ollama.library_dir->incomplete) {
    return false;
  }
  const auto& libraries = facts.installation.libraries;
  return libraries.size() < facts::InstallationFacts::kMaxLibraries &&
         std::none_of(libraries.begin(), libraries.end(),
                      [&](const facts::InstalledLibrary& library) {
                        return host::Basename(library.path) == name;
                      });
}

void AddFix(const facts::Facts& facts, const std::string& name, Holds& holds) {
  if (name == "libcuda.so.1") {
    // wiki.nixos.org/wiki/NVIDIA
    if (facts.installation.keeper == facts::Keeper::kNixos) {
      holds.fix.push_back({"ls -l /run/opengl-driver/lib/libcuda.so.1",
                           "NixOS links the driver's libraries there: where it is missing, write "
                           "services.xserver.videoDrivers = [ \"nvidia\" ]; and "
                           "hardware.graphics.enable = true; in configuration.nix, and run sudo "
                           "nixos-rebuild switch",
                           "", ""});
    } else {
      holds.fix.push_back({"ldconfig -p | grep libcuda.so.1",
                           "NVIDIA's driver brings it: where this prints nothing, install the "
                           "package of the driver's libraries that fits the kernel module",
                           "", ""});
    }
    if (facts.unit_judged) {
      holds.fix.push_back({absl::StrCat("sudo systemctl restart ", Quoted(facts.unit.name)),
                           "discovery runs once, at the start",
                           "requests that are running are cut off", ""});
    }
    return;
  }
  holds.fix = ReinstallSteps(
      facts, "the archive holds the backend with every library that it needs beside it");
}

// A log alone: the child's own words.
std::optional<Judgement> MissingInLog(const facts::Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (!facts.only_a_log || start == nullptr || facts.FoundGpu().value_or(true)) {
    return std::nullopt;
  }
  static const RE2& missing =
      *new RE2("libggml-cuda[^/]*\\.so: (lib[^:/ ]+): cannot open shared object file");
  Holds holds;
  std::string name;
  for (const ollama::Backend& backend : start->backends) {
    std::string found;
    if (backend.loaded || !RE2::PartialMatch(backend.line.text, missing, &found)) continue;
    if (holds.evidence.size() >= 4) break;
    if (name.empty()) name = found;
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), backend.line,
                absl::StrCat("the backend needs ", found, ", which the loader did not find")));
  }
  if (name.empty()) return std::nullopt;
  holds.confidence = Confidence::kCertain;
  for (Evidence& evidence : NoGpuEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.explains.push_back("VG505");
  holds.headline = absl::StrCat(name, ", which the CUDA backend needs, is not found.");
  AddFix(facts, name, holds);
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace

Judgement BackendDependencyMissing(const facts::Facts& facts) {
  std::vector<std::string> of_shims;
  const std::vector<BackendProblem> problems =
      ProblemsOf(facts, [&](const loader::Problem& problem) {
        if (!IsMissing(problem)) return false;
        if (!OfShims(facts, problem)) return true;
        of_shims.push_back(problem.request.name);
        return false;
      });
  if (problems.empty()) {
    if (std::optional<Judgement> in_log = MissingInLog(facts)) return *in_log;
    if (!of_shims.empty()) {
      return Contradicted{
          absl::StrCat("only ", of_shims.front(), " is missing, which a shim stands for")};
    }
    return WithoutProblem(facts, "everything that it needs is found");
  }
  Holds holds = HoldsFor(facts, problems);
  const BackendProblem& first = problems.front();
  const std::string name = first.problem->request.name;
  holds.explains.push_back("VG505");
  holds.independent = InEveryVariant(
      facts, problems, [&](const loader::Problem& problem) { return IsGone(facts, problem); });
  if (first.problem->trouble == loader::Trouble::kNotFound) {
    holds.headline = absl::StrCat(name, ", which the CUDA backend of ", first.load.process->variant,
                                  " needs, is not found.");
  } else {
    holds.headline = absl::StrCat(first.problem->path.empty() ? name : first.problem->path,
                                  ", which the CUDA backend of ", first.load.process->variant,
                                  " needs, cannot be loaded.");
  }
  AddFix(facts, name, holds);
  return holds;
}

}  // namespace vgpu::rules
