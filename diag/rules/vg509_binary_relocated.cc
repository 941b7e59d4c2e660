// VG509 binary-relocated: the program stands where it does not find its libraries, which are
// installed elsewhere.
//
// It derives their place from its own path behind all links (ollama/ollama ml/path.go), so
// that a program that was moved, or that a link leads to, looks in another place than the
// installer filled. Only era C looks below its own directory too.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

Judgement BinaryRelocated(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (dir.present()) {
    return Contradicted{absl::StrCat(*facts.ollama.exe, " finds ", dir->path)};
  }
  if (!dir.absent()) {
    return CannotTell{"where the program finds its libraries", std::string(dir.why_not()),
                      HowToSeeProcess(facts)};
  }
  const ollama::LibraryDir* left = nullptr;
  for (const facts::OtherInstallation& other : facts.installation.others) {
    // One that has a program of its own was not left behind by this one: VG508.
    if (!other.library_dir || !other.program.empty()) continue;
    if (left == nullptr || (!left->HasCuda() && other.library_dir->HasCuda())) {
      left = &*other.library_dir;
    }
  }
  if (left == nullptr) {
    return Contradicted{"no library directory that the program could have left was seen"};
  }
  if (facts.ollama.era != ollama::Era::kA && facts.FoundGpu().value_or(false)) {
    return Contradicted{"the running process found its libraries from where it was started"};
  }
  const std::string& exe = *facts.ollama.exe;
  Holds holds;
  holds.evidence.push_back({facts.ollama.exe.source, 0, exe, "the program, behind all links"});
  if (facts.program.file.found.present() && facts.program.file.found->path == exe) {
    for (const auto& [link, target] : facts.program.file.found->links) {
      if (holds.evidence.size() > 4) break;
      holds.evidence.push_back({link, 0, target, "ExecStart= leads there through this link"});
    }
  }
  holds.evidence.push_back({facts.ollama.library_dir_candidates.front(), 0, "(no such directory)",
                            "where this program looks first"});
  std::vector<std::string> names;
  for (const ollama::Variant& variant : left->variants) names.push_back(variant.name);
  holds.evidence.push_back({left->path, 0, absl::StrJoin(names, " "),
                            "libraries of Ollama are here, and the program does not look here"});
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.explains.push_back("VG501");
  holds.explains.push_back("VG502");
  const std::string wanted = facts.ollama.library_dir_candidates.front();
  holds.headline = absl::StrCat(exe, " does not find its libraries in ", left->path,
                                ": it looks in ", wanted, ".");
  holds.fix.push_back(NewLinkStep(
      wanted, left->path,
      "puts the libraries where the program looks; moving the program back beside them is as good",
      "the libraries must be of the program's own version"));
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "libraries are looked for once, at the start"));
  }
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
