// VG405 preload-dependency-missing: a library that a preloaded file needs is not found.
//
// Unlike a missing entry this is fatal: every start ends with status 127, and the loader's
// line names the library and the program, not the entry that needs it (measured, glibc
// 2.36). Of a shim that is found by path only the opening fails.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/loader_lines.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

// Whether the file names the library in its DT_NEEDED.
host::Observed<bool> Needs(const host::Observed<elf::ElfInfo>& elf, absl::string_view library) {
  if (!elf.present()) return host::NotObserved{std::string(elf.why_not())};
  if (elf->needed.absent()) return false;
  return elf->needed.Map([&](const std::vector<std::string>& needed) {
    return std::find(needed.begin(), needed.end(), library) != needed.end();
  });
}

// Whose library it is that the loader's line names.
std::vector<ShimFault> FromLines(const facts::Facts& facts) {
  std::vector<ShimFault> faults;
  for (const LoaderSays& says : LoaderLines(facts)) {
    if (says.line.kind != LoaderLine::Kind::kLibrary || !says.line.at_start) continue;
    const std::string& library = says.line.library;
    // What the program itself needs is not there for it either.
    if (Needs(facts.program.file.elf, library).value_or(false)) continue;
    for (const ActingList& acting : ActingLists(facts)) {
      if (acting.acts != Acts::kNow) continue;
      for (const facts::PreloadEntry& entry : acting.list->entries) {
        if (!Needs(entry.file.elf, library).value_or(false)) continue;
        ShimFault fault;
        fault.path = entry.file.path;
        fault.preloaded = true;
        fault.acts = ActsOnStarts(facts);
        fault.list = acting.list;
        fault.entry = &entry;
        fault.missing = library;
        fault.evidence = says.evidence;
        fault.evidence.meaning =
            absl::StrCat("the loader's line names the library; ", entry.text, " needs it");
        fault.said = true;
        faults.push_back(std::move(fault));
      }
    }
    if (!faults.empty()) break;
  }
  return faults;
}

}  // namespace

Judgement PreloadDependencyMissing(const facts::Facts& facts) {
  std::vector<ShimFault> faults = FromLines(facts);
  if (faults.empty()) {
    faults = FaultsOfModel(facts, [](const ModelFault& fault) {
      return fault.problem->trouble == loader::Trouble::kNotFound && fault.by_shim;
    });
  }
  if (faults.empty()) return WithoutFault(facts, "finds every library that it needs");
  const ShimFault& first = faults.front();
  Holds holds = FaultyShim(facts, faults, "VG405",
                           absl::StrCat("needs ", first.missing, ", which is not found"), "127");
  const std::string target = ShellQuoted(absl::StrCat("/usr/local/lib/", first.missing));
  holds.fix.push_back({absl::StrCat("sudo install -m 0644 ", ShellQuoted(first.missing), " ",
                                    target, " && sudo ldconfig"),
                       "puts the missing library where the loader always looks, from the package "
                       "that it came with",
                       "", absl::StrCat("sudo rm ", target, " && sudo ldconfig")});
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start finds it"));
  return holds;
}

}  // namespace vgpu::rules
