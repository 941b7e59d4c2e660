// From facts to a report: runs the rules and picks what explains what is wrong.
//
//   report::Report report = Diagnose(facts);
//
// The order of reasoning:
//   1. Every rule judges. What holds is a finding, what is contradicted is ruled out,
//      what cannot be told is not observed.
//   2. A finding that another one explains (by its rule, or by precedence.h) is its
//      consequence, unless its rule saw that no other code can be why. The rest are root causes,
//      the earliest layer first. One that is only possible and explains nothing that a better
//      founded one does not is a note: the smallest set of causes is asked for.
//   3. What acts only after the next start is latent. So is every fault that did not
//      stop discovery, when the running process found the GPU: what works decides.
//   4. Healthy needs positive evidence; without it and without a known fault the verdict
//      is inconclusive.
//
// Pure; thread-safe.

#ifndef DIAG_DIAGNOSIS_DIAGNOSIS_H_
#define DIAG_DIAGNOSIS_DIAGNOSIS_H_

#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/report/report.h"
#include "diag/rules/judgement.h"

namespace vgpu::diagnosis {

// Which rules judge.
struct Selection {
  std::vector<std::string> only = {};  // codes; empty: all
  std::vector<std::string> skip = {};  // codes that are left out; the report says so
};

report::Report Diagnose(const facts::Facts& facts, const Selection& selection = {});

// A judgement of the rule for `code`. Exposed so that the reasoning can be tried on
// findings that no host shows.
struct Judged {
  std::string code;
  rules::Judgement judgement;
};

// Steps 2 to 4 over `judged`, into a report that has nothing else.
void Explain(const facts::Facts& facts, const std::vector<Judged>& judged, report::Report& report);

}  // namespace vgpu::diagnosis

#endif  // DIAG_DIAGNOSIS_DIAGNOSIS_H_
