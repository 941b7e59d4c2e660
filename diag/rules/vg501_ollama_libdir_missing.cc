// VG501 ollama-libdir-missing: none of the directories that this binary looks at for its
// libraries is there.
//
// It then takes the program's own directory for it and finds no variant, without a word
// (ollama/ollama discover/path.go v0.6.8, ml/path.go v0.13.5 and v0.33.0-rc2). In era A the
// loss shows at the load of a model only.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {

Judgement OllamaLibdirMissing(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (dir.present()) return Contradicted{absl::StrCat(dir->path, " is there")};
  if (!dir.absent()) {
    return CannotTell{
        "Ollama's library directory", std::string(dir.why_not()),
        facts.ollama.exe.present()
            ? absl::StrCat("sudo ls -ld ", absl::StrJoin(facts.ollama.library_dir_candidates, " "))
            : HowToSeeProcess(facts)};
  }
  const auto& exe = facts.ollama.exe;
  // A process that was named may be any program.
  if (!facts.ollama.version.present() && !absl::StartsWith(host::Basename(*exe), "ollama")) {
    return CannotTell{absl::StrCat("whether ", *exe, " is Ollama"),
                      "it bears no version of Ollama, and another name", HowToSeeProcess(facts)};
  }
  Holds holds;
  holds.evidence.push_back(
      {exe.source, 0, *exe, "the program, behind all links: it looks for its libraries beside it"});
  for (const std::string& candidate : facts.ollama.library_dir_candidates) {
    holds.evidence.push_back({candidate, 0, "(no such directory)", "looked for, in this order"});
  }
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.explains.push_back("VG502");
  // What this process found, it found in a directory that was there at its start.
  if (facts.ollama.era != ollama::Era::kA && facts.FoundGpu().value_or(false)) {
    holds.acts = Acts::kNextStart;
  }
  holds.headline =
      absl::StrCat("Ollama's libraries are not installed: ", *exe, " looks for them in ",
                   facts.ollama.library_dir_candidates.front(), ", which is not there.");
  holds.fix = ReinstallSteps(facts, "installs the libraries that belong to the program");
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
