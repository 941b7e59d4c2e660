// What the loader's model says of the CUDA backends, taken together: discovery needs one
// that can be opened.

#ifndef DIAG_RULES_BACKEND_PROBLEMS_H_
#define DIAG_RULES_BACKEND_PROBLEMS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// A backend, in the child that opens it.
struct BackendLoad {
  const facts::ModelledProcess* process = nullptr;
  const loader::Opened* opened = nullptr;
  bool of_process = false;  // as what runs now does it; false: as its next start would
  const std::string& backend() const { return opened->name; }
};

// One thing that keeps a backend from being opened.
struct BackendProblem {
  BackendLoad load;
  const loader::Problem* problem = nullptr;
};

// Those of the variants that discovery tries, one for each.
std::vector<BackendLoad> TriedLoads(const facts::Facts& facts);

// The problems for which `is` holds, without doubts first. Empty where a variant that is
// tried can be opened.
std::vector<BackendProblem> ProblemsOf(const facts::Facts& facts,
                                       const std::function<bool(const loader::Problem&)>& is);

// Each variant that is tried has a problem among `problems` for which `is` holds.
bool InEveryVariant(const facts::Facts& facts, const std::vector<BackendProblem>& problems,
                    const std::function<bool(const loader::Problem&)>& is);

// The judgement of a rule about such problems that finds none: why not, or what was not seen.
Judgement WithoutProblem(const facts::Facts& facts, absl::string_view found);

// Confidence, evidence, effect and what follows, of a rule that holds for `problems`.
Holds HoldsFor(const facts::Facts& facts, const std::vector<BackendProblem>& problems);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_BACKEND_PROBLEMS_H_
