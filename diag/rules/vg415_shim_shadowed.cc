// VG415 shim-shadowed: another file of that soname wins, in the order that discovery searches.
//
// A shim that is preloaded under its soname always wins; one that is found by path does so
// only where its directory comes first: Ollama puts its own directories before the inherited
// LD_LIBRARY_PATH (facts of llm/server.go v0.13.5, llm/llama_server.go v0.33.0). Era A tries
// each file of libcuda in turn, and is not judged here. A toolkit's stub that wins is VG513's.

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using facts::Maker;

struct Shadow {
  facts::Shim layer;
  Answer answer;
  const loader::Shadowed* shim;
};

// Of the layers, those that this era needs first.
std::optional<Shadow> FindShadow(const facts::Facts& facts) {
  std::optional<Shadow> found;
  for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart, facts::Shim::kNvml}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      const loader::Object& winner = answer.Get();
      // A doubt is a place that comes before: the winner may be yet another file.
      if (!winner.doubts.empty() || SomeVariantWorks(facts, answer.step.running)) continue;
      const Maker maker = MakerOf(facts, winner);
      if (maker == Maker::kShim || maker == Maker::kStub) continue;
      for (const loader::Shadowed& shadowed : winner.shadows) {
        if (MakerOf(facts, shadowed) != Maker::kShim) continue;
        if (!found || (facts::NeededIn(layer, facts.ollama.era) &&
                       !facts::NeededIn(found->layer, facts.ollama.era))) {
          found = Shadow{layer, answer, &shadowed};
        }
        break;
      }
    }
  }
  return found;
}

size_t ShimsThatAnswer(const facts::Facts& facts) {
  size_t shims = 0;
  for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart, facts::Shim::kNvml}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      if (MakerOf(facts, answer.Get()) != Maker::kShim) continue;
      ++shims;
      break;
    }
  }
  return shims;
}

}  // namespace

Judgement ShimShadowed(const facts::Facts& facts) {
  if (facts.ollama.era == ollama::Era::kA) {
    return Contradicted{"this version of Ollama tries every libcuda that it finds, in turn"};
  }
  const std::optional<Shadow> shadow = FindShadow(facts);
  if (!shadow) {
    if (!SawDiscovery(facts)) return WhyNotSeen(facts, "which libraries discovery finds");
    const size_t shims = ShimsThatAnswer(facts);
    if (shims == 0) {
      return Contradicted{
          "where discovery searches no shim answers, and none stands behind another "
          "file"};
    }
    return Contradicted{absl::StrCat("no file stands before a shim where discovery searches (",
                                     Count(shims, "shim answers", "shims answer"), ")")};
  }
  const loader::Object& winner = shadow->answer.Get();
  const facts::ModelledProcess& process = *shadow->answer.step.process;
  const facts::ShimInfo& info = facts::InfoOf(shadow->layer);
  const bool needed = facts::NeededIn(shadow->layer, facts.ollama.era);
  Holds holds;
  holds.acts = needed ? ActsOf(facts, shadow->answer.step) : Acts::kNextStart;
  holds.evidence = {
      {winner.place.path, 0, winner.file.present() ? winner.file->path : winner.place.path,
       absl::StrCat(ProcessText(process), " asks for ", shadow->answer.name, " and gets this, by ",
                    PlaceText(winner.place))},
      {shadow->shim->place.path, 0, shadow->shim->file.path,
       absl::StrCat("the shim comes later, by ", PlaceText(shadow->shim->place))}};
  std::vector<Evidence> effect =
      holds.acts == Acts::kNow ? NoGpuEvidence(facts) : std::vector<Evidence>();
  const bool nvidias = MakerOf(facts, winner) == Maker::kNvidia;
  holds.confidence = !effect.empty() && nvidias ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (needed) holds.explains = {"VG418", "VG707", "VG704", "VG902"};
  holds.headline =
      absl::StrCat(winner.place.path, " stands before the shim ", shadow->shim->place.path,
                   " where discovery searches: make it a "
                   "link to the shim.");
  holds.fix.push_back(ReplaceByLinkStep(
      winner.place.path, shadow->shim->file.path, ".shadowing",
      absl::StrCat("puts the shim where ", shadow->answer.name, " is looked for first"),
      absl::StrCat("an upgrade of ",
                   facts.ollama.library_dir.present() &&
                           absl::StartsWith(winner.place.path,
                                            absl::StrCat(facts.ollama.library_dir->path, "/"))
                       ? "Ollama puts its own file"
                       : "what it came with puts the file",
                   " back; other programs that use this directory get the shim too")));
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  if (!needed) holds.evidence.back().meaning += absl::StrCat("; nothing fails of it: ", info.why);
  return holds;
}

}  // namespace vgpu::rules
