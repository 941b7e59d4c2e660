// VG505 backend-symbol-unresolved: opening the CUDA backend fails on a symbol or a version
// that a library of its chain does not define. It is bound at once (RTLD_NOW), so that one
// name is enough; in era B nothing is logged.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/backend_problems.h"
#include "diag/rules/installation.h"
#include "diag/rules/rules.h"
#include "diag/rules/shim_faults.h"

namespace vgpu::rules {

Judgement BackendSymbolUnresolved(const facts::Facts& facts) {
  // Of a virtual device, what CUDA's names should come from is a shim: that it is not loaded,
  // or lacks one, has a code of its own (VG406, VG409, and what keeps shims away).
  std::string of_shim;
  const std::vector<BackendProblem> problems =
      ProblemsOf(facts, [&](const loader::Problem& problem) {
        if (facts.devices.IsVirtual() && GiverOf(problem.symbol).has_value()) {
          of_shim = problem.symbol;
          return false;
        }
        return problem.trouble == loader::Trouble::kVersionNotFound ||
               problem.trouble == loader::Trouble::kNoVersions ||
               problem.trouble == loader::Trouble::kUndefinedSymbol;
      });
  // Names that a missing library would define are missing because of it.
  for (const BackendProblem& found : problems) {
    for (const loader::Problem& problem : found.load.opened->problems) {
      if (problem.trouble == loader::Trouble::kNotFound) {
        return Contradicted{absl::StrCat(problem.request.name, " is not found at all")};
      }
    }
  }
  if (problems.empty() && !of_shim.empty()) {
    return Contradicted{absl::StrCat("only ", of_shim,
                                     " and its like are missing, which a shim "
                                     "should give")};
  }
  if (problems.empty()) return WithoutProblem(facts, "every symbol that it asks for is defined");
  Holds holds = HoldsFor(facts, problems);
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
       ReinstallSteps(facts, "the archive holds backend and libraries that fit each other")) {
    holds.fix.push_back(std::move(step));
  }
  return holds;
}

}  // namespace vgpu::rules
