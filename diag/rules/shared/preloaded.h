// What the rules about preloaded files share: which lists count, what the loader said of an
// entry, and how the program ended.
//
// An entry that cannot be opened or mapped is passed over: the loader prints one line and
// goes on. A file that it does load and that then fails (cut off, a dependency or a symbol
// missing) ends every start (measured, glibc 2.36).

#ifndef DIAG_RULES_PRELOADED_H_
#define DIAG_RULES_PRELOADED_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

// A list, and whether what runs (or fails to run) has read it, or only the next start will.
struct ActingList {
  const facts::PreloadList* list = nullptr;
  Acts acts = Acts::kNow;
};

// The lists to judge, the one that acts now first. One value is one list.
std::vector<ActingList> ActingLists(const facts::Facts& facts);

// None of their entries is there, as far as it was seen, and some were not seen: what. Of those
// nothing is ruled out.
std::optional<Judgement> EntriesNotSeen(const std::vector<ActingList>& lists);

// An entry with a fault, of the first list that has such entries.
struct Faulty {
  const facts::PreloadEntry* entry = nullptr;
  std::string what;  // is wrong with it
};

// "/usr/lib64/libvgpu-cuda.so: listed for preloading, and WHAT", with the line that lists it.
Evidence FromList(const facts::PreloadList& list, const facts::PreloadEntry& entry,
                  absl::string_view what);

// The service does not come up: it dies at its start, again and again or once.
bool Dies(const facts::Facts& facts);

// When a fault acts that ends every start: now where the service dies, else at the next one
// (what runs was started before the file was as it is).
Acts ActsOnStarts(const facts::Facts& facts);

// The file is in the memory of the process, under the path that it was found at.
host::Observed<bool> IsMapped(const facts::Facts& facts, const facts::FileFacts& file);

// The first line of the loader that has all of `parts`, of the process that runs or, where
// the service dies, of its last starts. At most one.
std::vector<Evidence> LoaderSaid(const facts::Facts& facts,
                                 absl::Span<const absl::string_view> parts, std::string meaning);

// The main process ended with this status ("7/BUS", "127/n/a"; the number decides), last
// time that it ended. At most one piece of evidence.
std::vector<Evidence> EndedWith(const facts::Facts& facts, absl::string_view status,
                                std::string meaning);

// The file of that shim that is installed elsewhere; null where none was seen.
const facts::FileFacts* InstalledShim(const facts::Facts& facts, facts::Shim shim);

// Puts a good file in the place of a bad one, by renaming: what runs keeps what it has.
FixStep ReplaceFileStep(absl::string_view path, std::string why);

// The entries of `list` without those of `faults`.
std::vector<std::string> WithoutEntries(const facts::PreloadList& list,
                                        const std::vector<Faulty>& faults);

// Steps that give the service these entries in the place of those of `list`, wherever that
// list stands: in the unit's environment, or in a file that the unit binds.
std::vector<FixStep> SetListSteps(const facts::Facts& facts, const facts::PreloadList& list,
                                  absl::string_view code, const std::vector<std::string>& entries,
                                  std::string why);

// What the rules about entries that the loader passes over say in common: evidence for each
// fault, the loader's line, the effect, confidence, when it acts, what it explains, and the
// headline "PATH is listed for preloading and WHAT: ADVICE".
Holds PassedOver(const facts::Facts& facts, const ActingList& acting,
                 const std::vector<Faulty>& faults, absl::string_view advice);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_PRELOADED_H_
