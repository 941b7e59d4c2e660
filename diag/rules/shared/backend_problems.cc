#include "diag/rules/shared/backend_problems.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/facts/shims.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {

using facts::Facts;

namespace {

bool IsShim(const loader::Load& load, std::optional<size_t> index) {
  if (!index || *index >= load.objects.size()) return false;
  const loader::Object& object = load.objects[*index];
  const auto named = [](absl::string_view path) {
    const std::optional<facts::ShimName> shim = facts::ShimOf(path);
    return shim && shim->named_as_shim;
  };
  return named(object.place.path) || (object.file.present() && named(object.file->path));
}

// What a shim lacks is told by the codes of the shims.
bool OfShim(const BackendLoad& load, const loader::Problem& problem) {
  return IsShim(load.opened->load, problem.request.object) ||
         IsShim(load.opened->load, problem.needed_by);
}

// It cannot be opened, and only for want of what a shim gives: with the shims it would be.
bool LacksOnlyShims(const Facts& facts, const BackendLoad& load) {
  if (!facts.devices.IsVirtual() || load.opened->Succeeds().value_or(true)) return false;
  for (const loader::Problem& problem : load.opened->problems) {
    const bool of_layer = facts::ShimOf(problem.request.name).has_value() &&
                          problem.trouble != loader::Trouble::kUndefinedSymbol;
    if (of_layer || GiverOf(problem.symbol) || OfShim(load, problem)) continue;
    return false;
  }
  return true;
}

}  // namespace

std::vector<BackendLoad> TriedLoads(const Facts& facts) {
  std::vector<BackendLoad> tried;
  for (const ollama::Variant* variant : TriedVariants(facts)) {
    for (const facts::ModelledProcess& process : facts.loader.Deciding()) {
      if (process.variant != variant->name || process.Backend() == nullptr) continue;
      tried.push_back({&process, process.Backend(), !facts.loader.now.empty()});
      break;
    }
  }
  return tried;
}

std::vector<BackendProblem> ProblemsOf(const Facts& facts,
                                       const std::function<bool(const loader::Problem&)>& is) {
  std::vector<BackendProblem> sure, doubtful;
  for (const BackendLoad& load : TriedLoads(facts)) {
    const host::Observed<bool> succeeds = load.opened->Succeeds();
    if (succeeds.present() && *succeeds) return {};
    for (const loader::Problem& problem : load.opened->problems) {
      if (problem.effect != loader::Effect::kFailsDlopen &&
          problem.effect != loader::Effect::kEndsProgram) {
        continue;
      }
      if (OfShim(load, problem)) continue;
      if (is(problem)) (problem.doubts.empty() ? sure : doubtful).push_back({load, &problem});
    }
  }
  sure.insert(sure.end(), doubtful.begin(), doubtful.end());
  return sure;
}

bool InEveryVariant(const Facts& facts, const std::vector<BackendProblem>& problems,
                    const std::function<bool(const loader::Problem&)>& is) {
  for (const BackendLoad& load : TriedLoads(facts)) {
    const bool found =
        std::any_of(problems.begin(), problems.end(), [&](const BackendProblem& problem) {
          return problem.load.process == load.process && is(*problem.problem);
        });
    if (!found) return false;
  }
  return true;
}

Judgement WithoutProblem(const Facts& facts, absl::string_view found) {
  const bool era_a = facts.ollama.era == ollama::Era::kA;
  if (!era_a && facts.FoundGpu().value_or(false)) {
    return Contradicted{"discovery opened the backend and found the GPU through it"};
  }
  const std::vector<BackendLoad> loads = TriedLoads(facts);
  for (const BackendLoad& load : loads) {
    const host::Observed<bool> succeeds = load.opened->Succeeds();
    if (succeeds.present() && *succeeds) {
      return Contradicted{absl::StrCat(load.backend(), ": ", found)};
    }
  }
  const auto& dir = facts.ollama.library_dir;
  if (dir.absent() || (dir.present() && !dir->HasCuda() && !dir->incomplete)) {
    return Contradicted{"no backend is there that could need anything"};
  }
  for (const BackendLoad& load : loads) {
    const host::Observed<bool> succeeds = load.opened->Succeeds();
    if (!succeeds.not_observed()) continue;
    return CannotTell{
        absl::StrCat("whether ", load.backend(), " can be opened"), std::string(succeeds.why_not()),
        absl::StrCat("LD_LIBRARY_PATH=",
                     Quoted(load.process->start.options.environment.library_path.value_or("")),
                     " ldd -r ", Quoted(load.backend()))};
  }
  if (!loads.empty())
    return Contradicted{"what keeps the backend from being opened is another thing"};
  return CannotTell{"whether the CUDA backend can be opened",
                    dir.present() ? "the environment of the child that opens it is not known"
                                  : std::string(dir.why_not()),
                    HowToSeeProcess(facts)};
}

Holds HoldsFor(const Facts& facts, const std::vector<BackendProblem>& problems) {
  Holds holds;
  bool sure = false, of_process = false;
  for (const BackendProblem& item : problems) {
    sure = sure || item.problem->doubts.empty();
    of_process = of_process || item.load.of_process;
    if (holds.evidence.size() >= 8) continue;
    holds.evidence.push_back(
        {item.load.backend(), 0,
         item.problem->text.empty() ? item.problem->request.name : item.problem->text,
         "what the loader answers the child that opens the backend (modelled; Ollama logs "
         "nothing of it below TRACE)"});
    if (!item.problem->searched.empty()) {
      std::vector<std::string> dirs = item.problem->searched;
      if (dirs.size() > 12) dirs.resize(12);
      holds.evidence.push_back(
          {item.load.process->start.options.program, 0, absl::StrJoin(dirs, " "),
           absl::StrCat(item.problem->request.name, " was looked for here, in this order")});
    }
  }
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  // Another variant may be opened: that one was not seen to fail.
  bool others_fail = true;
  const BackendLoad* sound = nullptr;
  const std::vector<BackendLoad> tried = TriedLoads(facts);
  for (const BackendLoad& load : tried) {
    const host::Observed<bool> succeeds = load.opened->Succeeds();
    others_fail = others_fail && succeeds.present() && !*succeeds;
    if (LacksOnlyShims(facts, load)) sound = &load;
  }
  if (sound != nullptr) {
    holds.evidence.push_back(
        {sound->backend(), 0, "", "this variant lacks nothing but what the shims give"});
  }
  holds.confidence = !sure || sound != nullptr                      ? Confidence::kPossible
                     : !effect.empty() && of_process && others_fail ? Confidence::kCertain
                                                                    : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (!of_process) holds.acts = Acts::kNextStart;
  holds.explains = WhatFollows(facts);
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
