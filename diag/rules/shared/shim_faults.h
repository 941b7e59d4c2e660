// Faults of a shim that the loader meets after it has mapped the file: a library, a symbol or
// a version is missing. Rules VG405, VG406, VG407 and VG409 tell them apart; how they are
// found and what follows is the same for all.
//
// A preloaded file with such a fault ends every start. One that is found by path stops only
// who opens it: the backend, and so discovery.

#ifndef DIAG_RULES_SHIM_FAULTS_H_
#define DIAG_RULES_SHIM_FAULTS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/loader/loader.h"
#include "diag/rules/judgement.h"
#include "diag/rules/shared/loader_lines.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {

struct ShimFault {
  std::string path;        // of the file that is at fault, as the service sees it
  bool preloaded = false;  // it ends every start
  Acts acts = Acts::kNow;
  // The list that names it, where one does.
  const facts::PreloadList* list = nullptr;
  const facts::PreloadEntry* entry = nullptr;
  std::string missing;  // library, symbol or version
  std::string from;     // the library that lacks the symbol or version, where it is known
  Evidence evidence;    // of the fault
  bool said = false;    // `evidence` is the loader's own line: cause and effect in one
};

// The entry of the service's own lists whose file this is: as it is named there, or behind
// its links.
struct Listed {
  const facts::PreloadList* list = nullptr;
  const facts::PreloadEntry* entry = nullptr;
  Acts acts = Acts::kNow;
};
Listed FindListed(const facts::Facts& facts, absl::string_view path);

// The path is a shim's, by what is known of the files on this host.
bool IsShimPath(const facts::Facts& facts, absl::string_view path);

// The shim that should give a symbol: "cudaMalloc", "cuInit", "nvmlInit_v2". Nothing for a
// name of another library (cuBLAS too).
std::optional<facts::Shim> GiverOf(absl::string_view symbol);

// The entry of an acting list that should give the symbol; null where none should. Sets
// `listed` to where it stands.
const facts::PreloadEntry* ListedGiver(const facts::Facts& facts, absl::string_view symbol,
                                       Listed* listed);

// The file has version nodes, and this one is not among them.
bool LacksVersionNode(const host::Observed<elf::ElfInfo>& elf, absl::string_view version);
bool LacksVersionNode(const elf::ElfInfo& elf, absl::string_view version);

// The judgement where no such fault was found: contradicted where the process has the
// preloaded files in memory and lives; `what` is what each of them then does.
Judgement WithoutFault(const facts::Facts& facts, absl::string_view what);

// A problem of the loader's model that a shim is part of.
struct ModelFault {
  const loader::Problem* problem = nullptr;
  Step step;
  bool by_shim = false;     // what needs it is a shim, or was brought in by a preload list
  bool of_shim = false;     // what should give it is a shim
  bool lacks_node = false;  // the shim has version nodes, and not the one that is asked for
};

// The faults that the loader's own lines tell. `of_line` makes one of a line: all but the
// evidence, of which it gives the meaning; nothing for a line that is no such fault.
std::vector<ShimFault> FaultsSaid(
    const facts::Facts& facts,
    const std::function<std::optional<ShimFault>(const LoaderLine&)>& of_line);

// The faults that the model has and that `picks` takes, those of what runs now first. What is
// in doubt, and what only a later call would meet, is left out.
std::vector<ShimFault> FaultsOfModel(const facts::Facts& facts,
                                     const std::function<bool(const ModelFault&)>& picks);

// Shims that discovery finds by path and that the loader refuses (kNotLoadable), or that kill
// it (kCut).
std::vector<ShimFault> FaultsByPath(const facts::Facts& facts, loader::Trouble trouble);

// Puts a good file in the place of each that is at fault. A link stays, and leads to the new one.
std::vector<FixStep> ReplaceSteps(const facts::Facts& facts, const std::vector<ShimFault>& faults,
                                  absl::string_view why);

// What the rule says of `faults` (not empty): evidence, effect, confidence, consequences and
// what both sides of the repair share. `trouble` is what is wrong with the first, as in
// "needs libx.so.1, which is not found"; `status` is what a start ends with.
Holds FaultyShim(const facts::Facts& facts, const std::vector<ShimFault>& faults,
                 absl::string_view code, std::string trouble, absl::string_view status);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_SHIM_FAULTS_H_
