// VG502 backend-missing: no variant directory holds libggml-cuda.so, one level below the
// library directory. A copy or link at the top level registers no variant.
//
// The distribution's package without CUDA is this too. In era A discovery needs no backend:
// what is lost is lost at the load of a model.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

using ollama::Era;

// Why a backend at the top level does without a variant; empty: it does not.
std::string TopLevelServes(const facts::Facts& facts, const ollama::LibraryDir& dir) {
  if (!dir.top_level_cuda_backend.present()) return "";
  switch (facts.ollama.era) {
    case Era::kA:
      return "in this era a model's runner opens";
    case Era::kB:
    case Era::kUnknown:
      // Some distributions install it so.
      return dir.variants.empty() ? "there is no variant at all, and then the child opens" : "";
    case Era::kC:
      // llama-server opens what stands beside it (ggml_backend_load_all).
      return dir.has_llama_server ? "llama-server stands beside it and opens" : "";
  }
  return "";
}

}  // namespace

Judgement BackendMissing(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (dir.absent()) {
    return Contradicted{absl::StrCat("there is no library directory at all beside ", dir.source)};
  }
  if (!dir.present()) {
    return CannotTell{"Ollama's library directory", std::string(dir.why_not()),
                      "readlink -f \"$(command -v ollama)\""};
  }
  const std::string top = absl::StrCat(dir->path, "/libggml-cuda.so");
  const bool top_listed =
      std::find(dir->names.begin(), dir->names.end(), "libggml-cuda.so") != dir->names.end();
  bool unseen = dir->incomplete;
  for (const ollama::Variant& variant : dir->variants) {
    if (variant.cuda_backend.present()) {
      return Contradicted{
          absl::StrCat(variant.backend_path, " is there",
                       top_listed ? absl::StrCat("; the libggml-cuda.so at the top of ", dir->path,
                                                 " makes no variant, with or without it")
                                  : "")};
    }
    if (variant.cuda_backend.absent() && !variant.backend_path.empty()) {
      return Contradicted{absl::StrCat(variant.backend_path, " is there, as a link to nothing")};
    }
    unseen = unseen || variant.cuda_backend.not_observed();
  }
  if (const std::string why = TopLevelServes(facts, *dir); !why.empty()) {
    return Contradicted{absl::StrCat(why, " ", top)};
  }
  // Up to v0.5.7 each runner was a program of its own.
  if (facts.ollama.era == Era::kA &&
      std::find(dir->names.begin(), dir->names.end(), "runners") != dir->names.end()) {
    return Contradicted{absl::StrCat(dir->path, "/runners holds programs in place of backends")};
  }
  if (unseen) {
    return CannotTell{absl::StrCat("all of ", dir->path),
                      "a directory or a backend below it could not be looked at",
                      absl::StrCat("sudo ls -l ", Quoted(dir->path), "/*/")};
  }
  Holds holds;
  std::string variants;
  for (const ollama::Variant& variant : dir->variants) {
    if (variants.size() < 200) absl::StrAppend(&variants, variant.name, " ");
  }
  holds.evidence.push_back({dir->path, 0, variants.empty() ? "(no variant)" : variants,
                            "directories below it that hold a *ggml-* file; none of them has "
                            "libggml-cuda.so"});
  if (top_listed) {
    holds.evidence.push_back(
        {top, 0, "", "a file or link here makes no variant: Ollama looks one level below"});
  }
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = WhatFollows(facts);
  holds.headline =
      absl::StrCat("No directory below ", dir->path,
                   " holds the CUDA backend: install the package of Ollama that has it.");
  holds.fix =
      ReinstallSteps(facts, "Ollama's own archive holds cuda_v12/libggml-cuda.so and cuda_v13/…");
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace vgpu::rules
