// VG502 backend-missing: no variant directory holds libggml-cuda.so, one level below the
// library directory. A copy or link at the top level registers no variant.

#include "absl/strings/str_cat.h"
#include "diag/rules/common.h"
#include "diag/rules/rules.h"

namespace vgpu::rules {

Judgement BackendMissing(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (!dir.present()) {
    return CannotTell{"Ollama's library directory",
                      dir.absent()
                          ? absl::StrCat("none of the places beside ", dir.source, " is there")
                          : std::string(dir.why_not()),
                      "readlink -f \"$(command -v ollama)\""};
  }
  std::string top_level;
  if (!dir->top_level_cuda_backend.not_observed()) {
    top_level = absl::StrCat("; the libggml-cuda.so at the top of ", dir->path,
                             " makes no variant, with or without it");
  }
  for (const ollama::Variant& variant : dir->variants) {
    if (!variant.cuda_backend.present()) continue;
    return Contradicted{absl::StrCat(variant.path, "/libggml-cuda.so is there", top_level)};
  }
  // With no variant at all, era B gives its child the library directory itself, and the
  // child opens what is there: so some distributions install it.
  const bool may_be_b =
      facts.ollama.era == ollama::Era::kB || facts.ollama.era == ollama::Era::kUnknown;
  if (may_be_b && dir->variants.empty() && dir->top_level_cuda_backend.present()) {
    return Contradicted{absl::StrCat("there is no variant at all, and then the child searches ",
                                     dir->path, ", whose libggml-cuda.so is there")};
  }
  bool unseen = dir->incomplete;
  for (const ollama::Variant& variant : dir->variants) {
    unseen = unseen || variant.cuda_backend.not_observed();
  }
  if (unseen) {
    return CannotTell{absl::StrCat("all of ", dir->path),
                      "a directory or a backend below it could not be looked at",
                      absl::StrCat("sudo ls -l ", dir->path, "/*/")};
  }
  if (facts.ollama.era == ollama::Era::kA) {
    return CannotTell{"whether the model's runner finds its backend",
                      "in era A discovery needs none, and this installation has none in a "
                      "directory of its own",
                      absl::StrCat("ls ", dir->path)};
  }
  Holds holds;
  std::string variants;
  for (const ollama::Variant& variant : dir->variants)
    absl::StrAppend(&variants, variant.name, " ");
  holds.evidence.push_back({dir->path, 0, variants.empty() ? "(no variant)" : variants,
                            "directories below it that hold a *ggml-* file; none of them has "
                            "libggml-cuda.so"});
  if (!top_level.empty()) {
    holds.evidence.push_back(
        {absl::StrCat(dir->path, "/libggml-cuda.so"), 0, "",
         "a file or link here makes no variant: Ollama looks one level below"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline =
      absl::StrCat("No directory below ", dir->path,
                   " holds the CUDA backend: install the package of Ollama that has it.");
  holds.fix.push_back({absl::StrCat("ls ", dir->path, "/*/"),
                       "a complete installation has cuda_v12/libggml-cuda.so or cuda_v13/…: "
                       "install Ollama's own archive, or the distribution's package with CUDA",
                       "", ""});
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules
