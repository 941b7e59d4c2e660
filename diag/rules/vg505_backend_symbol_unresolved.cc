// VG505 backend-symbol-unresolved: opening the CUDA backend fails on a symbol or a version
// that a library of its chain does not define. It is bound at once (RTLD_NOW), so that one
// name is enough; in era B nothing is logged.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/backend_problems.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

using loader::Trouble;

// The first library of the chain that is not there; empty: each is.
std::string NotFoundIn(const loader::Opened& opened) {
  for (const loader::Problem& problem : opened.problems) {
    if (problem.trouble == Trouble::kNotFound) return problem.request.name;
  }
  return "";
}

// A name that neither a shim should give (VG406, VG409), nor a stub of cuBLAS (VG416), nor a
// libggml-base of the backend's version (VG514).
bool OfNobodyElse(const loader::Problem& problem) {
  for (absl::string_view name : {absl::string_view(problem.symbol), host::Basename(problem.path),
                                 absl::string_view(problem.version)}) {
    for (absl::string_view stem : {"ggml_", "gguf_", "cublas", "libcublas", "libggml"}) {
      if (absl::StartsWith(name, stem)) return false;
    }
    if (facts::ShimOf(name)) return false;
  }
  return !GiverOf(problem.symbol).has_value();
}

}  // namespace

Judgement BackendSymbolUnresolved(const facts::Facts& facts) {
  // Of a virtual device, what CUDA's names should come from is a shim: that it is not loaded,
  // or lacks one, has a code of its own (VG406, VG409, and what keeps shims away).
  std::string of_shim;
  std::vector<BackendProblem> problems = ProblemsOf(facts, [&](const loader::Problem& problem) {
    if (facts.devices.IsVirtual() && GiverOf(problem.symbol).has_value()) {
      of_shim = problem.symbol;
      return false;
    }
    return problem.trouble == Trouble::kVersionNotFound ||
           problem.trouble == Trouble::kNoVersions || problem.trouble == Trouble::kUndefinedSymbol;
  });
  // Names that a missing library would define are missing because of it. A version that a
  // library lacks which is there is not.
  std::string missing;
  problems.erase(std::remove_if(problems.begin(), problems.end(),
                                [&](const BackendProblem& found) {
                                  if (found.problem->trouble != Trouble::kUndefinedSymbol) {
                                    return false;
                                  }
                                  const std::string name = NotFoundIn(*found.load.opened);
                                  if (!name.empty()) missing = name;
                                  return !name.empty();
                                }),
                 problems.end());
  if (problems.empty() && !missing.empty()) {
    return Contradicted{absl::StrCat(missing, " is not found at all")};
  }
  if (problems.empty() && !of_shim.empty()) {
    return Contradicted{absl::StrCat("only ", of_shim,
                                     " and its like are missing, which a shim "
                                     "should give")};
  }
  if (problems.empty()) return WithoutProblem(facts, "every symbol that it asks for is defined");
  Holds holds = HoldsFor(facts, problems);
  holds.independent = InEveryVariant(facts, problems, OfNobodyElse);
  const BackendProblem& first = problems.front();
  const loader::Problem& problem = *first.problem;
  const std::string what =
      problem.symbol.empty()
          ? absl::StrCat("version ", problem.version)
          : absl::StrCat(problem.symbol, problem.version.empty() ? "" : "@", problem.version);
  holds.headline = absl::StrCat("The CUDA backend of ", first.load.process->variant, " asks for ",
                                what, ", which ",
                                problem.path.empty() || !problem.symbol.empty()
                                    ? std::string("no library that is loaded with it defines.")
                                    : absl::StrCat(problem.path, " does not define."));
  if (absl::StartsWith(problem.version, "GLIBC")) {
    holds.fix.push_back({"ldd --version; strings -a /usr/lib/*/libstdc++.so.6 | grep GLIBCXX_3",
                         "the backend was built for a newer system than this one: take Ollama's "
                         "own build, which runs on old ones",
                         "", ""});
  }
  for (FixStep& step :
       ReinstallSteps(facts, "the archive holds backend and libraries that fit each other",
                      Libraries::kUnfitting)) {
    holds.fix.push_back(std::move(step));
  }
  return holds;
}

}  // namespace vgpu::rules
