// VG409 shim-version-node-missing: a consumer needs symbol@libcudart.so.12, and the shim
// defines version nodes and not this one.
//
// A library that defines no version node at all does bind (measured, glibc 2.36; elf/dl-lookup.c,
// check_match): so only a shim with the wrong nodes is at fault.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

using loader::Trouble;

std::optional<ShimFault> OfLine(const facts::Facts& facts, const LoaderLine& line) {
  ShimFault fault;
  Listed listed;
  if (line.kind == LoaderLine::Kind::kVersion) {
    listed = FindListed(facts, line.library);
    if (listed.entry == nullptr && !IsShimPath(facts, line.library)) return std::nullopt;
    fault.path = line.library;
  } else if (line.kind == LoaderLine::Kind::kSymbol && !line.version.empty()) {
    const facts::PreloadEntry* giver = ListedGiver(facts, line.symbol, &listed);
    if (giver == nullptr || !LacksVersionNode(giver->file.elf, line.version)) return std::nullopt;
    fault.path = giver->file.path;
  } else {
    return std::nullopt;
  }
  fault.list = listed.list;
  fault.entry = listed.entry;
  fault.missing = line.version;
  fault.evidence.meaning = "the loader's line names the version that is asked of the shim";
  return fault;
}

}  // namespace

Judgement ShimVersionNodeMissing(const facts::Facts& facts) {
  std::vector<ShimFault> faults =
      FaultsSaid(facts, [&](const LoaderLine& line) { return OfLine(facts, line); });
  if (faults.empty()) {
    faults = FaultsOfModel(facts, [](const ModelFault& fault) {
      const bool version = fault.problem->trouble == Trouble::kVersionNotFound ||
                           fault.problem->trouble == Trouble::kNoVersions;
      return fault.of_shim &&
             (version || (fault.problem->trouble == Trouble::kUndefinedSymbol && fault.lacks_node));
    });
  }
  if (faults.empty()) {
    return WithoutFault(facts, "defines every version that is asked of it, or none at all");
  }
  const ShimFault& first = faults.front();
  Holds holds = FaultyShim(
      facts, faults, "VG409",
      absl::StrCat("does not define the version ", first.missing, ", which is asked of it"), "1");
  holds.fix.push_back(ReplaceFileStep(
      first.path,
      absl::StrCat("puts the shim there that was built with the version node ", first.missing)));
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start loads it"));
  return holds;
}

}  // namespace vgpu::rules
