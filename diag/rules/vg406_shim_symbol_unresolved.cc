// VG406 shim-symbol-unresolved: a shim needs a symbol, or should give one, that nobody
// defines.
//
// Bound at once (-z now, LD_BIND_NOW, a variable) it ends every start with status 127; bound
// lazily it ends the program when the function is first called, or never. A backend is opened
// with immediate binding and, in era B, fails without a word (measured, glibc 2.36; ollama
// v0.13.5, ggml-backend-reg.cpp).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

using loader::Trouble;

std::optional<ShimFault> OfLine(const facts::Facts& facts, const LoaderLine& line) {
  if (line.kind != LoaderLine::Kind::kSymbol) return std::nullopt;
  Listed listed = FindListed(facts, line.library);
  ShimFault fault;
  fault.path = line.library;
  fault.evidence.meaning = "the loader's line names the file and the symbol that it needs";
  if (listed.entry == nullptr && !IsShimPath(facts, line.library)) {
    // The consumer's line: the shim that should give the symbol is to blame.
    const facts::PreloadEntry* giver = ListedGiver(facts, line.symbol, &listed);
    if (giver == nullptr || LacksVersionNode(giver->file.elf, line.version)) return std::nullopt;
    fault.path = giver->file.path;
    fault.evidence.meaning = absl::StrCat("the symbol is one that ", giver->text, " should give");
  } else {
    // A process that goes on after the line met it in a child, or when it opened something.
    const bool goes_on = facts.process.present() && !Dies(facts);
    fault.preloaded = listed.entry != nullptr && line.at_start && !goes_on;
  }
  fault.acts = fault.preloaded ? ActsOnStarts(facts) : Acts::kNow;
  fault.list = listed.list;
  fault.entry = listed.entry;
  fault.missing = line.symbol;
  return fault;
}

}  // namespace

Judgement ShimSymbolUnresolved(const facts::Facts& facts) {
  std::vector<ShimFault> faults =
      FaultsSaid(facts, [&](const LoaderLine& line) { return OfLine(facts, line); });
  if (faults.empty()) {
    faults = FaultsOfModel(facts, [](const ModelFault& fault) {
      return fault.problem->trouble == Trouble::kUndefinedSymbol &&
             (fault.by_shim || (fault.of_shim && !fault.lacks_node));
    });
  }
  if (faults.empty()) {
    return WithoutFault(facts,
                        "finds every symbol that it needs, and gives every one that is asked");
  }
  const ShimFault& first = faults.front();
  const bool gives = GiverOf(first.missing).has_value() && facts::ShimOf(first.path) &&
                     facts::ShimOf(first.path)->shim == *GiverOf(first.missing);
  Holds holds = FaultyShim(
      facts, faults, "VG406",
      gives ? absl::StrCat("does not define ", first.missing, ", which is asked of it")
            : absl::StrCat("needs ", first.missing, ", which nothing that is loaded defines"),
      "127");
  holds.fix.push_back(ReplaceFileStep(
      first.path, "puts a shim there of the same build as the others: they belong together"));
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start loads it"));
  return holds;
}

}  // namespace vgpu::rules
