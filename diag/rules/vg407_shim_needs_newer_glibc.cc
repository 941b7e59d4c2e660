// VG407 shim-needs-newer-glibc: a shim was built for a newer C library than this host has.
//
// Fatal before any line of the program: status 1, and a line that names the version and the
// file that needs it (measured, glibc 2.36; elf/dl-version.c, match_symbol).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

// Of the C library, and of the C++ library that comes with the same release of a system.
bool IsSystemVersion(absl::string_view version) {
  return absl::StartsWith(version, "GLIBC_") || absl::StartsWith(version, "GLIBCXX_") ||
         absl::StartsWith(version, "CXXABI_");
}

std::optional<ShimFault> OfLine(const facts::Facts& facts, const LoaderLine& line) {
  if (line.kind != LoaderLine::Kind::kVersion || !IsSystemVersion(line.version)) {
    return std::nullopt;
  }
  const Listed listed = FindListed(facts, line.required_by);
  if (listed.entry == nullptr && !IsShimPath(facts, line.required_by)) return std::nullopt;
  ShimFault fault;
  fault.path = line.required_by;
  fault.preloaded = listed.entry != nullptr;
  fault.acts = fault.preloaded ? ActsOnStarts(facts) : Acts::kNow;
  fault.list = listed.list;
  fault.entry = listed.entry;
  fault.missing = line.version;
  fault.from = line.library;
  fault.evidence.meaning = "the loader's line names the file and the version that it needs";
  return fault;
}

}  // namespace

Judgement ShimNeedsNewerGlibc(const facts::Facts& facts) {
  std::vector<ShimFault> faults =
      FaultsSaid(facts, [&](const LoaderLine& line) { return OfLine(facts, line); });
  if (faults.empty()) {
    faults = FaultsOfModel(facts, [](const ModelFault& fault) {
      return fault.problem->trouble == loader::Trouble::kVersionNotFound &&
             IsSystemVersion(fault.problem->version) && fault.by_shim;
    });
  }
  if (faults.empty()) return WithoutFault(facts, "needs no newer C library than this host has");
  const ShimFault& first = faults.front();
  const std::string trouble = absl::StrCat(
      "needs ", first.missing,
      first.from.empty() ? "" : absl::StrCat(", which ", first.from, " does not have"));
  Holds holds = FaultyShim(facts, faults, "VG407", trouble, "1");
  for (FixStep& step :
       ReplaceSteps(facts, faults,
                    "puts a shim there that was built on this release of the system, or an older "
                    "one")) {
    holds.fix.push_back(std::move(step));
  }
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start loads it"));
  return holds;
}

}  // namespace vgpu::rules
